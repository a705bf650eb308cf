"""How long a sync waits and how often it restarts; every pause of the lifecycle is made here."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import backoff

from tap_leads.errors import TapLeadsError
from tap_leads.scroll.explanations import Explanation

_LONGEST_RETRY_DELAY = 15.0
_LONGEST_ATTEMPT = 60.0
# Seconds of a failed request that count as waiting; longer, the process was rather suspended.


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of the same names, in seconds and numbers."""

    scroll_expiry: float = 60.0
    scroll_wait_timeout: float = 600.0
    max_restarts: int = 5


class Limits:
    """Waits, or raises where a limit is reached.

    `max_restarts` counts for the whole sync. `scroll_wait_timeout` limits all waiting without
    progress, except the pauses before restarts, which `max_restarts` limits.

    Args:
        settings: The limits.
        logger: Takes a warning for each pause.
        sleep: Waits so many seconds; may raise to end the sync.
        jitter: Picks a number between two, so that several syncs do not run in step.

    Attributes:
        restarts: How often the scroll was restarted.
    """

    def __init__(
        self,
        settings: Settings,
        logger: logging.Logger,
        *,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.settings = settings
        self.restarts = 0
        self._logger = logger
        self._sleep = sleep
        self._jitter = jitter
        self._restart_delays = _growing(1.5, settings.scroll_expiry)
        self._waited_to_open = 0.0
        self.page_came(new=False)

    def page_came(self, *, new: bool) -> None:
        """Says that Intercom sent a page.

        Args:
            new: Whether it brought anything new: then all waiting so far led to something. A page
                that is known from an earlier scroll only ends the waiting within this scroll.
        """
        self._waited_in_scroll = 0.0
        self._retry_delays = _growing(2, 1.0, _LONGEST_RETRY_DELAY)
        if new:
            self._waited_to_open = 0.0

    @property
    def waited(self) -> float:
        """Seconds of waiting without progress."""
        return self._waited_to_open + self._waited_in_scroll

    def retry(
        self, problem: Explanation, *, opening: bool, lasted: float, delay: float = 0.0
    ) -> None:
        """Waits before the same request is sent again.

        Args:
            problem: Why.
            opening: Whether no page of this scroll has come.
            lasted: Seconds that the request took.
            delay: Seconds to wait; 0 for delays that grow.

        Raises:
            TapLeadsError: `scroll_wait_timeout` is used up.
        """
        self._count(min(lasted, _LONGEST_ATTEMPT), opening=opening)
        if not delay:
            self._check(problem, 0.0)
            left = self.settings.scroll_wait_timeout - self.waited  # a last try at its end
            delay = min(next(self._retry_delays) * self._jitter(0.8, 1.0), left)
        self._check(problem, delay)
        self._logger.warning(
            "%s. Trying again in %.1f s; %.0f s of %.0f s waited so far. %s.",
            problem.sentence,
            delay,
            self.waited,
            self.settings.scroll_wait_timeout,
            problem.advice,
        )
        self._sleep(delay)
        self._count(delay, opening=opening)

    def wait(self, problem: Explanation) -> None:
        """Waits until another scroll can have expired: a whole idle time.

        Whether a refused request keeps the other scroll alive is not known.

        Raises:
            TapLeadsError: `scroll_wait_timeout` is used up.
        """
        self._check(problem, self.settings.scroll_expiry)
        delay = self.settings.scroll_expiry * self._jitter(1.0, 1.1)
        self._logger.warning(
            "%s. Waiting %.1f s for it to expire; %.0f s of %.0f s waited so far.",
            problem.sentence,
            delay,
            self.waited,
            self.settings.scroll_wait_timeout,
        )
        self._sleep(delay)
        self._count(delay, opening=True)

    def restart(self, problem: Explanation, *, opening: bool) -> None:
        """Waits until the scroll has expired, as nothing closes it; the pauses grow.

        Raises:
            TapLeadsError: `max_restarts` is reached.
        """
        allowed = self.settings.max_restarts
        what = f"Opening the scroll failed: {problem.what}"
        if not opening:
            what = f"The scroll broke: {problem.what}"
        if self.restarts >= allowed:
            raise TapLeadsError(
                f"{what}. It was restarted {self.restarts} time(s), as 'max_restarts' allows, and "
                f"is still not complete. {problem.advice}."
            )
        self.restarts += 1
        delay = next(self._restart_delays) * self._jitter(1.0, 1.1)
        self._logger.warning(
            "%s. Waiting %.1f s for it to expire, then starting a new one (restart %d of %d); "
            "leads that were already sent are not sent again.",
            what,
            delay,
            self.restarts,
            allowed,
        )
        self._sleep(delay)

    def _count(self, seconds: float, *, opening: bool) -> None:
        if opening:
            self._waited_to_open += seconds
        else:
            self._waited_in_scroll += seconds

    def _check(self, problem: Explanation, delay: float) -> None:
        limit = self.settings.scroll_wait_timeout
        if self.waited + delay > limit or self.waited == limit:
            raise TapLeadsError(
                f"{problem.sentence}. That did not change in {self.waited:.0f} s, and "
                f"'scroll_wait_timeout' allows {limit:.0f} s. {problem.advice}."
            )


def _growing(base: float, first: float, longest: float | None = None) -> Iterator[float]:
    """Delays in seconds, each `base` times the one before."""
    delays = backoff.expo(base=base, factor=first, max_value=longest)
    next(delays)  # backoff's generators start with nothing
    return delays
