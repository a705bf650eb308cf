"""The scroll's lifecycle: what to do when a scroll does not go on.

Intercom holds a scroll's position. A request whose outcome is unknown may have moved it, so it is
never sent again: the scroll is begun anew instead, and the ledger keeps the leads from going out
twice. Whatever is not clearly the end is not the end.

Sources: Intercom's page "Scroll over all leads"; what else is known of the API stands in
`docs/design.md`.
"""

from __future__ import annotations

import enum
import logging
import random
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple, ParamSpec, TypeVar

import backoff

from tap_leads.errors import TapLeadsError, UnusableAnswerError
from tap_leads.ledger import Ledger
from tap_leads.pages import Page

P = ParamSpec("P")
T = TypeVar("T")

PAGE_SIZE = 100
"""Leads on a full page; Intercom has no parameter for it."""


class Answer(enum.Enum):
    """What can come back from a request to the scroll."""

    LEADS = "a page with leads"
    EMPTY = "a page without leads"
    NO_PAGE = "an answer that is no page"
    SCROLL_EXISTS = "another scroll is open"
    NOT_FOUND = "not found"
    RATE_LIMITED = "too many requests"
    REFUSED = "refused"
    UNKNOWN_OUTCOME = "an error that leaves open whether the page was served"


class Reaction(enum.Enum):
    """What the sync does then."""

    GO_ON = "ask for the next page"
    END = "the sync is complete"
    WAIT = "wait until the other scroll has expired, then open again"
    REPEAT = "wait until the rate limit's window ends, then send the request again"
    RESTART = "begin a new scroll after this one has expired"
    FAIL = "end the sync with an error"


class Reactions(NamedTuple):
    """The reaction to one answer."""

    opening: Reaction
    later: Reaction


REACTIONS = {
    # what comes back             to the opening request  to a later one
    Answer.LEADS:           Reactions(Reaction.GO_ON,   Reaction.GO_ON),
    Answer.EMPTY:           Reactions(Reaction.END,     Reaction.END),
    Answer.NO_PAGE:         Reactions(Reaction.RESTART, Reaction.RESTART),
    Answer.SCROLL_EXISTS:   Reactions(Reaction.WAIT,    Reaction.RESTART),
    Answer.NOT_FOUND:       Reactions(Reaction.FAIL,    Reaction.RESTART),
    Answer.RATE_LIMITED:    Reactions(Reaction.REPEAT,  Reaction.REPEAT),
    Answer.REFUSED:         Reactions(Reaction.FAIL,    Reaction.FAIL),
    Answer.UNKNOWN_OUTCOME: Reactions(Reaction.RESTART, Reaction.RESTART),
}  # fmt: skip

Sleep = Callable[[float], None]
Pauses = Generator[float, Exception, None]
"""How `backoff` asks for pauses: it sends the error, and gets the seconds left to sleep.

The pauses here sleep by themselves, by the sleep that they are given, and leave none.
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how often; the settings of the same names."""

    scroll_expiry: float = 60.0
    scroll_wait_timeout: float = 600.0
    max_restarts: int = 5


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


class _RestartError(Exception):
    """This scroll is lost."""


class _ScrollExistsError(Exception):
    """The workspace's one scroll is somebody else's."""


