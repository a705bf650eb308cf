"""What goes wrong at which request: `[PATH/]KIND@WHEN[:ARG]`, for example `restart@3`.

This module reads that language and applies the faults. The kinds are in four tables: what happens
to the leads and the scroll, which response replaces the real one, what happens to its body, and
what happens on its way.
"""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from tap_leads.sandbox.api_faults import RESPONSE_FAULTS, SCROLL_FAULTS
from tap_leads.sandbox.fault_kind import PATHS, SCROLL, FaultKind, PageLeads
from tap_leads.sandbox.http_response import Response
from tap_leads.sandbox.response_faults import BODY_FAULTS, TRANSPORT_FAULTS
from tap_leads.sandbox.workspace import Deviation, Workspace

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

    kind: str
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
        if path not in KINDS[name].paths:
            raise ValueError(f"the fault {name} does not apply to {path}")
        spans = _spans(when)
        if path != SCROLL and any(span.of_each_scroll for span in spans):
            raise ValueError(f"{when!r} counts pages of a scroll, which {path} does not have")
        return cls(name, spans, KINDS[name].read(name, argument if colon else None), path)


class Firing:
    """The faults that happen at one request, in the order in which they were given."""

    def __init__(self, faults: Iterable[Fault], path: str, ordinal: int, of_scroll: int) -> None:
        self._kinds = [
            (KINDS[fault.kind], fault.argument)
            for fault in faults
            if fault.path == path and fault.fires(ordinal, of_scroll)
        ]
        self.edits = any(kind.edit for kind, _ in self._kinds)

    def before(self, workspace: Workspace) -> tuple[Response | None, bool]:
        """Change the workspace before the request is served.

        Returns:
            The first response that replaces the real one, if any, and whether the page is lost.
        """
        responses = [
            (kind.before(workspace, argument), kind.lost) for kind, argument in self._kinds
        ]
        return next((found for found in responses if found[0]), (None, False))

    def deviation(self) -> Deviation:
        """Tell how the scroll deviates from its rules."""
        deviation = Deviation()
        for kind, argument in self._kinds:
            deviation = kind.deviate(deviation, argument)
        return deviation

    def edit(self, page: PageLeads) -> None:
        """Change the leads of a page."""
        for kind, argument in self._kinds:
            if kind.edit:
                kind.edit(page, argument)

    def change(self, response: Response) -> Response:
        """Change a response, real or not."""
        for kind, argument in self._kinds:
            response = kind.change(response, argument)
        return response


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
