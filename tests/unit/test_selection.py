"""What is left out is decided by path."""

from __future__ import annotations

from typing import Any

from support.cases import cases

from tap_leads.records.schema import LEAD_SCHEMA
from tap_leads.records.selection import Fate, Path, Selection, prune, prune_schema, tree

ATTRIBUTES = "custom_attributes"
REST = "additional_fields"
SSN = (ATTRIBUTES, "ssn")


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


@cases(
    none=([("email",)], None, None),
    nothing_deselected=([], {"email": "x"}, {"email": "x"}),
    a_part=([("email",)], {"email": "x", "y": {}, "z": 0}, {"y": {}, "z": 0}),
    below_it=([(REST, "x")], {"x": "hush", "y": 1}, {"y": 1}),
    a_property=([SSN], {ATTRIBUTES: {"ssn": "hush", "plan": 1}}, {ATTRIBUTES: {"plan": 1}}),
    all_that_there_is=([SSN], {ATTRIBUTES: {"ssn": "hush"}}, None),
    mapped=([], {"mapped": "hush"}, None),
)
def test_additional_fields_are_pruned_by_the_same_paths_and_by_those_below_them(
    deselected: list[Path], rest: dict[str, Any] | None, left: dict[str, Any] | None
) -> None:
    record = {"id": "1", "mapped": "stays, as the stream map sees to it", REST: rest}
    assert Selection.of(deselected, {"mapped"}).of_record(record) == record | {REST: left}


@cases(
    another_field=(("name",), False, Fate.KEPT),
    another_property=((ATTRIBUTES, "plan"), False, Fate.KEPT),
    deselected=(SSN, False, Fate.LEFT_OUT),
    below_deselected=((*SSN, "x"), False, Fate.LEFT_OUT),
    object_with_a_deselected_part=((ATTRIBUTES,), True, Fate.KEPT_IN_PART),
    list_that_may_hold_it=((ATTRIBUTES,), False, Fate.LEFT_OUT),
    mapped=(("email",), True, Fate.LEFT_OUT),
    inside_additional_fields=(("x",), False, Fate.LEFT_OUT),
)
def test_what_is_said_of_a_value_is_what_became_of_it(
    path: Path, is_object: bool, fate: Fate
) -> None:
    selection = Selection.of([SSN, (REST, "x")], {"email"})
    assert selection.fate(path, is_object=is_object) is fate


def test_a_property_that_the_catalog_does_not_name_stays_out_where_it_names_the_allowed() -> None:
    selection = Selection.of([SSN], (), {ATTRIBUTES: {"plan", "ssn"}})
    sent = {"ssn": "hush", "plan": "pro", "~undeclared": "hush"}
    left = {"plan": "pro"}
    record = {"id": "1", "~x": 1, ATTRIBUTES: sent, REST: {ATTRIBUTES: sent, "~y": 2}}
    expected = {"id": "1", "~x": 1, ATTRIBUTES: left, REST: {ATTRIBUTES: left, "~y": 2}}
    assert selection.of_record(record) == expected
    assert selection.fate((ATTRIBUTES, "~undeclared"), is_object=False) is Fate.LEFT_OUT
    assert selection.fate((ATTRIBUTES, "plan"), is_object=False) is Fate.KEPT


@cases(
    neither=(Selection(), Fate.KEPT),
    deselected=(Selection.of([(REST,)], []), Fate.LEFT_OUT),
    mapped=(Selection.of([], [REST]), Fate.LEFT_OUT),
    both=(Selection.of([(REST,)], [REST]), Fate.LEFT_OUT),
    others=(Selection.of([(REST, "x"), ("email",)], ["phone"]), Fate.KEPT),
)
def test_additional_fields_can_be_deselected_or_mapped(selection: Selection, fate: Fate) -> None:
    assert selection.keeps_rest == (fate is Fate.KEPT)
    assert selection.fate(("name",), is_object=False) is fate


def test_the_schema_is_that_of_what_is_left() -> None:
    paths = [("email",), ("location_data", "city_name"), ("unknown",), ("companies", "companies")]
    required = {**LEAD_SCHEMA, "required": ["id", "email"]}
    pruned = prune_schema(required, tree(paths))
    assert LEAD_SCHEMA["properties"].keys() - pruned["properties"].keys() == {"email"}
    assert "city_name" not in pruned["properties"]["location_data"]["properties"]
    assert "city_name" in LEAD_SCHEMA["properties"]["location_data"]["properties"]
    assert list(pruned["properties"]["companies"]["properties"]) == ["type"]
    assert pruned["required"] == ["id"]