class Scroll:
    """Reads all leads of a workspace, pass after pass, until one pass is complete.

    Args:
        open_scroll: Opens a new scroll and follows it: yields its pages with leads, returns at
            the end, and raises `UnusableAnswerError` for any other answer.
        deliver: Takes the body of each page, without the leads that had gone out before.
        ledger: Knows which leads went out.
        limits: How long to wait, and how often to begin anew.
        logger: Is told what happens.
        sleep: Waits so many seconds.
        clock: Tells seconds that never go back.
        jitter: Picks a number between two, to keep several syncs out of step.
    """

    def __init__(  # noqa: PLR0913 - what is outside comes from outside
        self,
        open_scroll: Callable[[], Iterable[Page]],
        deliver: Callable[[bytes], None],
        ledger: Ledger,
        limits: Limits,
        logger: logging.Logger,
        *,
        sleep: Sleep = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._open_scroll = open_scroll
        self._deliver = deliver
        self._ledger = ledger
        self._limits = limits
        self._logger = logger
        self._sleep = sleep
        self._clock = clock
        self._jitter = jitter
        self._pass = _Pass(0)
        self._ended_at: tuple[int, int] | None = None
        self.summary = Summary()

    def run(self) -> Summary:
        """Reads until a pass is complete.

        Raises:
            TapLeadsError: That cannot be had; the message says why.
        """
        opened = backoff.on_exception(self._expiries, _ScrollExistsError, jitter=None, logger=None)(
            self._follow
        )
        backoff.on_exception(self._restarts, _RestartError, jitter=None, logger=None)(opened)()
        return self.summary

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
        if entry.repeats:
            raise _RestartError("the scroll repeated a page")
        this.pages += 1
        this.leads += len(page.versions)
        this.new += len(entry.new)
        this.last_size, this.last_at = len(page.versions), self._clock()
        self.summary.pages += 1
        self.summary.leads += len(entry.new)
        self.summary.repeated += len(page.versions) - len(entry.new)
        if entry.new:
            self._deliver(page.only(entry.new))

    def _react(self, error: UnusableAnswerError) -> None:
        opening = not self._pass.pages
        reactions = REACTIONS[error.answer]
        reaction = reactions.opening if opening else reactions.later
        if reaction is Reaction.WAIT:
            raise _ScrollExistsError
        if error.answer is Answer.NOT_FOUND and not opening and self._is_the_end():
            return
        if reaction is Reaction.RESTART:
            raise _RestartError(str(error)) from None
        if error.answer is Answer.NOT_FOUND:
            raise TapLeadsError(
                "Intercom does not know the scroll over leads (HTTP 404). It is in the API 1.0 to "
                "1.4 only: check 'api_version', and 'api_url' if it is set."
            ) from None
        raise TapLeadsError(str(error)) from None

    def _is_the_end(self) -> bool:
        """Whether "not found" stands for the empty page that some servers leave out.

        It usually means that the scroll has expired. It is the end only when a second pass comes to
        the same place in the same way: after a short page, within the idle limit, with nothing new.
        """
        this, before = self._pass, self._ended_at
        in_time = self._clock() - this.last_at < self._limits.scroll_expiry
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

    def _restarts(self) -> Pauses:
        """Pauses before new scrolls: the old one must expire, as nothing closes it."""
        growth = backoff.expo(base=1.5, factor=self._limits.scroll_expiry)
        next(growth)
        error = yield 0.0
        for number in count(1):
            if number > self._limits.max_restarts:
                raise TapLeadsError(
                    f"The scroll broke: {error}. It was begun anew {number - 1} time(s), as "
                    "'max_restarts' allows, and is still not complete. Run the sync again later; "
                    "if this happens often, look at Intercom's status page."
                ) from None
            seconds = next(growth) * self._jitter(1.0, 1.1)
            self.summary.restarts = number
            self._logger.warning(
                "The scroll broke: %s. Waiting %.1f s for it to expire, then beginning a new one "
                "(restart %d of %d); leads already sent are not sent again.",
                error,
                seconds,
                number,
                self._limits.max_restarts,
            )
            self._sleep(seconds)
            error = yield 0.0

    def _expiries(self) -> Pauses:
        """Pauses before asking again: a whole idle time each, lest asking keep a scroll alive."""
        limit = self._limits.scroll_wait_timeout
        waited = 0.0
        yield 0.0
        while waited + self._limits.scroll_expiry <= limit:
            seconds = self._limits.scroll_expiry * self._jitter(1.0, 1.1)
            self._logger.warning(
                "Another scroll is open in this workspace, and there can be only one. Waiting "
                "%.1f s for it to expire; %.0f s of %.0f s waited so far.",
                seconds,
                waited,
                limit,
            )
            self._sleep(seconds)
            waited += seconds
            yield 0.0
        raise TapLeadsError(
            f"Another scroll stayed open in this workspace for {waited:.0f} s, and there can be "
            "only one. Find out what else reads this workspace's leads by scroll (another sync, "
            "another extractor), or raise 'scroll_wait_timeout'."
        )


def repeating(
    send: Callable[P, T], *, sleep: Sleep, timeout: float, logger: logging.Logger
) -> Callable[P, T]:
    """Sends a request again where that is safe: when the answer was that it was one too many.

    Args:
        send: Sends the request; raises `UnusableAnswerError`.
        sleep: Waits so many seconds.
        timeout: Seconds to wait in all; then the sync fails.
        logger: Is told of each pause.
    """

    def windows() -> Pauses:
        waited = 0.0
        error = yield 0.0
        while isinstance(error, UnusableAnswerError) and waited + error.wait <= timeout:
            logger.warning(
                "Intercom's rate limit is used up; waiting %.1f s for its window to end.",
                error.wait,
            )
            sleep(error.wait)
            waited += error.wait
            error = yield 0.0
        raise TapLeadsError(
            f"Intercom's rate limit stayed used up for {waited:.0f} s. Find out what else uses the "
            "app's access token, or raise 'scroll_wait_timeout'."
        )

    def is_final(error: Exception) -> bool:
        # The reaction is the same for the opening request and a later one.
        return (
            not isinstance(error, UnusableAnswerError)
            or REACTIONS[error.answer].later is not Reaction.REPEAT
        )

    return backoff.on_exception(
        windows, UnusableAnswerError, giveup=is_final, jitter=None, logger=None
    )(send)
