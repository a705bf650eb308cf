"""The loop that opens scrolls and reads their pages, until it has read all leads.

`reactions` decides what to do after each kind of response, `ends` whether the end of a scroll is
accepted, and `limits` how long to wait and how often to restart.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Protocol

from tap_leads.errors import TapLeadsError
from tap_leads.records.pages import Page
from tap_leads.scroll import outcomes
from tap_leads.scroll.counts import Counts
from tap_leads.scroll.ends import PAGE_SIZE, Count, End, Judge, smaller
from tap_leads.scroll.ledger import Entry, Ledger
from tap_leads.scroll.limits import Pauses
from tap_leads.scroll.outcomes import Outcome
from tap_leads.scroll.paginator import ScrollPaginator
from tap_leads.scroll.reactions import REACTIONS, Kind, Moment, Reaction

_MOST_CHANGES = 10 * PAGE_SIZE
# If a scroll has so many more repeated leads than different ones, it goes in circles.


class Pages(Protocol):
    """A source of pages."""

    def page(self, scroll_param: str | None) -> Page:
        """Requests the next page of a scroll; None opens a scroll.

        Raises:
            Outcome: The request did not return a page.
        """


@dataclass(slots=True)
class Tally:
    """What all scrolls of a sync have read so far.

    Attributes:
        leads: Different leads; all versions of a lead count once.
        skipped: Leads that were not passed on, because their version was passed on before.
        pages: Pages with leads.
        counted: How many leads Intercom counts; None if it is unknown.
        end: The last end of a scroll; None before the first one.
    """

    leads: int = 0
    skipped: int = 0
    pages: int = 0
    counted: Count | None = None
    end: End | None = None

    def add(self, page: Page, entry: Entry) -> None:
        """Adds a page."""
        self.leads += entry.unknown
        self.skipped += len(page.versions) - len(entry.new)
        self.pages += 1


@dataclass(slots=True)
class _Scroll:
    """One scroll, and what it has read so far."""

    counted: Count | None
    paginator: ScrollPaginator = field(default_factory=ScrollPaginator)
    leads: int = 0
    repeats: int = 0
    last_page: int = 0
    last_at: float = 0.0

    @property
    def moment(self) -> Moment:
        return Moment.LATER if self.paginator.count else Moment.OPENING


class Lifecycle:
    """Reads all leads of a workspace.

    Args:
        source: Requests the pages.
        counts: Asks how many leads there are.
        judge: Judges the ends of scrolls.
        pauses: Waits, within the limits.
        logger: Logs what happens.
        clock: A monotonic clock, in seconds.
        page_size: Leads on a full page.

    Attributes:
        tally: What all scrolls have read so far.
    """

    def __init__(  # noqa: PLR0913 - its parts, and what tests replace
        self,
        source: Pages,
        counts: Counts,
        judge: Judge,
        pauses: Pauses,
        logger: logging.Logger,
        *,
        clock: Callable[[], float] = time.monotonic,
        page_size: int = PAGE_SIZE,
    ) -> None:
        self._source = source
        self._counts = counts
        self._judge = judge
        self._pauses = pauses
        self._logger = logger
        self._clock = clock
        self._page_size = page_size
        self.tally = Tally()

    def pages(self) -> Generator[bytes, None, None]:
        """Yields the bodies of all pages, without leads that were passed on before.

        Raises:
            TapLeadsError: Not all leads can be read; the message says why.
        """
        with Ledger() as ledger:
            scroll = self._new_scroll()
            while True:
                moment, asked_at = scroll.moment, self._clock()
                try:
                    body = self._next(scroll, ledger)
                except Outcome as found:
                    outcome = self._in_context(found, scroll)
                else:
                    if body:
                        yield body
                    continue
                reaction = REACTIONS[outcome.kind][moment]
                if reaction is Reaction.END:
                    return
                self._react(reaction, outcome, moment, self._clock() - asked_at)
                if reaction in {Reaction.RESTART, Reaction.CONFIRM}:
                    ledger.start_scroll()
                    scroll = self._new_scroll()

    def _react(self, reaction: Reaction, outcome: Outcome, moment: Moment, lasted: float) -> None:
        """Waits before the next request, or ends the sync.

        Raises:
            TapLeadsError: The sync cannot go on; the message says why.
        """
        opening = moment is Moment.OPENING
        match reaction:
            case Reaction.RETRY:
                self._pauses.retry(outcome, opening=opening, lasted=lasted)
            case Reaction.WAIT:
                self._pauses.wait(outcome)
            case Reaction.RESTART:
                self._pauses.restart(outcome, opening=opening)
            case Reaction.CONFIRM:
                self._pauses.confirm(outcome)
            case _:
                raise TapLeadsError(str(outcome))

    def _new_scroll(self) -> _Scroll:
        self.tally.counted = counted = self._counts.ask()
        return _Scroll(counted)

    def _next(self, scroll: _Scroll, ledger: Ledger) -> bytes:
        """Requests the next page, and returns its body without leads that were passed on before.

        The body is empty if all its leads were.

        Raises:
            Outcome: The scroll ended, or the request did not return another page.
        """
        page = self._source.page(scroll.paginator.current_value)
        scroll.paginator.advance(page)
        if scroll.paginator.finished:
            raise self._end(scroll)
        if scroll.paginator.count == 1:
            self._logger.info("Opened the scroll.")
        entry = ledger.enter(page)
        self._pauses.page_came(new=bool(entry.new))
        scroll.leads += entry.first
        scroll.repeats += len(page.versions) - entry.first
        scroll.last_page, scroll.last_at = len(page.versions), self._clock()
        self.tally.add(page, entry)
        if not entry.progress or scroll.repeats > scroll.leads + _MOST_CHANGES:
            raise outcomes.repeated()
        return page.only(entry.new) if entry.new else b""

    def _end(self, scroll: _Scroll, *, has_empty_page: bool = True) -> Outcome:
        """Judges the end of a scroll."""
        self.tally.counted = after = self._counts.ask()
        expected = smaller(scroll.counted, after)
        if not has_empty_page:  # leads may have been created that this scroll did not reach
            expected = after or scroll.counted
        end = End(
            expected,
            self.tally.leads,
            scroll.leads,
            scroll.last_page,
            has_empty_page,
            self._page_size,
        )
        kind = self._judge.kind(end)
        outcome = outcomes.end(kind, self.tally.leads, end.expected)
        if kind is Kind.ACCEPTED_END:
            self._logger.warning(
                "%s, and so did the scroll before. The sync accepts this as the end.",
                outcome.sentence,
            )
        self.tally.end = end
        return outcome

    def _in_context(self, outcome: Outcome, scroll: _Scroll) -> Outcome:
        """Returns what an outcome means at this point of the scroll."""
        if scroll.moment is Moment.OPENING:
            return outcome
        idle, expiry = self._clock() - scroll.last_at, self._pauses.limits.scroll_expiry
        if outcome.kind is Kind.UNREACHABLE and idle >= expiry:
            return outcomes.unreachable_too_long()
        # Only half of that time is safe: Intercom counts from when it sent the last response, the
        # tap from when it had read it.
        is_alive = idle < expiry / 2
        if outcome.kind is Kind.NOT_FOUND and is_alive and scroll.last_page < self._page_size:
            return self._end(scroll, has_empty_page=False)
        return outcome
