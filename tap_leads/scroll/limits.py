"""How long a sync waits, and how often it restarts. Every pause between requests is made here."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import backoff

from tap_leads.errors import TapLeadsError
from tap_leads.scroll.outcomes import Outcome
from tap_leads.scroll.reactions import Kind

_LONGEST_RETRY_DELAY = 15.0
_LONGEST_ATTEMPT = 60.0
# Seconds of a failed request that count as waiting. If it took longer, the machine was asleep.

_T = TypeVar("_T")
_PASSING = frozenset({Kind.RATE_LIMITED, Kind.UNREACHABLE, Kind.UNCLEAR})
"""The kinds of outcomes for which repeating the request can help."""


class WaitedTooLongError(TapLeadsError):
    """`scroll_wait_timeout` is used up.

    Args:
        outcome: The outcome that did not change.
        waited: Seconds of waiting.
        limit: Seconds that are allowed.
    """

    def __init__(self, outcome: Outcome, waited: float, limit: float) -> None:
        super().__init__(outcome, waited, limit)
        self.outcome = outcome

    def __str__(self) -> str:
        outcome, waited, limit = self.args
        return (
            f"{outcome.sentence}. That did not change in {waited:.0f} s, and "
            f"'scroll_wait_timeout' allows {limit:.0f} s. {outcome.advice}."
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """The settings of the same names; times are in seconds."""

    scroll_expiry: float = 60.0
    scroll_wait_timeout: float = 600.0
    max_restarts: int = 5


class Pauses:
    """Waits, or raises an error when a limit is reached.

    `max_restarts` limits the restarts of the whole sync, and so the pauses before them.
    `scroll_wait_timeout` limits all other waiting without progress.

    Args:
        limits: The limits.
        logger: Logs a warning for each pause.
        sleep: Waits a number of seconds; may raise an error to end the sync.
        jitter: Picks a number between two, so that several syncs do not wake up together.

    Attributes:
        restarts: How often the scroll was restarted.
    """

    def __init__(
        self,
        limits: Limits,
        logger: logging.Logger,
        *,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.limits = limits
        self.restarts = 0
        self._logger = logger
        self._sleep = sleep
        self._jitter = jitter
        self._restart_delays = _growing(1.5, limits.scroll_expiry)
        self._waited_to_open = 0.0
        self.page_came(new=False)

    def within(self, seconds: float) -> Pauses:
        """Returns other pauses, which wait at most so many seconds in total."""
        limits = replace(
            self.limits, scroll_wait_timeout=min(seconds, self.limits.scroll_wait_timeout)
        )
        return Pauses(limits, self._logger, sleep=self._sleep, jitter=self._jitter)

    def page_came(self, *, new: bool) -> None:
        """Resets the waiting time, because Intercom sent a page.

        Args:
            new: Whether the page had anything new. If not, the time spent on opening the scroll
                still counts, because the sync has made no progress.
        """
        self._waited_in_scroll = 0.0
        self._retry_delays = _growing(2, 1.0, _LONGEST_RETRY_DELAY)
        if new:
            self._waited_to_open = 0.0

    @property
    def waited(self) -> float:
        """Seconds of waiting without progress."""
        return self._waited_to_open + self._waited_in_scroll

    def retry(self, outcome: Outcome, *, opening: bool, lasted: float) -> None:
        """Waits before the same request is sent again.

        Args:
            outcome: Why the request failed; it may say how long to wait.
            opening: Whether the scroll has sent no page yet.
            lasted: Seconds that the request took.

        Raises:
            WaitedTooLongError: `scroll_wait_timeout` is used up.
        """
        self._count(min(lasted, _LONGEST_ATTEMPT), opening=opening)
        delay = outcome.wait
        if not delay:
            self._check(outcome, 0.0)
            left = self.limits.scroll_wait_timeout - self.waited  # the last attempt is at its end
            delay = min(next(self._retry_delays) * self._jitter(0.8, 1.0), left)
        self._check(outcome, delay)
        self._logger.warning(
            "%s. Trying again in %.1f s; %.0f s of %.0f s waited so far. %s.",
            outcome.sentence,
            delay,
            self.waited,
            self.limits.scroll_wait_timeout,
            outcome.advice,
        )
        self._sleep(delay)
        self._count(delay, opening=opening)

    def wait(self, outcome: Outcome) -> None:
        """Waits for the whole `scroll_expiry`, so that the other scroll can expire.

        A refused request may keep the other scroll alive, so asking more often could do harm.

        Raises:
            WaitedTooLongError: `scroll_wait_timeout` is used up.
        """
        self._check(outcome, self.limits.scroll_expiry)
        delay = self.limits.scroll_expiry * self._jitter(1.0, 1.1)
        self._logger.warning(
            "%s. Waiting %.1f s for it to expire; %.0f s of %.0f s waited so far.",
            outcome.sentence,
            delay,
            self.waited,
            self.limits.scroll_wait_timeout,
        )
        self._sleep(delay)
        self._count(delay, opening=True)

    def restart(self, outcome: Outcome, *, opening: bool) -> None:
        """Waits until the broken scroll has expired, because no request can close it.

        Each pause is longer than the one before.

        Raises:
            TapLeadsError: `max_restarts` is reached.
        """
        what = "Opening the scroll failed" if opening else "The scroll broke"
        self._restart(
            f"{what}: {outcome.what}", outcome.advice, "for it to expire, then starting a new one"
        )

    def confirm(self, outcome: Outcome) -> None:
        """Waits before all leads are read once more.

        Raises:
            TapLeadsError: `max_restarts` is reached.
        """
        self._restart(outcome.sentence, outcome.advice, "then reading all leads once more")

    def _restart(self, what: str, advice: str, plan: str) -> None:
        allowed = self.limits.max_restarts
        if self.restarts >= allowed:
            raise TapLeadsError(
                f"{what}. The sync was restarted {self.restarts} time(s), as 'max_restarts' "
                f"allows, and is still not complete. {advice}."
            )
        self.restarts += 1
        delay = next(self._restart_delays) * self._jitter(1.0, 1.1)
        self._logger.warning(
            "%s. Waiting %.1f s %s (restart %d of %d); leads that were already sent are not sent "
            "again.",
            what,
            delay,
            plan,
            self.restarts,
            allowed,
        )
        self._sleep(delay)

    def _count(self, seconds: float, *, opening: bool) -> None:
        if opening:
            self._waited_to_open += seconds
        else:
            self._waited_in_scroll += seconds

    def _check(self, outcome: Outcome, delay: float) -> None:
        limit = self.limits.scroll_wait_timeout
        if self.waited + delay > limit or self.waited == limit:
            raise WaitedTooLongError(outcome, self.waited, limit)


def repeat(
    request: Callable[[], _T],
    pauses: Pauses,
    clock: Callable[[], float] = time.monotonic,
    passing: Collection[Kind] = _PASSING,
) -> _T:
    """Repeats a request until it succeeds. Pages of a scroll must not be requested this way.

    Args:
        request: The request.
        pauses: Waits, within its limits.
        clock: A monotonic clock, in seconds.
        passing: The kinds of outcomes after which the request is repeated.

    Raises:
        Outcome: Repeating it cannot help.
        WaitedTooLongError: `scroll_wait_timeout` of the pauses is used up.
    """
    while True:
        asked_at = clock()
        try:
            return request()
        except Outcome as outcome:
            if outcome.kind not in passing:
                raise
            pauses.retry(outcome, opening=True, lasted=clock() - asked_at)


def _growing(base: float, first: float, longest: float | None = None) -> Iterator[float]:
    """Delays in seconds; each is `base` times the one before, and at most `longest`."""
    delays = backoff.expo(base=base, factor=first, max_value=longest)
    next(delays)  # the first value is None
    return delays
