"""A comparison that would overlook a lost value proves nothing about targets."""

from __future__ import annotations

from collections import Counter
from typing import Any

from support.cases import cases

from proof.targets.comparison import CUT, EMPTY, ROUNDED, Comparison, compare, same
from proof.targets.extracts import Record

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


BENT = {"id": "3", "name": "", "at": "2026-01-02T03:04:05.5Z", "tags": {"n": 2**64 + 1}}


@cases(
    same=(RECORD, [RECORD | {"at": "2026-01-02 03:04:05", "_sdc_batched_at": "now"}], Comparison()),
    column_per_field_of_an_object=(
        RECORD,
        [{"id": "1", "name": "Ada", "at": RECORD["at"], "tags__n": "[1]"}],
        Comparison(),
    ),
    missing=(RECORD, [], Comparison(missing=1)),
    repeated=(RECORD, [RECORD, RECORD], Comparison(surplus=1)),
    another_lead=(RECORD, [RECORD | {"id": "2"}], Comparison(missing=1, surplus=1)),
    changes_to_all_columns=(
        BENT,
        [{"id": "3", "name": None, "at": "2026-01-02T03:04:05Z", "tags": {"n": float(2**64)}}],
        Comparison(bent=Counter([EMPTY, ROUNDED, CUT])),
    ),
)
def test_rows_are_compared(record: Record, rows: list[Record], found: Comparison) -> None:
    assert compare([record], rows, {"at"}) == found


@cases("name", "at", "tags")
def test_a_value_that_differs_is_named(field: str) -> None:
    gone = {name: value for name, value in RECORD.items() if name != field}
    for row in (gone, RECORD | {field: "else"}):
        assert compare([RECORD], [row], {"at"}) == Comparison(fields=Counter([field]))
