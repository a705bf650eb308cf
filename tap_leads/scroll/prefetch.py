"""Fetches pages in the background, so that a slow target cannot let the scroll expire."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from tap_leads import TapLeadsError
from tap_leads.scroll.spool import Spool


class _StoppedError(Exception):
    """The sync is over: the thread has nothing left to do."""


class Prefetch:
    """Runs a producer of pages in a thread, and hands its pages over through a spool.

    Args:
        produce: Called in the thread, with this object; it calls `check_in` and `deliver` for
            each page, and `sleep` for each pause.
        patience: Seconds without a page, beyond the producer's own pauses, after which the sync
            fails instead of waiting on.
    """

    def __init__(self, produce: Callable[[Prefetch], None], patience: float) -> None:
        self._produce = produce
        self._patience = patience
        self._spool = Spool()
        self._stopped = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="prefetch", daemon=True)
        self._awake_at = time.monotonic()

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
        self._spool.close()

    @property
    def waiting(self) -> int:
        """How many pages wait to be taken."""
        return self._spool.waiting

    def pages(self, before_waiting: Callable[[], None]) -> Iterator[bytes]:
        """The pages in their order, then the error that ended the producer, if any.

        Args:
            before_waiting: Called when no page is there yet.
        """
        while True:
            if not self._spool.waiting:
                before_waiting()
            page = self._spool.take(self._patience)
            if page is not None:
                yield page
            elif self._spool.ended:
                break
            elif time.monotonic() > self._awake_at + self._patience:
                raise TapLeadsError(
                    f"Intercom did not complete an answer in {self._patience:.0f} s. Run the sync "
                    "again later, or raise 'request_timeout'."
                )
        if self._error is not None:
            raise self._error

    def deliver(self, page: bytes) -> None:
        """For the producer: hands a page over."""
        self._spool.put(page)

    def check_in(self) -> None:
        """For the producer, before each page: says that it is alive, and ends if not wanted."""
        self._awake_at = time.monotonic()
        if self._stopped.is_set():
            raise _StoppedError

    def sleep(self, seconds: float) -> None:
        """For the producer: waits, unless the sync is over."""
        self._awake_at = time.monotonic() + seconds
        self._stopped.wait(seconds)
        self.check_in()

    def _run(self) -> None:
        try:
            self._produce(self)
        except _StoppedError:
            pass
        except BaseException as error:  # noqa: BLE001 - it is raised again, where the user sees it
            self._error = error
        finally:
            self._spool.end()
