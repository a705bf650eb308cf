"""Whether the end of a scroll is believed, and what may be concluded from it.

A scroll can lose pages without a sign: another client with the same token takes one, a proxy
repeats a request, or Intercom sends an empty page too early. Only a count of the leads shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from tap_leads.scroll.reactions import Kind

PAGE_SIZE = 100
"""Leads on a full page. Intercom has no parameter for it."""

Mismatch = Literal["fail", "warn", "ignore"]
"""The setting `count_mismatch`."""


class Count(NamedTuple):
    """How many leads Intercom counts.

    Attributes:
        leads: The number.
        exact: False for a lower bound: there may be more.
    """

    leads: int
    exact: bool = True


def smaller(before: Count | None, after: Count | None) -> Count | None:
    """The count that a scroll is held to: leads that come or go meanwhile raise no doubt.

    Args:
        before: The count before the scroll was opened; None if it is unknown.
        after: The count after the scroll ended; None if it is unknown.
    """
    known = [count for count in (before, after) if count is not None]
    exact = [count for count in known if count.exact]
    return min(exact or known, default=None)


@dataclass(frozen=True, slots=True)
class End:
    """The end of a scroll.

    Attributes:
        expected: The count that the scroll is held to; None if there is none.
        total: Different leads that all scrolls of the sync brought.
        scrolled: Leads that this scroll brought.
        last_page: Leads on its last page; 0 if there was no page.
        has_empty_page: Whether an empty page ended it, as Intercom documents.
        page_size: Leads on a full page.
    """

    expected: Count | None
    total: int
    scrolled: int
    last_page: int
    has_empty_page: bool = True
    page_size: int = PAGE_SIZE

    @property
    def missing(self) -> int:
        """How many leads the count shows to be missing."""
        return max(0, self.expected.leads - self.total) if self.expected else 0

    @property
    def is_counted(self) -> bool:
        """Whether the count says something: a lower bound that was reached does not."""
        return self.expected is not None and (self.expected.exact or self.missing > 0)

    @property
    def is_in_doubt(self) -> bool:
        """Whether leads may be missing."""
        # The last page of a workspace is usually not full, and an empty one follows.
        is_abrupt = self.last_page in {0, self.page_size} or not self.has_empty_page
        if not self.is_counted:
            return is_abrupt
        return self.missing >= self.page_size or (self.missing > 0 and is_abrupt)

    @property
    def is_within_tolerance(self) -> bool:
        """Whether at most 1 % of the counted leads are missing; counts may be a little old."""
        return self.expected is None or 100 * self.missing <= self.expected.leads

    @property
    def obstacle_to_deletes(self) -> str:
        """Why a target must not delete the leads that the sync did not bring; empty if it may."""
        if self.expected is None:
            return (
                "Intercom did not say how many leads there are. Give the app of the access token "
                "the permission *Read counts*"
            )
        if not self.expected.exact:
            return (
                f"Intercom's list counts {self.expected.leads} leads at most, so a complete count "
                "is not known. Give the app of the access token the permission *Read counts*"
            )
        if self.is_in_doubt or not self.is_within_tolerance:
            return (
                f"Intercom counts {self.expected.leads} leads, and {self.missing} of them are "
                "missing. Compare with Intercom's own list, then run the sync again"
            )
        return ""

    def agrees_with(self, other: End) -> bool:
        """Whether two scrolls brought about the same number of leads."""
        return abs(self.scrolled - other.scrolled) < self.page_size


class Judge:
    """Judges the ends of the scrolls of one sync.

    Args:
        mismatch: The setting `count_mismatch`.
    """

    def __init__(self, mismatch: Mismatch = "fail") -> None:
        self._mismatch = mismatch
        self._doubtful: End | None = None

    def kind(self, end: End) -> Kind:
        """The kind of an end."""
        if self._mismatch == "ignore" and end.expected is not None and end.has_empty_page:
            return Kind.END
        if not end.is_in_doubt:
            return Kind.END
        before, self._doubtful = self._doubtful, end
        if before is None or end.total - before.total >= end.page_size:
            return Kind.DOUBTFUL_END
        if not end.is_counted:
            return Kind.ACCEPTED_END if end.agrees_with(before) else Kind.DOUBTFUL_END
        if end.is_within_tolerance or self._mismatch != "fail":
            return Kind.ACCEPTED_END
        return Kind.CONTRADICTED_END
