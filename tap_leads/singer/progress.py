"""Reports progress: a live line on a terminal, or else a line of the log every half minute."""

from __future__ import annotations

import logging
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    from tap_leads.scroll.reader import Reader

INTERVAL = 30.0
"""Seconds between two lines of the log."""

LIVE_INTERVAL = 0.5
"""Seconds between two states of the live line."""


class Progress:
    """Reports from a thread of its own: a blocked pipe does not silence it.

    Args:
        reader: Reads the leads.
        logger: Writes the lines.
        interval: Seconds between two lines of the log.

    Attributes:
        is_live: Whether to draw the live line. Only the command does, not a program in Python.
        sent: How many leads were sent so far.
    """

    is_live: ClassVar[bool] = False

    def __init__(self, reader: Reader, logger: logging.Logger, interval: float = INTERVAL) -> None:
        self.sent = 0
        self._reader = reader
        self._logger = logger
        self._interval = interval
        self._stopped = threading.Event()
        report = self._draw if self.is_live else self._log
        self._thread = threading.Thread(target=report, name="progress", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(timeout=1.0)  # removes the live line before the log continues

    def _log(self) -> None:
        reader = self._reader
        while not self._stopped.wait(self._interval):
            counted = reader.counted
            share = f" ({self.sent / counted:.0%} of {counted})" if counted else ""
            self._logger.info(
                "%d leads%s sent in %.0f s, %.0f a second; %d pages wait for the target.",
                self.sent,
                share,
                reader.elapsed,
                self.sent / reader.elapsed,
                reader.waiting,
            )

    def _draw(self) -> None:
        from tqdm import tqdm  # noqa: PLC0415 - most syncs have no terminal
        from tqdm.contrib.logging import logging_redirect_tqdm  # noqa: PLC0415

        tqdm.monitor_interval = 0  # no thread of its own
        with ExitStack() as stack:
            stack.enter_context(logging_redirect_tqdm())
            line = stack.enter_context(tqdm(unit=" leads", leave=False, dynamic_ncols=True))
            while not self._stopped.wait(LIVE_INTERVAL):
                line.total = self._reader.counted
                line.n = self.sent
                line.set_postfix_str(
                    f"{self._reader.waiting} pages wait for the target", refresh=True
                )
