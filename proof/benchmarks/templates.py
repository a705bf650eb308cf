"""Pages of leads as bytes, made once; only ids and times of change differ in each copy.

Making a lead and encoding it takes longer than the tap needs for it, so a simulated API that did
this for each request would be what is measured. The leads are the sandbox's; every one has an id
and a time of change of its own, of the same length as the sandbox's, and nothing else is unique.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from tap_leads.sandbox import lead

PAGE_SIZE = 100
TEMPLATES = 200

MARK = b"1ead1ead1ead1e"
"""How each id begins; a number of ten digits follows. It stands nowhere else in a page."""

# The numbers are scattered, as ids in order would be easier to remember than those of Intercom.
_SCATTER, _NUMBERS = 0x9E3779B1, 10**10  # without a common factor, so that no number comes twice
_TIME, _TIMES = 1_500_000_000, 200_000_000  # of ten digits too

_SCROLL = "5a91c5a8-5f4e-4d3c-9d3b-6c2f1e0b7a94"
_HEAD = (
    '{"type":"contact.list","pages":null,"total_count":0,"limited":false,'
    f'"scroll_param":"{_SCROLL}","contacts":['
).encode()
_ID, _UPDATED_AT = "@id", "@updated_at"


class Kind(StrEnum):
    """Which leads of a page have fields that Intercom sends and does not document.

    LARGE has none, but the most custom attributes and the longest texts that Intercom allows.
    """

    NONE = "none"
    ONE = "one"
    ALL = "all"
    LARGE = "large"


# Two undocumented fields, one undocumented property in an object, fractions.
_UNDOCUMENTED: dict[str, Any] = {
    "x_undocumented_flag": False,
    "ai_summary": {"text": "x", "score": 0.5},
}
_LARGEST = {f"attribute_{n:03}": f"{n:03}".ljust(255, "x") for n in range(250)}
_PLACE: dict[str, Any] = {"metro_code": 807, "latitude": 53.3498, "longitude": -6.2603}


def _undocumented(lead: dict[str, Any]) -> dict[str, Any]:
    place = {"location_data": {**(lead["location_data"] or {}), **_PLACE}}
    return lead | _UNDOCUMENTED | place


def number(index: int) -> bytes:
    """The number in the id of a lead."""
    return b"%010d" % (index * _SCATTER % _NUMBERS)


def time_of_change(index: int) -> bytes:
    """When the lead changed, in seconds since 1970."""
    return b"%d" % (_TIME + index % _TIMES)


class Template:
    """One page.

    Args:
        first: Index of its first lead in the sandbox's world of leads.
        kind: Which of its leads have undocumented fields.
    """

    def __init__(self, first: int, kind: Kind = Kind.NONE) -> None:
        self._parts = [_HEAD]
        self._ends = []  # what comes after each lead if it is the last of its page
        for index in range(first, first + PAGE_SIZE):
            marked = lead(1, index) | {"id": _ID, "updated_at": _UPDATED_AT}
            if kind is Kind.ALL or (kind is Kind.ONE and index == first):
                marked = _undocumented(marked)
            if kind is Kind.LARGE:
                marked["custom_attributes"] = _LARGEST
            encoded = msgspec.json.encode(marked)
            before, rest = encoded.split(f'"{_ID}"'.encode())
            between, after = rest.split(f'"{_UPDATED_AT}"'.encode())
            self._parts[-1] += before + b'"' + MARK
            self._parts += [b"", b'"' + between, b"", after + b","]
            self._ends.append(after + b"]}")

    def fill(self, start: int, leads: int) -> bytes:
        """The page with so many leads of its own, the first of which has the given index."""
        parts = self._parts[: leads * 4]
        indexes = range(start, start + leads)
        parts[1::4] = map(number, indexes)
        parts[3::4] = map(time_of_change, indexes)
        return b"".join((*parts, self._ends[leads - 1]))


class Pages:
    """The pages of a workspace.

    Args:
        leads: How many leads it has.
        templates: How many pages differ in more than ids and times.
        kind: Which leads have undocumented fields.
    """

    def __init__(self, leads: int, templates: int = TEMPLATES, kind: Kind = Kind.NONE) -> None:
        self._leads = leads
        needed = 1 if kind is Kind.LARGE else min(templates, -(-leads // PAGE_SIZE))
        self._templates = [Template(n * PAGE_SIZE, kind) for n in range(needed)]

    def page(self, start: int) -> bytes:
        """The page that begins with the lead of the given index; empty beyond the last lead."""
        leads = min(PAGE_SIZE, self._leads - start)
        if leads <= 0:
            return _HEAD + b"]}"
        return self._templates[start // PAGE_SIZE % len(self._templates)].fill(start, leads)
