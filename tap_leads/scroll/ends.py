"""Decides whether a scroll has read all leads, and whether the target may delete leads.

A scroll can lose pages without an error: another client with the same token reads a page, a proxy
repeats a request, or Intercom sends an empty page too early. Only a count of the leads shows this.
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
        exact: False if the number is only a lower bound.
    """

    leads: int
    exact: bool = True


def smaller(before: Count | None, after: Count | None) -> Count | None:
    """The count that a scroll must reach.

    It is the smaller one, so that leads which are created or deleted meanwhile raise no doubt.

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
        expected: The count that the scroll must reach; None if it is unknown.
        total: Different leads that all scrolls of the sync have read.
        scrolled: Different leads that this scroll has read.
        last_page: Leads on its last page; 0 if there was no page.
        has_empty_page: Whether an empty page ended the scroll, as Intercom documents.
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
        """How many leads are missing, by the count."""
        return max(0, self.expected.leads - self.total) if self.expected else 0

    @property
    def is_counted(self) -> bool:
        """Whether the count can show a loss. A lower bound that was reached cannot."""
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
        """Whether at most 1 % of the counted leads are missing: Intercom may cache its count."""
        return self.expected is None or 100 * self.missing <= self.expected.leads

    @property
    def obstacle_to_deletes(self) -> str:
        """Why the target must not delete the leads that were not read; empty if it may."""
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
        """Whether two scrolls read the same number of leads, give or take less than a page."""
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
        """Returns the kind of an end."""
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
