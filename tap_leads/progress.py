"""Says, every half minute, how far the sync is."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

INTERVAL = 30.0
"""Seconds between two lines."""


class Progress:
    """Logs a line every so often, from a thread of its own: a blocked pipe does not silence it.

    Args:
        leads: How many leads went out so far.
        waiting: How many pages wait for the target.
        logger: Takes the lines.
        interval: Seconds between two lines.
    """

    def __init__(
        self,
        leads: Callable[[], int],
        waiting: Callable[[], int],
        logger: logging.Logger,
        interval: float = INTERVAL,
    ) -> None:
        self._leads = leads
        self._waiting = waiting
        self._logger = logger
        self._interval = interval
        self._started = time.monotonic()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

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

    @property
    def elapsed(self) -> float:
        """Seconds since the sync began."""
        return time.monotonic() - self._started

    def _run(self) -> None:
        while not self._stopped.wait(self._interval):
            leads, elapsed = self._leads(), self.elapsed
            self._logger.info(
                "%d leads sent in %.0f s (%.0f a second); %d pages wait for the target.",
                leads,
                elapsed,
                leads / elapsed,
                self._waiting(),
            )
