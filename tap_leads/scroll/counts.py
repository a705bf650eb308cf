"""Asks Intercom how many leads there are, while no scroll is open.

There are two witnesses: `GET /counts`, which needs a permission of its own, and the leads list,
whose count ends at 10,000.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Protocol

from tap_leads.scroll.ends import Count
from tap_leads.scroll.limits import Pauses, WaitedTooLongError, repeat
from tap_leads.scroll.outcomes import Outcome
from tap_leads.scroll.reactions import Kind

COUNT_WAIT = 30.0
"""Seconds that the sync waits for a witness in all, unless it responds."""


_PASSING = frozenset({Kind.RATE_LIMITED, Kind.UNCLEAR})
_ABSENT = frozenset({Kind.UNREACHABLE, Kind.MISCONFIGURED})
# Without a connection there is no witness. The scroll waits for one, or explains why there is none.


class Witnesses(Protocol):
    """The two requests that count leads."""

    def count(self) -> Count:
        """Intercom's count of the leads.

        Raises:
            Outcome: There is none.
        """

    def list_count(self) -> Count:
        """The number of leads in Intercom's list.

        Raises:
            Outcome: There is none.
        """


class Counts:
    """The counts of one sync.

    Args:
        witnesses: Who is asked.
        pauses: Makes the pauses of the sync.
        logger: Takes a warning for a witness that does not respond.
        clock: Gives seconds that never go back.
    """

    def __init__(
        self,
        witnesses: Witnesses,
        pauses: Pauses,
        logger: logging.Logger,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pauses = pauses
        self._logger = logger
        self._clock = clock
        self._witnesses = {
            "Intercom's count of leads": witnesses.count,
            "The number of leads in Intercom's list": witnesses.list_count,
        }
        self._silent: set[str] = set()

    def ask(self) -> Count | None:
        """How many leads there are now; None if no witness responds."""
        for name in self._witnesses:
            match self._ask(name):
                case Count() as count:
                    return count
                case Outcome(kind=kind) if kind in _ABSENT:
                    break
        return None

    def report(self) -> None:
        """Logs which witnesses respond, for a test of the connection."""
        for name in self._witnesses:
            if isinstance(self._ask(name), Count):
                self._logger.info("%s is known.", name)

    def _ask(self, name: str) -> Count | Outcome:
        pauses = self._pauses.within(0.0 if name in self._silent else COUNT_WAIT)
        try:
            count = repeat(self._witnesses[name], pauses, self._clock, _PASSING)
        except WaitedTooLongError as error:
            outcome = error.outcome
        except Outcome as found:
            outcome = found
        else:
            self._silent.discard(name)
            return count
        if name not in self._silent and outcome.kind not in _ABSENT:
            self._logger.info("%s is not known: %s. %s.", name, outcome.what, outcome.advice)
            self._silent.add(name)
        return outcome
