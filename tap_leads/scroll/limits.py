"""The three reactions that try again: how long they wait, how often, and what they say meanwhile.

`backoff` does the trying again. It asks for a pause by sending the error to a generator; those here
sleep by themselves, with the sleep that they were given, and leave `backoff` no second to wait.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from itertools import count
from typing import ParamSpec, TypeVar

import backoff

from tap_leads import TapLeadsError
from tap_leads.scroll.reactions import REACTIONS, Reaction
from tap_leads.scroll.responses import UnusableAnswerError

P = ParamSpec("P")
T = TypeVar("T")

_Pauses = Generator[float, Exception, None]
_SLEPT = 0.0


class ScrollLostError(Exception):
    """This scroll cannot be continued; the message says why."""


class ScrollTakenError(Exception):
    """The workspace's one scroll is somebody else's."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long, in seconds, and how often; the settings of the same names."""

    scroll_expiry: float = 60.0
    scroll_wait_timeout: float = 600.0
    max_restarts: int = 5


class Patience:
    """Tries again, within limits.

    Args:
        limits: How long to wait, and how often to begin anew.
        logger: Is told of each pause.
        sleep: Waits so many seconds.
        jitter: Picks a number between two, to keep several syncs out of step.

    Attributes:
        restarts: How often a scroll was begun anew.
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
        self._logger = logger
        self._sleep = sleep
        self._jitter = jitter
        self.restarts = 0

    def restart(self, follow: Callable[P, T]) -> Callable[P, T]:
        """Follows a new scroll when one was lost, after that one has had time to expire.

        Raises:
            TapLeadsError: It was begun anew as often as is allowed.
        """
        return _again(self._restarts, ScrollLostError)(follow)

    def wait(self, follow: Callable[P, T]) -> Callable[P, T]:
        """Opens a scroll again when another was open, after that one has had time to expire.

        Raises:
            TapLeadsError: It stayed open for longer than is waited.
        """
        return _again(self._expiries, ScrollTakenError)(follow)

    def repeat(self, send: Callable[P, T]) -> Callable[P, T]:
        """Sends a request again where that is safe: when the answer was that it was one too many.

        Raises:
            TapLeadsError: That was the answer for longer than is waited.
        """

        def is_final(error: Exception) -> bool:
            # The reaction is the same for the opening request and a later one.
            return (
                not isinstance(error, UnusableAnswerError)
                or REACTIONS[error.answer].later is not Reaction.REPEAT
            )

        return _again(self._windows, UnusableAnswerError, giveup=is_final)(send)

    def _restarts(self) -> _Pauses:
        """Pauses that grow; the first lets the scroll expire, as nothing closes it."""
        growth = backoff.expo(base=1.5, factor=self.limits.scroll_expiry)
        next(growth)
        error = yield _SLEPT
        for number in count(1):
            if number > self.limits.max_restarts:
                raise TapLeadsError(
                    f"The scroll broke: {error}. It was begun anew {number - 1} time(s), as "
                    "'max_restarts' allows, and is still not complete. Run the sync again later; "
                    "if this happens often, look at Intercom's status page."
                )
            self.restarts = number
            seconds = next(growth) * self._jitter(1.0, 1.1)
            self._logger.warning(
                "The scroll broke: %s. Waiting %.1f s for it to expire, then beginning a new one "
                "(restart %d of %d); leads already sent are not sent again.",
                error,
                seconds,
                number,
                self.limits.max_restarts,
            )
            self._sleep(seconds)
            error = yield _SLEPT

    def _expiries(self) -> _Pauses:
        """Pauses of a whole idle time each, lest asking keep the other scroll alive."""
        limit = self.limits.scroll_wait_timeout
        waited = 0.0
        yield _SLEPT
        while waited + self.limits.scroll_expiry <= limit:
            seconds = self.limits.scroll_expiry * self._jitter(1.0, 1.1)
            self._logger.warning(
                "Another scroll is open in this workspace, and there can be only one. Waiting "
                "%.1f s for it to expire; %.0f s of %.0f s waited so far.",
                seconds,
                waited,
                limit,
            )
            self._sleep(seconds)
            waited += seconds
            yield _SLEPT
        raise TapLeadsError(
            f"Another scroll stayed open in this workspace for {waited:.0f} s, and there can be "
            "only one. Find out what else reads this workspace's leads by scroll (another sync, "
            "another extractor), or raise 'scroll_wait_timeout'."
        )

    def _windows(self) -> _Pauses:
        """Pauses to the end of the rate limit's window, as the answer told it."""
        waited = 0.0
        error = yield _SLEPT
        while (
            isinstance(error, UnusableAnswerError)
            and waited + error.wait <= self.limits.scroll_wait_timeout
        ):
            self._logger.warning(
                "Intercom's rate limit is used up. Waiting %.1f s for its window to end.",
                error.wait,
            )
            self._sleep(error.wait)
            waited += error.wait
            error = yield _SLEPT
        raise TapLeadsError(
            f"Intercom's rate limit stayed used up for {waited:.0f} s. Find out what else uses the "
            "app's access token, or raise 'scroll_wait_timeout'."
        )


def _again(
    pauses: Callable[[], _Pauses],
    error: type[Exception],
    giveup: Callable[[Exception], bool] = lambda _: False,
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    return backoff.on_exception(pauses, error, giveup=giveup, jitter=None, logger=None)
