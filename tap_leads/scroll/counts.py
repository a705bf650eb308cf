"""Asks Intercom how many leads there are, while no scroll is open.

Two requests return a count; this module calls them witnesses. `GET /counts` needs a permission of
its own. The leads list needs none, but ends at 10,000 leads.
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
"""Seconds that the sync waits in total for a witness that does not respond."""

_PASSING = frozenset({Kind.RATE_LIMITED, Kind.UNCLEAR})
_ABSENT = frozenset({Kind.UNREACHABLE, Kind.MISCONFIGURED})
# Without a connection, no witness can respond. The scroll's next request waits for the connection,
# or explains why there is none.


class Witnesses(Protocol):
    """The two requests that count leads."""

    def count(self) -> Count:
        """Requests Intercom's count of the leads.

        Raises:
            Outcome: The request did not return a count.
        """

    def list_count(self) -> Count:
        """Requests the number of leads in Intercom's list.

        Raises:
            Outcome: The request did not return a count.
        """


class Counts:
    """The counts of one sync.

    Args:
        witnesses: Sends the requests.
        pauses: Waits, within the limits of the sync.
        logger: Logs which witnesses do not respond.
        clock: A monotonic clock, in seconds.
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
        """Returns how many leads there are now; None if no witness responds."""
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
