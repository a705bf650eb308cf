"""A sync of all leads: pass after pass over the scroll, until one pass is complete.

What follows from which answer stands in `reactions`; how long to wait and how often to try, in
`patience`. This module takes pages, and knows the end when it sees it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tap_leads import TapLeadsError
from tap_leads.records.pages import Page
from tap_leads.scroll.ledger import Ledger
from tap_leads.scroll.limits import Patience, ScrollLostError, ScrollTakenError
from tap_leads.scroll.reactions import REACTIONS, Answer, Reaction
from tap_leads.scroll.responses import UnusableAnswerError

PAGE_SIZE = 100
"""Leads on a full page; Intercom has no parameter for it."""


@dataclass(slots=True)
class Summary:
    """What the scroll brought so far.

    Attributes:
        leads: Versions of leads, each counted once.
        repeated: Leads that came again unchanged, and were not sent again.
        pages: Pages with leads, over all passes.
        restarts: Scrolls begun anew.
    """

    leads: int = 0
    repeated: int = 0
    pages: int = 0
    restarts: int = 0


@dataclass(slots=True)
class _Pass:
    """One scroll from its first page on."""

    number: int
    pages: int = 0
    leads: int = 0
    new: int = 0
    last_size: int = 0
    last_at: float = 0.0


class Scroll:
    """Reads all leads of a workspace.

    Args:
        open_scroll: Opens a new scroll and follows it: yields its pages with leads, returns at
            the end, and raises `UnusableAnswerError` for any other answer.
        deliver: Takes the body of each page, without the leads that had gone out before.
        ledger: Knows which leads went out.
        patience: Waits, and tries again.
        logger: Is told what happens.
        clock: Tells seconds that never go back.

    Attributes:
        summary: What the scroll brought so far.
    """

    def __init__(  # noqa: PLR0913 - what is outside comes from outside
        self,
        open_scroll: Callable[[], Iterable[Page]],
        deliver: Callable[[bytes], None],
        ledger: Ledger,
        patience: Patience,
        logger: logging.Logger,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open_scroll = open_scroll
        self._deliver = deliver
        self._ledger = ledger
        self._patience = patience
        self._logger = logger
        self._clock = clock
        self._pass = _Pass(0)
        self._ended_at: tuple[int, int] | None = None
        self.summary = Summary()

    def run(self) -> None:
        """Reads until a pass is complete.

        Raises:
            TapLeadsError: That cannot be had; the message says why.
        """
        self._patience.restart(self._patience.wait(self._follow))()
        self.summary.restarts = self._patience.restarts

    def _follow(self) -> None:
        """One pass: opens a scroll and takes its pages, up to the end or the first trouble."""
        self._pass = _Pass(self._pass.number + 1, last_at=self._clock())
        try:
            for page in self._open_scroll():
                self._take(page)
        except UnusableAnswerError as error:
            self._react(error)

    def _take(self, page: Page) -> None:
        this = self._pass
        if not this.pages:
            self._logger.info("Opened the scroll.")
        entry = self._ledger.enter(page.versions, this.number)
        this.pages += 1
        this.leads += len(page.versions)
        this.new += len(entry.new)
        this.last_size, this.last_at = len(page.versions), self._clock()
        self.summary.pages += 1
        self.summary.leads += len(entry.new)
        self.summary.repeated += len(page.versions) - len(entry.new)
        if entry.new:
            self._deliver(page.only(entry.new))
        if entry.repeats:
            raise ScrollLostError("the scroll repeated a page")

    def _react(self, error: UnusableAnswerError) -> None:
        opening = not self._pass.pages
        reactions = REACTIONS[error.answer]
        reaction = reactions.opening if opening else reactions.later
        if reaction is Reaction.WAIT:
            raise ScrollTakenError
        if error.answer is Answer.NOT_FOUND and not opening and self._is_the_end():
            return
        if reaction is Reaction.RESTART:
            raise ScrollLostError(str(error)) from None
        if error.answer is Answer.NOT_FOUND:
            raise TapLeadsError(
                "Intercom does not know the scroll over leads (HTTP 404). It is in the API 1.0 to "
                "1.4 only: check 'api_version', and 'api_url' if it is set."
            ) from None
        raise TapLeadsError(str(error)) from None

    def _is_the_end(self) -> bool:
        """Whether "not found" stands for the empty page that some servers leave out.

        It usually means that the scroll has expired. It is the end only when a second pass comes to
        the same place in the same way: after a short page, well within the idle limit, with nothing
        new.
        """
        this, before = self._pass, self._ended_at
        # Half of it: Intercom's clock runs from when the answer was sent, and ours is behind.
        in_time = self._clock() - this.last_at < self._patience.limits.scroll_expiry / 2
        short = this.last_size < PAGE_SIZE
        self._ended_at = (this.pages, this.leads) if in_time and short else None
        if this.new or self._ended_at is None or self._ended_at != before:
            return False
        self._logger.warning(
            "Intercom ended the scroll without an empty page, after the same %d leads in two "
            "scrolls: that is taken for its end.",
            this.leads,
        )
        return True
