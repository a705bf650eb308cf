"""Columns have names that every database can hold, and that stay as they are."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cases import cases

from tap_leads import TapLeadsError
from tap_leads.records.flatten import MAX_BYTES, Flattening
from tap_leads.records.schema import LEAD_SCHEMA, with_attributes

QUESTION = "Which of these best describes your current role in the company you work for?"
CYRILLIC = "Каким образом вы узнали о нас в первый раз?"  # noqa: RUF001
TEXT, X = {"type": ["string", "null"]}, {"description": "X."}


def schema_with(*names: str) -> dict[str, Any]:
    """The schema with custom attributes of these names, the oldest first."""
    attributes = [
        {"name": name, "data_type": "string", "custom": True, "created_at": number}
        for number, name in enumerate(names)
    ]
    return with_attributes({"data_attributes": attributes})


def flatten(schema: dict[str, Any], **options: Any) -> Flattening:
    """Flattens objects one level deep, as the settings' defaults have it."""
    defaults: dict[str, Any] = {"depth": 1, "separator": "__", "max_length": None}
    return Flattening(schema, **(defaults | options))


def columns_of(*names: str, **options: Any) -> dict[str, str]:
    """The column of each custom attribute."""
    flat = flatten(schema_with(*names), **options)
    record = flat.record({"custom_attributes": {name: name for name in names}})
    found = {value: column for column, value in record.items() if value is not None}
    assert found.keys() == set(names)
    assert len({column.casefold() for column in found.values()}) == len(names)
    assert all(len(column.encode()) <= MAX_BYTES for column in found.values())
    return found


def nested(*names: str, field: dict[str, Any] = TEXT) -> dict[str, Any]:
    """A schema with one field, in objects of these names."""
    for name in reversed(names):
        field = {"type": ["object", "null"], "properties": {name: field}}
    return field


def shortened(length: int, *path: str) -> str:
    """The column of a path whose name is too long."""
    end = hashlib.sha256("\0".join(path).encode()).hexdigest()[:8]
    return f"{'__'.join(path)[: length - 9]}_{end}"


@cases("__", ".")
def test_a_short_name_is_left_as_it_is_after_the_separator(separator: str) -> None:
    names = ["team_size", "Job title", "budget_€"]
    columns = columns_of(*names, separator=separator)
    assert columns == {name: f"custom_attributes{separator}{name}" for name in names}


@cases("Plan plan PLAN", "plan Plan PLAN")
def test_names_that_differ_in_case_stay_apart_and_the_oldest_keeps_its_column(names: str) -> None:
    oldest, *others = names.split()
    assert columns_of(oldest, *others)[oldest] == f"custom_attributes__{oldest}"


@given(names=st.lists(st.text(min_size=1, max_size=40), unique=True, min_size=1, max_size=8))
def test_columns_are_short_different_and_stay_when_others_are_added(names: list[str]) -> None:
    before, after = columns_of(*names[:4]), columns_of(*names)
    assert {name: after[name] for name in before} == before


@cases(20, 30, 63, 200)
def test_the_users_limit_counts_characters(max_length: int) -> None:
    columns = columns_of(QUESTION, CYRILLIC, "plan", max_length=max_length)
    assert all(len(column) <= max_length for column in columns.values())


def test_a_limit_that_is_too_low_is_an_error_that_names_the_setting() -> None:
    with pytest.raises(TapLeadsError, match="flattening_max_key_length"):
        flatten(LEAD_SCHEMA, max_length=3)


def test_a_name_that_is_another_path_joined_stays_apart() -> None:
    flat = flatten({"properties": {"a__b": TEXT, "a": nested("b")}})
    record = flat.record({"a__b": "x", "a": {"b": "y"}})
    assert sorted(record.values()) == ["x", "y"]
    assert record.keys() == flat.schema["properties"].keys()


def test_each_record_has_every_column_and_structures_are_text() -> None:
    flat = flatten(LEAD_SCHEMA)
    assert flat.schema["required"] == ["id"]
    assert flat.record({"id": "1"}).keys() == flat.schema["properties"].keys()
    sent = {
        "tags": {"tags": [{"id": "1", "name": "größe"}]},
        "custom_attributes": {"x": Decimal("0.1234567890123456789012345")},
        "location_data": {"latitude": Decimal("1.50")},
    }
    record = flat.record({"id": "1"} | sent)
    assert json.loads(record["tags__tags"]) == [{"id": "1", "name": "größe"}]
    assert record["custom_attributes"] == '{"x":0.1234567890123456789012345}'
    assert repr(record["location_data__latitude"]) == "Decimal('1.50')"


def test_a_value_in_the_place_of_an_object_is_kept() -> None:
    """A stream map may give a field another kind of value than its schema says."""
    record = flatten(schema_with("x")).record({"id": "1", "custom_attributes": "none"})
    assert record["custom_attributes"] == "none"


@cases((0, "a"), (1, "a__b"), (2, "a__b__c"), (3, "a__b__c__d"))
def test_as_many_levels_as_the_setting_says_become_columns(depth: int, column: str) -> None:
    assert list(flatten(nested("a", "b", "c", "d"), depth=depth).schema["properties"]) == [column]


@cases(
    longest_field=(["b" * 63], {}, "b" * 63),
    longest_path=(["a", "b" * 60], {}, "a__" + "b" * 60),
    too_long=(["a", "b" * 61], {}, shortened(63, "a", "b" * 61)),
    three_bytes_each=(["ab", "職種" * 30], {}, shortened(29, "ab", "職種" * 30)),
    shortest_limit=(["a" * 20], {"max_length": 9}, shortened(9, "a" * 20)),
)
def test_a_column_has_63_bytes_at_most(path: list[str], options: Any, column: str) -> None:
    flat, full_name = flatten(nested(*path), **options), "__".join(path)
    assert list(flat.schema["properties"]) == [column]
    assert flat.shortened == ({} if column == full_name else {column: full_name})


def test_a_field_is_asked_for_by_its_own_name() -> None:
    flat = flatten({"properties": {"short": TEXT, "a" * 70: TEXT, "object": nested("x")}})
    assert flat.column("a" * 70) == shortened(63, "a" * 70)
    names = ["short", "object", "unknown"]
    assert [flat.column(name) for name in names] == names


@cases(
    any=("x", {}, {}),
    text=("x", TEXT, TEXT),
    list=("x", {"type": ["array", "null"], "items": TEXT}, TEXT),
    required_object=("x", X | {"type": ["object"]}, X | {"type": ["string"]}),
    shortened=("a" * 70, TEXT, TEXT | {"description": "Full name: " + "a" * 70}),
    described=("a" * 70, TEXT | X, TEXT | {"description": "X. Full name: " + "a" * 70}),
)
def test_a_column_has_the_type_and_the_description_of_its_field(
    name: str, field: dict[str, Any], column: dict[str, Any]
) -> None:
    """A structure becomes text. It may be null if the structure may."""
    assert list(flatten(nested(name, field=field)).schema["properties"].values()) == [column]
