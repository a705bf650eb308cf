"""Says how far the sync is: a live line on a terminal, else a line of the log every half minute."""

from __future__ import annotations

import logging
import sys
import threading
from contextlib import ExitStack
from types import TracebackType
from typing import Protocol, Self

INTERVAL = 30.0
"""Seconds between two lines of the log."""

LIVE_INTERVAL = 0.5
"""Seconds between two states of the live line."""


class Extraction(Protocol):
    """What is reported on.

    Attributes:
        sent: How many leads were sent so far.
        counted: How many leads Intercom counts; None as long as that is not known.
    """

    sent: int
    counted: int | None

    @property
    def waiting(self) -> int:
        """How many pages wait for the target."""

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""


class Progress:
    """Reports from a thread of its own: a blocked pipe does not silence it.

    Args:
        extraction: What is reported on.
        logger: Takes the lines.
        interval: Seconds between two lines of the log.
    """

    def __init__(
        self, extraction: Extraction, logger: logging.Logger, interval: float = INTERVAL
    ) -> None:
        self._extraction = extraction
        self._logger = logger
        self._interval = interval
        self._stopped = threading.Event()
        report = self._draw if sys.stderr and sys.stderr.isatty() else self._log
        self._thread = threading.Thread(target=report, name="progress", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join(timeout=1.0)  # the live line is gone before the log goes on

    def _log(self) -> None:
        this = self._extraction
        while not self._stopped.wait(self._interval):
            share = f" ({this.sent / this.counted:.0%} of {this.counted})" if this.counted else ""
            self._logger.info(
                "%d leads%s sent in %.0f s, %.0f a second; %d pages wait for the target.",
                this.sent,
                share,
                this.elapsed,
                this.sent / this.elapsed,
                this.waiting,
            )

    def _draw(self) -> None:
        from tqdm import tqdm  # noqa: PLC0415 - most syncs have no terminal
        from tqdm.contrib.logging import logging_redirect_tqdm  # noqa: PLC0415

        tqdm.monitor_interval = 0  # no thread of its own
        with ExitStack() as stack:
            stack.enter_context(logging_redirect_tqdm())
            line = stack.enter_context(tqdm(unit=" leads", leave=False, dynamic_ncols=True))
            while not self._stopped.wait(LIVE_INTERVAL):
                line.total = self._extraction.counted
                line.n = self._extraction.sent
                line.set_postfix_str(
                    f"{self._extraction.waiting} pages wait for the target", refresh=True
                )
