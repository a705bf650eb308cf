"""The definitions of a workspace's attributes become the schema of `custom_attributes`."""

from __future__ import annotations

from typing import Any

import pytest
from support.cases import cases

from tap_leads.errors import TapLeadsError
from tap_leads.records.schema import CUSTOM_ATTRIBUTES, LEAD_SCHEMA, with_attributes


def attributes(*definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of each attribute."""
    defaults = {"name": "plan", "data_type": "string", "custom": True}
    schema = with_attributes({"data_attributes": [defaults | one for one in definitions]})
    found: dict[str, Any] = schema["properties"][CUSTOM_ATTRIBUTES]["properties"]
    return found


@cases(
    ("string", {"type": ["string", "null"]}),
    ("integer", {"type": ["integer", "null"]}),
    ("float", {"type": ["number", "null"]}),
    ("boolean", {"type": ["boolean", "null"]}),
    ("date", {"type": ["string", "null"], "format": "date-time"}),
)
def test_an_attribute_has_the_type_that_intercom_defines(kind: str, schema: dict[str, Any]) -> None:
    assert attributes({"data_type": kind}) == {"plan": schema | {"description": "plan"}}


@cases({"custom": False}, {"archived": True}, {"data_type": "unheard_of"})
def test_other_attributes_are_not_declared(left_out: dict[str, Any]) -> None:
    assert list(attributes({"name": "kept"}, left_out)) == ["kept"]


def test_the_oldest_attribute_is_the_first() -> None:
    """Those without a time of creation are older than all others; equal ones are sorted by name."""
    ages = {"c": 1, "b": 2, "e": "soon", "d": None, "a": 0, "f": -1}
    names = attributes(*({"name": name, "created_at": age} for name, age in ages.items()))
    assert list(names) == ["f", "a", "d", "e", "c", "b"]


def test_without_attributes_the_schema_is_that_of_every_workspace() -> None:
    assert with_attributes({"data_attributes": []}) == LEAD_SCHEMA


def test_a_response_of_another_form_is_an_error_with_advice() -> None:
    with pytest.raises(TapLeadsError, match="Turn 'typed_custom_attributes' off"):
        with_attributes({"data_attributes": [{"name": "plan"}]})
