"""The loop: scroll after scroll, until one is complete.

What follows from each kind of response stands in `reactions`, how long to wait and how often to
restart in `limits`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from tap_leads.errors import TapLeadsError
from tap_leads.records.pages import Page
from tap_leads.scroll.explanations import IN_CONTEXT
from tap_leads.scroll.ledger import Entry, Ledger
from tap_leads.scroll.limits import Limits
from tap_leads.scroll.reactions import REACTIONS, Kind, Moment, Reaction
from tap_leads.scroll.responses import NoPageError, Outcome

PAGE_SIZE = 100
"""Leads on a full page; Intercom has no parameter for it."""

_MOST_CHANGES = 10 * PAGE_SIZE
# More leads that come a second time in a scroll than that, and than leads: then it goes in circles.


class Source(Protocol):
    """Where pages come from."""

    def follow(self, scroll_param: str | None) -> Iterator[Page]:
        """The pages from a token on, up to the first empty one; None opens a new scroll.

        Raises:
            NoPageError: Something else came in place of a page.
        """

    def count_leads(self) -> int | None:
        """How many leads Intercom counts; None if it does not tell."""


@dataclass(slots=True)
class Summary:
    """What the scrolls brought so far.

    Attributes:
        leads: Different leads, whatever their versions.
        skipped: Leads that came again, and were not passed on again.
        pages: Pages with leads, over all scrolls.
    """

    leads: int = 0
    skipped: int = 0
    pages: int = 0

    def add(self, page: Page, entry: Entry) -> None:
        """Counts a page."""
        self.leads += entry.unknown
        self.skipped += len(page.versions) - len(entry.new)
        self.pages += 1


@dataclass(slots=True)
class _Progress:
    """How far one scroll has come."""

    scroll_param: str | None = None
    pages: int = 0
    leads: int = 0
    unknown: int = 0
    again: int = 0
    last_size: int = 0
    last_at: float = 0.0


class Scroll:
    """Reads all leads of a workspace.

    Args:
        source: Brings the pages of one scroll.
        limits: Waits, and limits waits and restarts.
        logger: Is told what happens.
        clock: Tells seconds that never go back.
        page_size: Leads on a full page.

    Attributes:
        summary: What the scrolls brought so far.
    """

    def __init__(
        self,
        source: Source,
        limits: Limits,
        logger: logging.Logger,
        *,
        clock: Callable[[], float] = time.monotonic,
        page_size: int = PAGE_SIZE,
    ) -> None:
        self._source = source
        self._limits = limits
        self._logger = logger
        self._clock = clock
        self._page_size = page_size
        self._this = _Progress()
        self._ended_in_doubt: tuple[int, int] | None = None
        self.summary = Summary()

    def pages(self) -> Iterator[bytes]:
        """The bodies of all pages, without what was passed on before; returns at the end.

        Raises:
            TapLeadsError: That cannot be had; the message says why.
        """
        with Ledger() as ledger:
            responses = self._source.follow(None)
            while True:
                opening, asked_at = not self._this.pages, self._clock()
                try:
                    outcome = self._take(next(responses), ledger)
                except NoPageError as error:
                    outcome = self._in_context(error.outcome)
                match self._reaction(outcome, Moment.OPENING if opening else Moment.LATER):
                    case Reaction.FOLLOW:
                        if outcome.body:
                            yield outcome.body
                        continue
                    case Reaction.END:
                        return
                    case Reaction.FAIL:
                        raise TapLeadsError(str(outcome.explanation))
                    case Reaction.RETRY:
                        self._limits.retry(
                            outcome.explanation,
                            opening=opening,
                            lasted=self._clock() - asked_at,
                            delay=outcome.wait,
                        )
                    case Reaction.WAIT:
                        self._limits.wait(outcome.explanation)
                    case Reaction.RESTART:  # pragma: no branch - there is no other
                        self._limits.restart(outcome.explanation, opening=opening)
                        self._this = _Progress()
                        ledger.start_scroll()
                responses = self._source.follow(self._this.scroll_param)

    def _take(self, page: Page, ledger: Ledger) -> Outcome:
        """Enters a page, and tells what it means."""
        this = self._this
        if not page.versions:
            short = 0 < this.last_size < self._page_size
            doubtful = not short and self._counts_more()
            return _outcome(Kind.DOUBTFUL_EMPTY if doubtful else Kind.EMPTY)
        if not this.pages:
            self._logger.info("Opened the scroll.")
        entry = ledger.enter(page.versions)
        self._limits.page_came(new=bool(entry.new))
        this.scroll_param, this.last_size, this.last_at = (
            page.scroll_param,
            len(page.versions),
            self._clock(),
        )
        this.pages += 1
        this.leads += entry.first
        this.unknown += entry.unknown
        this.again += len(page.versions) - entry.first
        self.summary.add(page, entry)
        if not entry.progress or this.again > this.leads + _MOST_CHANGES:
            return _outcome(Kind.REPEATED)
        return _outcome(Kind.LEADS, page.only(entry.new) if entry.new else b"")

    def _counts_more(self) -> bool:
        """Whether Intercom counts more leads than this scroll brought."""
        counted = self._source.count_leads()
        return counted is not None and counted > self._this.leads

    def _in_context(self, outcome: Outcome) -> Outcome:
        """Tells what an outcome means at this place of the scroll."""
        this = self._this
        if this.pages:
            idle, expiry = self._clock() - this.last_at, self._limits.settings.scroll_expiry
            if outcome.kind is Kind.UNREACHABLE and idle >= expiry:
                return _outcome(Kind.UNREACHABLE_TOO_LONG)
            # Half of it: Intercom's clock runs from when the response was sent, and ours is behind.
            in_time = idle < expiry / 2
            at_end = in_time and this.last_size < self._page_size
            if outcome.kind is Kind.NOT_FOUND and at_end and not self._counts_more():
                return _outcome(Kind.NO_EMPTY_PAGE)
        return outcome

    def _reaction(self, outcome: Outcome, moment: Moment) -> Reaction:
        reaction = REACTIONS[outcome.kind][moment]
        if reaction is Reaction.CONFIRM:
            return Reaction.END if self._is_confirmed() else Reaction.RESTART
        return reaction

    def _is_confirmed(self) -> bool:
        """Whether the scroll before ended in doubt at the same place, and with the same leads."""
        place = (self._this.pages, self._this.leads)
        confirmed = place == self._ended_in_doubt and not self._this.unknown
        self._ended_in_doubt = place
        if confirmed:
            self._logger.warning(
                "Two scrolls ended at the same place, after %d leads, though not as they should "
                "(an empty page too early, or none at all): that is taken for the end.",
                self._this.leads,
            )
        return confirmed


def _outcome(kind: Kind, body: bytes = b"") -> Outcome:
    return Outcome(kind, IN_CONTEXT[kind], body=body)
