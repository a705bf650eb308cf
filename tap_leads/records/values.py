"""Converts a value as Intercom sends it to the type of its field, if nothing is lost.

The converter of a field is made from the field's JSON Schema. It returns the value as the schema
wants it, or raises `MisfitError`. Null properties stay null.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

Convert = Callable[[Any], Any]

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - without a zone it prints faster; "Z" is added
_MICROSECOND = timedelta(microseconds=1)
INT64_END = 2**63
"""The first whole number that databases do not hold in 64 bits."""
MILLISECONDS = 10**11
"""Times from here on are milliseconds: as seconds, they would lie after the year 5000."""
_TOO_LATE = 10**15
# Milliseconds from here on lie after the year 33000, which no date-time holds.

_ISO_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:?\d\d)?", re.ASCII
)
_INTEGER = re.compile(r"0|-?[1-9]\d{0,18}", re.ASCII)
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,4299})(\.\d+)?", re.ASCII)
# Targets refuse numbers with more digits before the point.


class MisfitError(ValueError):
    """The value cannot be converted to the field's type without loss."""


def converters(properties: Mapping[str, Any]) -> dict[str, Convert]:
    """The converter of each property, from the properties of a JSON Schema."""
    return {name: _converter(field) for name, field in properties.items()}


def _converter(field: Mapping[str, Any]) -> Convert:
    kind = kind_of(field)
    if is_time(field):
        return time
    if kind == "object":
        return _object_of(field["properties"]) if "properties" in field else _any_object
    if kind == "array":
        return _list_of(field["items"])
    return {"string": _string, "integer": _integer, "number": _number, "boolean": _boolean}[kind]


def kind_of(field: Mapping[str, Any]) -> str:
    """The type of a field's values that are not null, by its name in JSON Schema."""
    kinds = [field["type"]] if isinstance(field["type"], str) else field["type"]
    return next(kind for kind in kinds if kind != "null")


def is_time(field: Mapping[str, Any]) -> bool:
    """Whether a field holds times."""
    return field.get("format") == "date-time"


def _string(value: Any) -> str:
    """Text; numbers become the text that they were sent as."""
    if type(value) is str:
        return value
    if type(value) is int or type(value) is Decimal:
        return str(value)
    raise MisfitError


def _boolean(value: Any) -> bool:
    """True or false; nothing else is, not even 1 or "true"."""
    if type(value) is bool:
        return value
    raise MisfitError


def _integer(value: Any) -> int:
    """A whole number that databases hold in 64 bits, also when sent as `"12"` or `12.0`."""
    if type(value) is str and _INTEGER.fullmatch(value):
        value = int(value)
    # The range is checked before int(), because int(Decimal("1E+999999999")) fills the memory.
    if (
        (type(value) is int or type(value) is Decimal)
        and -INT64_END <= value < INT64_END
        and value == int(value)
    ):
        return int(value)
    raise MisfitError


def _number(value: Any) -> int | Decimal:
    """A number, also when sent as text."""
    if type(value) is str and _NUMBER.fullmatch(value):
        value = Decimal(value)
    if type(value) is int or type(value) is Decimal:
        return value
    raise MisfitError


def time(value: Any) -> str:
    """A time in UTC as RFC 3339 writes it, from epoch seconds, milliseconds or ISO 8601 text.

    Intercom documents epoch seconds. Webhooks and other clients have the other forms.
    """
    try:
        if type(value) is str and _ISO_TIME.fullmatch(value):
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is not None:
                moment = moment.astimezone(UTC).replace(tzinfo=None)
        else:
            moment = _from_epoch(value if type(value) is int else _number(value))
    except (ArithmeticError, ValueError) as error:
        raise MisfitError from error
    return moment.isoformat() + "Z"


def _from_epoch(value: int | Decimal) -> datetime:
    in_seconds = -MILLISECONDS < value < MILLISECONDS
    if in_seconds and type(value) is int:
        return _EPOCH + timedelta(0, value)
    # These checks are first: multiplying a number with too many digits would round it silently.
    if not -_TOO_LATE < value < _TOO_LATE or value != round(value, 6 if in_seconds else 3):
        raise MisfitError
    return _EPOCH + int(value * (1_000_000 if in_seconds else 1_000)) * _MICROSECOND


def _any_object(value: Any) -> dict[str, Any]:
    """An object with any properties."""
    if type(value) is dict:
        return value
    raise MisfitError


def _object_of(properties: Mapping[str, Any]) -> Convert:
    """Objects whose known properties fit; unknown ones stay as they are."""
    known = converters(properties)

    def convert(value: Any) -> dict[str, Any]:
        result = _any_object(value)
        for name, inner in value.items():
            if inner is None or name not in known:
                continue
            fitting = known[name](inner)
            if fitting is not inner:
                # A copy: if another property does not fit, the object moves as it was sent.
                result = {**result, name: fitting}
        return result

    return convert


def _list_of(item: Mapping[str, Any]) -> Convert:
    """Lists whose items all fit."""
    convert_item = _converter(item)

    def convert(value: Any) -> list[Any]:
        if type(value) is not list:
            raise MisfitError
        return [convert_item(inner) for inner in value]

    return convert
