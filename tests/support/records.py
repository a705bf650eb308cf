"""Leads of any content, and a check of records against their schema."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from tap_leads.records.pages import lead_of, raw_leads
from tap_leads.sandbox import lead


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """A validator that checks date-times too."""
    checker = FormatChecker()
    assert "date-time" in checker.checkers, "without rfc3339-validator, no date-time is checked"
    return Draft202012Validator(schema, format_checker=checker)


def leads_of(body: bytes) -> list[dict[str, Any]]:
    """The leads of a page, as they were sent."""
    return list(map(lead_of, raw_leads(body)))


def _some(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=values)


DECIMALS = st.decimals(allow_nan=False, allow_infinity=False)
NUMBERS = st.integers(-(2**80), 2**80) | DECIMALS
TEXTS = st.text(max_size=8) | NUMBERS.map(str) | st.datetimes().map(datetime.isoformat)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
FITTING = {
    "name": TEXTS | NUMBERS,
    "anonymous": st.booleans(),
    "session_count": st.integers() | DECIMALS,
    "created_at": st.integers(-(10**13), 10**13) | st.datetimes().map("{}Z".format) | NUMBERS,
    "location_data": _some(latitude=NUMBERS | TEXTS, postal_code=TEXTS | NUMBERS, unknown=VALUES),
    "tags": _some(tags=st.lists(_some(id=TEXTS | NUMBERS, unknown=VALUES), max_size=2)),
    "custom_attributes": _some(
        size=NUMBERS, budget=DECIMALS, ends_at=NUMBERS, unknown=VALUES, **{'"plan"': VALUES}
    ),
    "additional_fields": VALUES,
}
"""One field of each type, with values that fit or nearly fit."""

# Few unknown names, so that what one lead teaches the decoder comes again in others.
NAMES = st.sampled_from(["unknown", "un known?", "f1"]) | st.text(max_size=8)
FIELDS = [st.tuples(st.just(name), values | VALUES) for name, values in FITTING.items()]
SAMPLES = [
    {name: value for name, value in lead(7, index).items() if name in FITTING}
    for index in range(100)
]
LEADS = st.builds(
    lambda sample, fields, identity: sample | dict(fields) | {"id": identity},
    st.just({}) | st.sampled_from(SAMPLES),
    st.lists(st.one_of(*FIELDS, st.tuples(NAMES, VALUES)), max_size=2),
    st.sampled_from(["1", "2", "ü", 3]),
)
