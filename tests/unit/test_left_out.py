"""What a selection leaves of records without additional fields, and of required fields."""

from __future__ import annotations

from typing import Any

from support.cases import cases

from tap_leads.records.selection import Path, Selection, prune_schema, tree

REST = "additional_fields"


@cases(
    none=([("email",)], None, None),
    nothing_deselected=([], {"email": "x"}, {"email": "x"}),
    a_part=([("email",)], {"email": "x", "y": 1}, {"y": 1}),
)
def test_additional_fields_are_pruned_if_there_are_any(
    deselected: list[Path], rest: dict[str, Any] | None, left: dict[str, Any] | None
) -> None:
    record = {"id": "1", REST: rest}
    assert Selection.of(deselected, ()).of_record(record) == {"id": "1", REST: left}


@cases(
    ([(REST,)], [], False),
    ([], [REST], False),
    ([(REST,)], [REST], False),
    ([(REST, "x"), ("email",)], ["phone"], True),
)
def test_additional_fields_can_be_deselected_or_mapped(
    deselected: list[Path], mapped: list[str], keeps: bool
) -> None:
    assert Selection.of(deselected, mapped).keeps_rest == keeps
    assert Selection().keeps_rest


def test_a_field_that_is_left_out_is_not_required() -> None:
    schema = {"properties": {"id": {}, "email": {}}, "required": ["id", "email"]}
    assert prune_schema(schema, tree([("email",)])) == {
        "properties": {"id": {}},
        "required": ["id"],
    }
