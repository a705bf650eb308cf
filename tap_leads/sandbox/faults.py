"""What goes wrong at which request: `[PATH/]KIND@WHEN[:ARG]`, for example `restart@3`.

This module reads that language. The kinds are in four tables: what happens to the leads and the
scroll, which response replaces the real one, what happens to its body, and what happens on its way.
"""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from tap_leads.sandbox.api_faults import RESPONSE_FAULTS, SCROLL_FAULTS
from tap_leads.sandbox.fault_kind import PATHS, SCROLL, FaultKind
from tap_leads.sandbox.response_faults import BODY_FAULTS, TRANSPORT_FAULTS
from tap_leads.sandbox.workspace import Deviation

# Title -> kinds, as the command line lists them.
FAMILIES: dict[str, dict[str, FaultKind]] = {
    "Leads and scroll": SCROLL_FAULTS,
    "Responses": RESPONSE_FAULTS,
    "Bodies": BODY_FAULTS,
    "Transport": TRANSPORT_FAULTS,
}
KINDS = {name: kind for kinds in FAMILIES.values() for name, kind in kinds.items()}

_SPAN = re.compile(
    r"(?P<page>p)?(?P<first>[1-9]\d*)(?:(?P<open>\+)|-(?P<last>[1-9]\d*))?", re.ASCII
)


class Span(NamedTuple):
    """Some successive requests."""

    first: int
    last: float
    of_each_scroll: bool  # counted from each opening request, or from the first request of all


class Fault(NamedTuple):
    """One thing that goes wrong, and at which requests to a workspace."""

    kind: FaultKind
    spans: tuple[Span, ...]
    argument: Any
    path: str = SCROLL

    def fires(self, ordinal: int, of_scroll: int) -> bool:
        """Tell whether the fault happens at this request.

        Args:
            ordinal: Number of the request among those to the path, from 1.
            of_scroll: The same, counted from the latest request that opens a scroll.
        """
        return any(
            first <= (of_scroll if of_each_scroll else ordinal) <= last
            for first, last, of_each_scroll in self.spans
        )

    @classmethod
    def parse(cls, text: str) -> "Fault":
        """Read `[PATH/]KIND@WHEN[:ARG]`.

        Raises:
            ValueError: The fault is malformed; the message says how.
        """
        what, at, rest = text.partition("@")
        when, colon, argument = rest.partition(":")
        if not at or not when:
            raise ValueError(f"{text!r} is not of the form [PATH/]KIND@WHEN[:ARG]")
        path, slash, name = what.rpartition("/")
        path = path if slash else SCROLL
        if path not in PATHS:
            raise ValueError(f"there are no faults of {path!r}; choose from {', '.join(PATHS)}")
        if name not in KINDS:
            raise ValueError(f"there is no fault {name!r}; choose from {', '.join(KINDS)}")
        kind = KINDS[name]
        if path not in kind.paths:
            raise ValueError(f"the fault {name} does not apply to {path}")
        spans = _spans(when)
        if path != SCROLL and any(span.of_each_scroll for span in spans):
            raise ValueError(f"{when!r} counts pages of a scroll, which {path} does not have")
        return cls(kind, spans, kind.read(name, argument if colon else None), path)


def deviation(faults: Iterable[Fault]) -> Deviation:
    """Tell how the scroll deviates from its rules under these faults."""
    found = Deviation()
    for fault in faults:
        found = fault.kind.deviate(found, fault.argument)
    return found


def _spans(when: str) -> tuple[Span, ...]:
    if when == "*":
        return (Span(1, float("inf"), of_each_scroll=False),)
    spans: list[Span] = []
    for part in when.split(","):
        found = _SPAN.fullmatch(part)
        if not found:
            raise ValueError(f"{when!r} names no requests; write 3 or 3,5 or 3-7 or 3+ or p3 or *")
        first = int(found["first"])
        last = float("inf") if found["open"] else float(found["last"] or first)
        if last < first:
            raise ValueError(f"{part!r} ends before it begins")
        spans.append(Span(first, last, found["page"] is not None))
    return tuple(spans)
