"""A comparison that would overlook a lost value proves nothing about targets."""

from __future__ import annotations

from typing import Any

import pytest

from proof.targets.comparison import CUT, EMPTY, ROUNDED, compare, same

RECORD = {"id": "1", "name": "Ada", "at": "2026-01-02T03:04:05.000000Z", "tags": {"n": [1]}}


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        pytest.param(None, "", id="null-as-empty-text"),
        pytest.param(None, "null", id="null-as-json"),
        pytest.param(True, 1, id="boolean-as-number"),
        pytest.param(False, "False", id="boolean-as-text"),
        pytest.param(7, "7.0", id="number-as-text"),
        pytest.param({"a": [1, None]}, '{"a": [1, null]}', id="object-as-json"),
        pytest.param({"a": [1.5, None]}, "{'a': [Decimal('1.5'), None]}", id="object-as-python"),
    ],
)
def test_the_same_in_another_form(sent: Any, found: Any) -> None:
    assert same(sent, found)


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        pytest.param("Ada", None, id="lost"),
        pytest.param("Ada", "ada", id="other-case"),
        pytest.param("Ada\n", "Ada", id="trimmed"),
        pytest.param(None, 0, id="null-as-zero"),
        pytest.param(True, False, id="boolean"),
        pytest.param(2**70 + 1, float(2**70), id="rounded"),
        pytest.param(7, None, id="number-lost"),
        pytest.param({"a": 1}, {}, id="field-lost"),
        pytest.param({"a": 1}, "{", id="broken-json"),
    ],
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


@pytest.mark.parametrize("field", ["name", "at", "tags"])
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
