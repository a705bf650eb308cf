"""Compares every value at a destination with the one that the tap wrote.

Destinations have types of their own, so the meaning must be the same, not the form. An object may
be a JSON text, or a column for each of its fields. A number may be text. A time may have another
format. A missing value may be an empty text.
"""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from proof.targets.extracts import Record

_ABSENT = (None, "", "null", "None")
_MILLISECOND = 0.001  # some destinations keep no more digits

_DECIMAL = re.compile(r"Decimal\('([^']*)'\)")  # as Python writes numbers inside an object

_SHOWN = 4  # names of fields in a message

EMPTY = "empty texts become null"
ROUNDED = "integers beyond 64 bits are rounded"
CUT = "fractions of a second are cut off"


@dataclass
class Comparison:
    """How rows differ from records.

    Attributes:
        missing: How many records have no row.
        surplus: How many rows have no record, or are there more than once.
        bent: What a target does to values of all fields -> to how many values.
        fields: The name of a field -> in how many rows it has another value.
    """

    missing: int = 0
    surplus: int = 0
    bent: Counter[str] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        """Whether there is a difference."""
        return bool(self.missing or self.surplus or self.bent or self.fields)

    def __str__(self) -> str:
        parts = sorted(self.bent)
        if self.missing:
            parts.append(f"{self.missing} leads missing")
        if self.surplus:
            parts.append(f"{self.surplus} rows too many")
        if self.fields:
            names = sorted(self.fields)
            shown = ", ".join(f"`{name}`" for name in names[:_SHOWN])
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            parts.append(f"other values in {shown}{more}")
        return "; ".join(parts) or "every value is the same"


def compare(
    records: Sequence[Record],
    rows: Iterable[Mapping[str, Any]],
    times: Iterable[str],
    key: Sequence[str] = ("id",),
) -> Comparison:
    """Compares rows with records.

    Args:
        records: What the tap wrote; one record per key.
        rows: What is at the destination, with any further columns.
        times: The fields that hold a date and time.
        key: The fields that identify a record.
    """
    found = Comparison()
    times = frozenset(times)
    left = {tuple(str(record[name]) for name in key): record for record in records}
    for row in rows:
        columns = {_plain(name): value for name, value in row.items()}
        record = left.pop(tuple(str(columns.get(name)) for name in key), None)
        if record is None:
            found.surplus += 1
            continue
        for name, sent in record.items():
            value = _gathered(name, sent, columns)
            if same(sent, value) or (name in times and same_moment(sent, value)):
                continue
            if sent == "" and value is None:
                found.bent[EMPTY] += 1
            elif name in times and same_moment(sent, value, within=1.0):
                found.bent[CUT] += 1
            elif same(_rounded(sent), _rounded(_parsed(value))):
                found.bent[ROUNDED] += 1
            else:
                found.fields[name] += 1
    found.missing = len(left)
    return found


def _plain(name: str) -> str:
    """A column's name, which targets write as their databases like it."""
    return re.sub(r"[^a-z0-9_]", "_", name.casefold())


def _gathered(name: str, sent: Any, columns: Mapping[str, Any]) -> Any:
    """The value of a column; where an object has a column per field, the object again."""
    column = _plain(name)
    if column in columns or not isinstance(sent, dict):
        return columns.get(column)
    parts = {inner: _gathered(f"{name}__{inner}", value, columns) for inner, value in sent.items()}
    # Each part by itself, as it is in a column of its own type.
    return sent if all(same(value, parts[inner]) for inner, value in sent.items()) else parts


def _rounded(value: Any) -> Any:
    """A value with its large integers as a floating-point number holds them."""
    match value:
        case bool():
            return value
        case int():
            return float(value)
        case dict():
            return {name: _rounded(inner) for name, inner in value.items()}
        case list():
            return [_rounded(inner) for inner in value]
    return value


def same(sent: Any, found: Any) -> bool:
    """Whether two values mean the same."""
    match sent:
        case None:
            return found in _ABSENT
        case bool():
            return str(found).casefold() in {str(sent).casefold(), str(int(sent))}
        case int() | float():
            return _number(sent) == _number(found)
        case str():
            return bool(found == sent)
        case _:
            return bool(_parsed(found) == sent)


def same_moment(sent: Any, found: Any, within: float = _MILLISECOND) -> bool:
    """Whether two values are the same date and time; one without a zone is in UTC.

    Args:
        sent: The one value.
        found: The other one.
        within: The seconds that they may be apart.
    """
    one, other = _moment(sent), _moment(found)
    return one is not None and other is not None and abs(one - other) < within


def _moment(value: Any) -> float | None:
    try:
        moment = datetime.fromisoformat(str(value).replace(" UTC", "Z"))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _number(value: Any) -> Decimal | None:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _parsed(value: Any) -> Any:
    """An object or list, also one that was written as JSON or as Python does."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        pass
    try:
        return ast.literal_eval(_DECIMAL.sub(r"\1", value))
    except (ValueError, SyntaxError):
        return None
