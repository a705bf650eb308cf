"""Reads pages ahead in a thread, so that a slow target does not let the scroll expire."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing

from tap_leads.scroll.spool import Spool

_JOIN = 2.0
"""Seconds that `stop` waits for the thread, after it has aborted the thread's request."""


class StoppedError(Exception):
    """`stop` was called while the source was waiting."""


class Prefetch:
    """Reads pages from a generator in a thread, and keeps them in a spool.

    Args:
        abort: Ends the request that the generator waits for; called from another thread.
    """

    def __init__(self, abort: Callable[[], None]) -> None:
        self._abort = abort
        self._spool = Spool()
        self._stopped = threading.Event()
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        """How many pages wait in the spool."""
        return self._spool.waiting

    def pages(
        self,
        source: Generator[bytes, None, None],
        before_waiting: Callable[[], None] = lambda: None,
    ) -> Iterator[bytes]:
        """Yields the pages of the source in order, then raises the error that ended it, if any.

        Waiting for a page has no limit here, because each wait of the source has one.

        Args:
            source: The generator; only the thread uses it.
            before_waiting: Called before each wait for a page.
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
        """Waits, on behalf of the source.

        Raises:
            StoppedError: `stop` was called.
        """
        if self._stopped.wait(seconds):
            raise StoppedError

    def stop(self) -> None:
        """Ends the thread, and frees the disk."""
        self._stopped.set()
        if self._thread is not None and self._thread.is_alive():
            self._abort()
            self._thread.join(_JOIN)
        self._spool.close()

    def _run(self, source: Generator[bytes, None, None]) -> None:
        try:
            with closing(source):  # in this thread, because SQLite refuses others
                for page in source:
                    if self._stopped.is_set():
                        break
                    self._spool.put(page)
        except BaseException as error:  # noqa: BLE001 - it is raised again, where the user sees it
            self._error = error
        finally:
            self._spool.end()
