"""Reads all leads of a workspace: runs the loop in a thread, and reports the result."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Self

from tap_leads.errors import TapLeadsError
from tap_leads.scroll.client import Client
from tap_leads.scroll.counts import Counts
from tap_leads.scroll.ends import Judge, Mismatch
from tap_leads.scroll.lifecycle import Lifecycle, Tally
from tap_leads.scroll.limits import Limits, Pauses, repeat
from tap_leads.scroll.outcomes import Outcome
from tap_leads.scroll.prefetch import Prefetch


class Reader:
    """One reading of all leads; used once, in a `with` statement.

    Args:
        client: Sends the requests. The reader closes it at the end.
        limits: The limits of waits and restarts.
        logger: Logs what happens.
        mismatch: The setting `count_mismatch`.
    """

    def __init__(
        self,
        client: Client,
        limits: Limits,
        logger: logging.Logger,
        mismatch: Mismatch = "fail",
    ) -> None:
        self._client = client
        self._logger = logger
        self._prefetch = Prefetch(client.abort)
        self._pauses = Pauses(limits, logger, sleep=self._prefetch.sleep)
        counts = Counts(client, self._pauses, logger)
        self._lifecycle = Lifecycle(client, counts, Judge(mismatch), self._pauses, logger)
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._prefetch.stop()
        self._client.close()

    @property
    def tally(self) -> Tally:
        """What the scrolls have read so far."""
        return self._lifecycle.tally

    @property
    def counted(self) -> int | None:
        """How many leads Intercom counts; None if it is unknown."""
        counted = self.tally.counted
        return counted.leads if counted else None

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    @property
    def waiting(self) -> int:
        """How many pages wait for the target."""
        return self._prefetch.waiting

    def pages(self, before_waiting: Callable[[], None] = lambda: None) -> Iterator[bytes]:
        """Yields the bodies of all pages, with each version of a lead once.

        Args:
            before_waiting: Called before each wait for a page.

        Raises:
            TapLeadsError: Not all leads can be read; the message says why.
        """
        yield from self._prefetch.pages(self._lifecycle.pages(), before_waiting)
        self._report()

    @property
    def obstacle_to_deletes(self) -> str:
        """Why the target must not delete the leads that were not read; empty if it may."""
        end = self.tally.end
        return end.obstacle_to_deletes if end else "the sync is not complete"

    def _report(self) -> None:
        tally, restarts = self.tally, self._pauses.restarts
        self._logger.info(
            "Completed: %d leads in %d pages, %.0f s, %s, %d unchanged leads skipped.",
            tally.leads,
            tally.pages,
            self.elapsed,
            f"{restarts} restart{'' if restarts == 1 else 's'}",
            tally.skipped,
        )
        if tally.end and tally.end.expected:
            self._logger.info("Intercom counts %d leads.", tally.end.expected.leads)


def attribute_definitions(client: Client, limits: Limits, logger: logging.Logger) -> object:
    """Requests the definitions of the workspace's attributes.

    Raises:
        TapLeadsError: Intercom does not respond as documented within `scroll_wait_timeout`.
    """
    try:
        return repeat(client.attribute_definitions, Pauses(limits, logger))
    except Outcome as outcome:
        raise TapLeadsError(str(outcome)) from None
