"""Compares every value at a destination with the one that the tap wrote.

Destinations have types of their own, so it is the meaning that must be the same: a JSON text that
holds the object, a number in text, the same moment in another format. An absent value may be an
empty text where there are only texts.
"""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from targets.extracts import Record

_ABSENT = (None, "", "null", "None")
_HALF_SECOND = 0.0005  # some destinations keep milliseconds only


@dataclass
class Comparison:
    """How rows differ from records.

    Attributes:
        missing: How many records have no row.
        surplus: How many rows have no record, or are there more than once.
        fields: The name of a field -> in how many rows it has another value.
    """

    missing: int = 0
    surplus: int = 0
    fields: Counter[str] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        """Whether there is a difference."""
        return bool(self.missing or self.surplus or self.fields)

    def __str__(self) -> str:
        parts = []
        if self.missing:
            parts.append(f"{self.missing} leads missing")
        if self.surplus:
            parts.append(f"{self.surplus} rows too many")
        if self.fields:
            names = sorted(self.fields)
            shown = ", ".join(f"`{name}`" for name in names[:4])
            more = f" and {len(names) - 4} more" if len(names) > 4 else ""
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
        columns = {name.casefold(): value for name, value in row.items()}
        record = left.pop(tuple(str(columns.get(name)) for name in key), None)
        if record is None:
            found.surplus += 1
            continue
        for name, sent in record.items():
            value = columns.get(name.casefold())
            if not same(sent, value) and not (name in times and same_moment(sent, value)):
                found.fields[name] += 1
    found.missing = len(left)
    return found


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


def same_moment(sent: Any, found: Any) -> bool:
    """Whether two values are the same date and time; one without a zone is in UTC."""
    one, other = _moment(sent), _moment(found)
    return one is not None and other is not None and abs(one - other) < _HALF_SECOND


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
        return ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return None
