"""Pages of leads as bytes, made once; only ids and times of change differ in each copy.

Making and encoding a lead takes longer than the tap needs for it. If the simulated API did this for
each request, the benchmark would measure the API. The leads are the sandbox's; every one has an id
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
"""How each id begins; a number of ten digits follows. No other text in a page contains it."""

# The numbers are scattered, as ids in order would be easier to remember than those of Intercom.
_SCATTER, _NUMBERS = 0x9E3779B1, 10**10  # without a common factor, so that no number repeats
_TIME, _TIMES = 1_500_000_000, 200_000_000  # of ten digits too

_SCROLL = "5a91c5a8-5f4e-4d3c-9d3b-6c2f1e0b7a94"
_HEAD = (
    '{"type":"contact.list","pages":null,"total_count":0,"limited":false,'
    f'"scroll_param":"{_SCROLL}","contacts":['
).encode()


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
_PLACE: dict[str, Any] = {"metro_code": 807, "latitude": 53.3498, "longitude": -6.2603}
_LARGEST = {f"attribute_{n:03}": f"{n:03}".ljust(255, "x") for n in range(250)}


def number(index: int) -> int:
    """The number in the id of a lead."""
    return index * _SCATTER % _NUMBERS


def _template(index: int, kind: Kind) -> bytes:
    """The JSON of a lead as a format string, which takes its number and its time of change."""
    record = lead(1, index) | {"id": "@id", "updated_at": "@updated_at"}
    if kind is Kind.ALL or (kind is Kind.ONE and index % PAGE_SIZE == 0):
        place = {"location_data": {**(record["location_data"] or {}), **_PLACE}}
        record |= _UNDOCUMENTED | place
    if kind is Kind.LARGE:
        record["custom_attributes"] = _LARGEST
    encoded = msgspec.json.encode(record).replace(b"%", b"%%")
    return encoded.replace(b"@id", MARK + b"%010d").replace(b'"@updated_at"', b"%d")


class Pages:
    """The pages of a workspace.

    Args:
        leads: How many leads it has.
        templates: How many pages differ in more than ids and times.
        kind: Which leads have undocumented fields.
    """

    def __init__(self, leads: int, templates: int = TEMPLATES, kind: Kind = Kind.NONE) -> None:
        self._leads = leads
        pages = 1 if kind is Kind.LARGE else min(templates, -(-leads // PAGE_SIZE))
        self._templates = [
            [_template(page * PAGE_SIZE + index, kind) for index in range(PAGE_SIZE)]
            for page in range(pages)
        ]

    def page(self, start: int) -> bytes:
        """The page that begins with the lead of the given index; empty beyond the last lead."""
        indexes = range(start, min(start + PAGE_SIZE, self._leads))
        if not indexes:
            return _HEAD + b"]}"
        template = self._templates[start // PAGE_SIZE % len(self._templates)][: len(indexes)]
        values = [value for i in indexes for value in (number(i), _TIME + i % _TIMES)]
        return b"%b%b]}" % (_HEAD, b",".join(template) % tuple(values))
