"""The names, types and descriptions of flattened columns, exactly."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tap_leads.records.flatten import Flattening

TEXT = {"type": ["string", "null"]}


def nested(*names: str, field: dict[str, Any] = TEXT) -> dict[str, Any]:
    """A schema with one field, in objects of these names."""
    for name in reversed(names):
        field = {"type": ["object", "null"], "properties": {name: field}}
    return field


def flattened(schema: dict[str, Any], depth: int = 1, max_length: int | None = None) -> Flattening:
    """Columns with the default separator."""
    return Flattening(schema, depth, "__", max_length)


def shortened(length: int, *path: str) -> str:
    """The column of a path whose name is too long."""
    end = hashlib.sha256("\0".join(path).encode()).hexdigest()[:8]
    return f"{'__'.join(path)[: length - 9]}_{end}"


@pytest.mark.parametrize(
    ("depth", "column"), [(0, "a"), (1, "a__b"), (2, "a__b__c"), (3, "a__b__c__d")]
)
def test_as_many_levels_as_the_setting_says_become_columns(depth: int, column: str) -> None:
    assert list(flattened(nested("a", "b", "c", "d"), depth).schema["properties"]) == [column]


@pytest.mark.parametrize(
    ("path", "column"),
    [
        pytest.param(("a", "b" * 60), "a__" + "b" * 60, id="63-bytes"),
        pytest.param(("a", "b" * 61), shortened(63, "a", "b" * 61), id="64-bytes"),
        pytest.param(("b" * 63,), "b" * 63, id="a-field-of-63-bytes"),
    ],
)
def test_a_column_has_63_bytes_at_most(path: tuple[str, ...], column: str) -> None:
    flat = flattened(nested(*path))
    assert list(flat.schema["properties"]) == [column]
    assert flat.shortened == ({} if column == "__".join(path) else {column: "__".join(path)})


def test_the_shortest_limit_leaves_room_for_the_hash_alone() -> None:
    flat = flattened(nested("a" * 20), max_length=9)
    assert list(flat.schema["properties"]) == [shortened(9, "a" * 20)]


def test_a_field_is_asked_for_by_its_own_name() -> None:
    schema = {"properties": {"short": TEXT, "a" * 70: TEXT, "object": nested("x")}}
    flat = flattened(schema)
    assert flat.column("short") == "short"
    assert flat.column("a" * 70) == shortened(63, "a" * 70)
    assert flat.column("object") == "object"
    assert flat.column("unknown") == "unknown"


@pytest.mark.parametrize(
    ("field", "column"),
    [
        pytest.param({}, {}, id="any"),
        pytest.param(TEXT, TEXT, id="text"),
        pytest.param({"type": ["array", "null"], "items": TEXT}, TEXT, id="list"),
        pytest.param({"type": ["object"], "description": "X."},
                     {"type": ["string"], "description": "X."}, id="required-object"),
    ],
)  # fmt: skip
def test_a_structure_becomes_text_that_may_be_null_if_it_may(
    field: dict[str, Any], column: dict[str, Any]
) -> None:
    assert flattened({"properties": {"x": field}}).schema["properties"] == {"x": column}


@pytest.mark.parametrize(
    ("given", "description"), [({"description": "X."}, "X. Full name: {}"), ({}, "Full name: {}")]
)
def test_the_description_of_a_shortened_column_has_its_full_name(
    given: dict[str, str], description: str
) -> None:
    (column,) = flattened(nested("a" * 70, field=TEXT | given)).schema["properties"].values()
    assert column == TEXT | {"description": description.format("a" * 70)}
