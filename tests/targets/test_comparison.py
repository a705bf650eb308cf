"""A comparison that would overlook a lost value proves nothing about targets."""

from __future__ import annotations

from typing import Any

from support.cases import cases

from proof.targets.comparison import CUT, EMPTY, ROUNDED, compare, same

RECORD = {"id": "1", "name": "Ada", "at": "2026-01-02T03:04:05.000000Z", "tags": {"n": [1]}}


@cases(
    null_as_empty_text=(None, ""),
    null_as_json=(None, "null"),
    boolean_as_number=(True, 1),
    boolean_as_text=(False, "False"),
    number_as_text=(7, "7.0"),
    object_as_json=({"a": [1, None]}, '{"a": [1, null]}'),
    object_as_python=({"a": [1.5, None]}, "{'a': [Decimal('1.5'), None]}"),
)
def test_the_same_in_another_form(sent: Any, found: Any) -> None:
    assert same(sent, found)


@cases(
    lost=("Ada", None),
    other_case=("Ada", "ada"),
    trimmed=("Ada\n", "Ada"),
    null_as_zero=(None, 0),
    boolean=(True, False),
    rounded=(2**70 + 1, float(2**70)),
    number_lost=(7, None),
    field_lost=({"a": 1}, {}),
    broken_json=({"a": 1}, "{"),
)
def test_another_value(sent: Any, found: Any) -> None:
    assert not same(sent, found)


def test_rows_that_are_the_records_do_not_differ() -> None:
    row = RECORD | {"at": "2026-01-02 03:04:05", "_sdc_batched_at": "now"}
    assert not compare([RECORD], [row], {"at"})


def test_a_column_per_field_of_an_object_holds_the_object() -> None:
    row = {"id": "1", "name": "Ada", "at": RECORD["at"], "tags__n": "[1]"}
    assert not compare([RECORD], [row], {"at"})


def test_missing_and_surplus_rows_are_counted() -> None:
    other = RECORD | {"id": "2"}
    assert compare([RECORD, other], [RECORD], ()).missing == 1
    assert compare([RECORD], [RECORD, RECORD], ()).surplus == 1
    assert compare([RECORD], [other], ()).missing == 1


@cases("name", "at", "tags")
def test_a_value_that_differs_is_named(field: str) -> None:
    assert compare([RECORD], [RECORD | {field: "else"}], {"at"}).fields == {field: 1}
    gone = {name: value for name, value in RECORD.items() if name != field}
    assert compare([RECORD], [gone], {"at"}).fields == {field: 1}


def test_changes_to_all_columns_are_reported_apart() -> None:
    record = {"id": "1", "name": "", "at": "2026-01-02T03:04:05.5Z", "tags": {"n": 2**64 + 1}}
    row = {"id": "1", "name": None, "at": "2026-01-02T03:04:05Z", "tags": {"n": float(2**64)}}
    found = compare([record], [row], {"at"})
    assert found.bent == {EMPTY: 1, ROUNDED: 1, CUT: 1}
    assert not found.fields
