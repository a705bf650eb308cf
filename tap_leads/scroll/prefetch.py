"""Reads pages ahead in a thread, so that a slow target does not let the scroll expire."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing

from tap_leads.scroll.spool import Spool

_JOIN = 2.0
"""Seconds that stopping waits for the thread; its request was aborted before."""


class StoppedError(Exception):
    """The pages are not wanted any more."""


class Prefetch:
    """Reads from an iterator in a thread, and keeps what it brings in a spool.

    Args:
        abort: Ends what the iterator waits for, from another thread.
    """

    def __init__(self, abort: Callable[[], None]) -> None:
        self._abort = abort
        self._spool = Spool()
        self._stopped = threading.Event()
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        """How many pages wait to be taken."""
        return self._spool.waiting

    def pages(
        self,
        source: Generator[bytes, None, None],
        before_waiting: Callable[[], None] = lambda: None,
    ) -> Iterator[bytes]:
        """The pages of the source in their order, then the error that ended it, if any.

        Every wait of the source has a limit of its own, so this one needs none.

        Args:
            source: Used in the thread only.
            before_waiting: Called when no page is there yet.
        """
        self._thread = threading.Thread(
            target=self._run, args=(source,), name="prefetch", daemon=True
        )
        self._thread.start()
        while True:
            if not self._spool.waiting:
                before_waiting()
            page = self._spool.take()
            if page is None:
                break
            yield page
        if self._error is not None:
            raise self._error

    def sleep(self, seconds: float) -> None:
        """For the source: waits.

        Raises:
            StoppedError: The pages are not wanted any more.
        """
        if self._stopped.wait(seconds):
            raise StoppedError

    def stop(self) -> None:
        """Ends the thread, and gives the disk back."""
        self._stopped.set()
        if self._thread is not None and self._thread.is_alive():
            self._abort()
            self._thread.join(_JOIN)
        self._spool.close()

    def _run(self, source: Generator[bytes, None, None]) -> None:
        try:
            with closing(source):  # in this thread, which opened what the source holds open
                for page in source:
                    if self._stopped.is_set():
                        break
                    self._spool.put(page)
        except BaseException as error:  # noqa: BLE001 - it is raised again, where the user sees it
            self._error = error
        finally:
            self._spool.end()
