"""Leads of any content, and a check of records against their schema."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from tap_leads.records.pages import lead_of, raw_leads
from tap_leads.records.schema import LEAD_SCHEMA


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """A validator that checks date-times too."""
    checker = FormatChecker()
    assert "date-time" in checker.checkers, "without rfc3339-validator, no date-time is checked"
    return Draft202012Validator(schema, format_checker=checker)


def leads_of(body: bytes) -> list[dict[str, Any]]:
    """The leads of a page, as they were sent."""
    return list(map(lead_of, raw_leads(body)))


DECIMALS = st.decimals(allow_nan=False, allow_infinity=False)
NUMBERS = st.integers(-(2**80), 2**80) | DECIMALS
TEXTS = st.text(max_size=8) | NUMBERS.map(str) | st.datetimes().map(datetime.isoformat)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


def sendable(field: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values for a field: fitting ones, nearly fitting ones, and any others."""
    kind = field["type"] if isinstance(field["type"], str) else field["type"][0]
    fitting: st.SearchStrategy[Any]
    if field.get("format") == "date-time":
        fitting = st.integers(-(10**13), 10**13) | st.datetimes().map(lambda at: f"{at}Z") | NUMBERS
    elif kind == "object":
        inner = {name: sendable(part) for name, part in field.get("properties", {}).items()}
        fitting = st.fixed_dictionaries({}, optional=inner)
    elif kind == "array":
        fitting = st.lists(sendable(field["items"]), max_size=2)
    else:
        fitting = {
            "string": TEXTS | NUMBERS,
            "integer": st.integers(-(2**65), 2**65) | DECIMALS,
            "number": NUMBERS,
            "boolean": st.booleans(),
        }[kind]
    return st.one_of(fitting, fitting, VALUES)


FIELDS = {name: sendable(field) for name, field in LEAD_SCHEMA["properties"].items()}
FEW_FIELDS = st.lists(st.sampled_from(list(FIELDS)), max_size=3, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: FIELDS[name] for name in names})
)
UNKNOWN: st.SearchStrategy[dict[str, Any]] = st.just({}) | st.dictionaries(
    st.text(max_size=8), VALUES, max_size=2
)
LEADS = st.builds(
    lambda unknown, known, identity: unknown | known | {"id": identity},
    UNKNOWN,
    FEW_FIELDS | st.fixed_dictionaries({}, optional=FIELDS),
    st.text(min_size=1, max_size=8) | st.integers(),
)
