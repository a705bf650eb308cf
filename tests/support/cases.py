"""Tables of cases: a test runs once per row."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

Test = TypeVar("Test", bound=Callable[..., None])


def cases(*rows: object, **named: object) -> Callable[[Test], Test]:
    """Runs a test once per row.

    A row is a tuple with the values of the test's first parameters, or the value of the first one.
    A further table above this one has the values of the parameters that follow.

    Args:
        rows: Rows without a name.
        named: The name of a row -> the row.
    """
    table = [_row(row) for row in rows]
    table += [_row(row, name.replace("_", "-")) for name, row in named.items()]

    def with_cases(test: Test) -> Test:
        marks = getattr(test, "pytestmark", [])
        given = [name for mark in marks if mark.name == "parametrize" for name in mark.args[0]]
        names = [name for name in inspect.signature(test).parameters if name not in given]
        decorated: Test = pytest.mark.parametrize(names[: len(table[0].values)], table)(test)
        return decorated

    return with_cases


def _row(row: object, name: str | None = None) -> Any:
    return pytest.param(*row if type(row) is tuple else (row,), id=name)
