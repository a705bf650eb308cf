"""The loop: scroll after scroll, until all leads have come.

`reactions` decides what follows from each kind of response, `ends` which end is believed, and
`limits` how long to wait and how often to restart.
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
# More repeats than this, and than leads, mean that the scroll goes in circles.


class Pages(Protocol):
    """A source of pages."""

    def page(self, scroll_param: str | None) -> Page:
        """The next page of a scroll; None opens a scroll.

        Raises:
            Outcome: Something else came.
        """


@dataclass(slots=True)
class Tally:
    """What all scrolls of a sync brought so far.

    Attributes:
        leads: Different leads, whatever their versions.
        skipped: Leads that were not passed on, as their version had been.
        pages: Pages with leads.
        counted: How many leads Intercom counts; None if it is unknown.
        end: The end that completed the sync; None before.
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
    """One scroll, and how far it has come."""

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
        source: Sends the pages.
        counts: Asks how many leads there are.
        judge: Judges the ends of scrolls.
        pauses: Makes the pauses, and limits them.
        logger: Takes what happens.
        clock: Gives seconds that never go back.
        page_size: Leads on a full page.

    Attributes:
        tally: What all scrolls brought so far.
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
        """The bodies of all pages, without what was passed on before. Returns at the end.

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
        """Waits before the next request.

        Raises:
            TapLeadsError: There is none.
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
        """The next page, without what was passed on before: empty if that is everything.

        Raises:
            Outcome: Something else came, or the end.
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
        if not has_empty_page:  # leads may have come that this scroll did not reach
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
        """What an outcome means at this place of the scroll."""
        if scroll.moment is Moment.OPENING:
            return outcome
        idle, expiry = self._clock() - scroll.last_at, self._pauses.limits.scroll_expiry
        if outcome.kind is Kind.UNREACHABLE and idle >= expiry:
            return outcomes.unreachable_too_long()
        # Half of it: Intercom's clock starts when the response is sent, and ours when it is read.
        is_alive = idle < expiry / 2
        if outcome.kind is Kind.NOT_FOUND and is_alive and scroll.last_page < self._page_size:
            return self._end(scroll, has_empty_page=False)
        return outcome
