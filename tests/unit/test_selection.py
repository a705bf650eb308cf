"""What is left out is decided by path."""

from __future__ import annotations

from typing import Any

from support.cases import cases

from tap_leads.records.schema import LEAD_SCHEMA
from tap_leads.records.selection import Fate, Path, Selection, prune, prune_schema, tree

ATTRIBUTES = "custom_attributes"
REST = "additional_fields"


@cases(
    field=(("a",), {"a": 1, "b": 2}, {"b": 2}),
    property=(("a", "b"), {"a": {"b": 1, "c": 2}}, {"a": {"c": 2}}),
    only_property=(("a", "b"), {"a": {"b": 1}}, {"a": {}}),
    null=(("a", "b"), {"a": None}, {"a": None}),
    text_in_place_of_the_object=(("a", "b"), {"a": "text"}, {}),
    list_in_place_of_the_object=(("a", "b"), {"a": [{"b": 1}]}, {}),
    elsewhere=(("a", "b"), {"b": 1}, {"b": 1}),
)
def test_a_path_is_left_out_and_nothing_else(
    path: Path, value: dict[str, Any], left: dict[str, Any]
) -> None:
    assert prune(value, tree([path])) == left


@cases([("a",), ("a", "b")], [("a", "b", "c"), ("a",), ("a", "b")])
def test_a_whole_field_holds_its_parts(paths: list[Path]) -> None:
    assert tree(paths) == {"a": None}


def test_the_rest_of_a_record_is_pruned_by_the_same_paths_and_by_those_below_it() -> None:
    selection = Selection.of([(ATTRIBUTES, "ssn"), (REST, "x")], {"email"})
    record = {
        "id": "1",
        "email": "stays, as the stream map sees to it",
        ATTRIBUTES: {"ssn": "hush", "plan": "pro"},
        REST: {ATTRIBUTES: {"ssn": "hush"}, "x": "hush", "email": "hush", "y": {}, "z": 0},
    }
    found = selection.of_record(record)
    assert found[ATTRIBUTES] == {"plan": "pro"}
    assert found[REST] == {"y": {}, "z": 0}
    assert found["email"] == record["email"]
    nothing_left = {"id": "1", ATTRIBUTES: None, REST: {ATTRIBUTES: {"ssn": "hush"}}}
    assert selection.of_record(nothing_left)[REST] is None


@cases(
    another_field=(("name",), False, Fate.KEPT),
    another_property=((ATTRIBUTES, "plan"), False, Fate.KEPT),
    deselected=((ATTRIBUTES, "ssn"), False, Fate.LEFT_OUT),
    below_deselected=((ATTRIBUTES, "ssn", "x"), False, Fate.LEFT_OUT),
    object_with_a_deselected_part=((ATTRIBUTES,), True, Fate.KEPT_IN_PART),
    list_that_may_hold_it=((ATTRIBUTES,), False, Fate.LEFT_OUT),
    mapped=(("email",), True, Fate.LEFT_OUT),
)
def test_what_is_said_of_a_value_is_what_became_of_it(
    path: Path, is_object: bool, fate: Fate
) -> None:
    selection = Selection.of([(ATTRIBUTES, "ssn")], {"email"})
    assert selection.fate(path, is_object=is_object) is fate


def test_a_property_that_the_catalog_does_not_name_stays_out_where_it_names_the_allowed() -> None:
    selection = Selection.of([(ATTRIBUTES, "ssn")], (), {ATTRIBUTES: {"plan", "ssn"}})
    sent = {"ssn": "hush", "plan": "pro", "~undeclared": "hush"}
    left = {"plan": "pro"}
    record = {"id": "1", "~x": 1, ATTRIBUTES: sent, REST: {ATTRIBUTES: sent, "~y": 2}}
    expected = {"id": "1", "~x": 1, ATTRIBUTES: left, REST: {ATTRIBUTES: left, "~y": 2}}
    assert selection.of_record(record) == expected
    assert selection.fate((ATTRIBUTES, "~undeclared"), is_object=False) is Fate.LEFT_OUT
    assert selection.fate((ATTRIBUTES, "plan"), is_object=False) is Fate.KEPT


@cases(Selection.of([(REST,)], ()), Selection.of([], {REST}))
def test_without_the_rest_nothing_is_kept(selection: Selection) -> None:
    assert selection.fate(("name",), is_object=False) is Fate.LEFT_OUT


def test_the_schema_is_that_of_what_is_left() -> None:
    paths = [("email",), ("location_data", "city_name"), ("unknown",), ("companies", "companies")]
    pruned = prune_schema(LEAD_SCHEMA, tree(paths))
    assert LEAD_SCHEMA["properties"].keys() - pruned["properties"].keys() == {"email"}
    assert "city_name" not in pruned["properties"]["location_data"]["properties"]
    assert "city_name" in LEAD_SCHEMA["properties"]["location_data"]["properties"]
    assert list(pruned["properties"]["companies"]["properties"]) == ["type"]
    assert pruned["required"] == ["id"]
