"""All leads of a workspace: the scroll, read ahead in a thread, and what is reported of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator
from types import TracebackType
from typing import Protocol, Self

from tap_leads.scroll import scroll
from tap_leads.scroll.limits import Limits, Settings
from tap_leads.scroll.prefetch import Prefetch
from tap_leads.scroll.scroll import Scroll


class Source(scroll.Source, Protocol):
    """Where pages come from, and how to stop that."""

    def abort(self) -> None:
        """For another thread: ends the request under way."""


class Extraction:
    """One reading of all leads; used once, in a `with` statement.

    Args:
        source: Brings the pages.
        settings: Its limits.
        logger: Is told what happens.

    Attributes:
        sent: How many leads the reader of the pages has passed on; it counts them itself.
        counted: How many leads Intercom counts; None as long as that is not known.
    """

    def __init__(self, source: Source, settings: Settings, logger: logging.Logger) -> None:
        self.sent = 0
        self.counted: int | None = None
        self._source = source
        self._logger = logger
        self._prefetch = Prefetch(source.abort)
        self._limits = Limits(settings, logger, sleep=self._prefetch.sleep)
        self._scroll = Scroll(source, self._limits, logger)
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._prefetch.stop()

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._started

    @property
    def waiting(self) -> int:
        """How many pages wait to be taken."""
        return self._prefetch.waiting

    def pages(
        self, *, count_first: bool = False, before_waiting: Callable[[], None] = lambda: None
    ) -> Iterator[bytes]:
        """The bodies of all pages, each version of a lead once; returns at the end.

        Args:
            count_first: Whether to ask for Intercom's own count before, too.
            before_waiting: Called when no page is there yet.

        Raises:
            TapLeadsError: Not all leads can be had; the message says why.
        """
        pages = self._counted_pages(count_first=count_first)
        yield from self._prefetch.pages(pages, before_waiting)
        self._report()

    def _counted_pages(self, *, count_first: bool) -> Generator[bytes, None, None]:
        """In the thread: the pages, and Intercom's own count after the last one."""
        if count_first:
            self.counted = self._source.count_leads()
        yield from self._scroll.pages()
        self.counted = self._source.count_leads()

    @property
    def is_contradicted(self) -> bool:
        """Whether Intercom counts clearly more leads than came: more than one in a hundred.

        Its count may be cached, and leads come and go meanwhile.
        """
        return self.counted is not None and 100 * self._scroll.summary.leads < 99 * self.counted

    def _report(self) -> None:
        total = self._scroll.summary
        self._logger.info(
            "Completed: %d leads in %d pages, %.0f s, %d restart(s), %d lead(s) that came again "
            "unchanged and were skipped.",
            total.leads,
            total.pages,
            self.elapsed,
            self._limits.restarts,
            total.skipped,
        )
        if self.is_contradicted:
            self._logger.warning(
                "Intercom counts %d leads, and its scroll brought %d. Its count may be out of "
                "date, or the scroll incomplete: compare with Intercom's own list.",
                self.counted,
                total.leads,
            )
        elif self.counted is not None:
            self._logger.info("Intercom counts %d leads.", self.counted)
