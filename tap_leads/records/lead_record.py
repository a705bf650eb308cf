"""The record of a lead as a struct, which is faster to make and to write than a dictionary.

The struct's type is made from the schema of a record. msgspec decodes leads into it, and accepts
only values that the converters in `values` would leave as they are, or that `decoder` converts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar

import msgspec

from tap_leads.records.schema import ADDITIONAL_FIELDS
from tap_leads.records.values import INT64_END, MILLISECONDS, is_time, kind_of

_TYPES: dict[str, Any] = {
    "string": str,
    "boolean": bool,
    "integer": Annotated[int, msgspec.Meta(ge=-INT64_END, le=INT64_END - 1)],
    "number": int,
}
_YEAR_1 = -62_135_596_800  # the first time that a date-time holds, in seconds since 1970
_SECONDS = Annotated[int, msgspec.Meta(ge=_YEAR_1, lt=MILLISECONDS)]
_ID = Annotated[str, msgspec.Meta(min_length=1)]
_NOTHING = Annotated[int, msgspec.Meta(gt=0, lt=1)]  # no value fits


class LeadRecord(msgspec.Struct):
    """The record of a lead, with every field of the schema in order.

    It is encoded as it is, and read like a dictionary.
    """

    def __getitem__(self, name: str) -> Any:
        return as_record(self)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(as_record(self))

    def __len__(self) -> int:
        return len(as_record(self))

    def __bool__(self) -> bool:
        return True  # the SDK asks for each lead; __len__ would make a dictionary each time

    # The methods of a Mapping, which cannot be the base class of a struct.
    get: ClassVar[Any] = Mapping.get
    keys: ClassVar[Any] = Mapping.keys
    items: ClassVar[Any] = Mapping.items
    values: ClassVar[Any] = Mapping.values
    __contains__: ClassVar[Any] = Mapping.__contains__


Mapping.register(LeadRecord)


def as_record(lead: LeadRecord) -> dict[str, Any]:
    """The record of a lead as a dictionary."""
    record: dict[str, Any] = msgspec.to_builtins(lead, builtin_types=(Decimal,))
    return record


def as_plain_record(lead: LeadRecord) -> dict[str, Any]:
    """The same for expressions: fractions are floats where no digit is lost."""
    record: dict[str, Any] = _PLAIN.decode(_ENCODER.encode(lead))
    return record


def _fraction(text: str) -> float | Decimal:
    exact = Decimal(text)
    return float(text) if Decimal(repr(float(text))) == exact else exact


_ENCODER = msgspec.json.Encoder(decimal_format="number")
_PLAIN = msgspec.json.Decoder(dict[str, Any], float_hook=_fraction)


def lead_type(properties: Mapping[str, Any]) -> type[LeadRecord]:
    """The struct of a lead.

    Args:
        properties: The schema of each field. An empty one is that of a field that the decoder
            learned: it may be missing and may hold anything.
    """
    fields: list[Any] = []
    for name, attribute in attributes(properties).items():
        if name == "id":
            fields.append((attribute, _ID))
        elif name == ADDITIONAL_FIELDS:  # if Intercom sends this name, it is an unknown field
            fields.append((attribute, _NOTHING, None))
        else:
            field = properties[name]
            fields.append((attribute, _type(field), None if field else msgspec.UNSET))
    struct: type[LeadRecord] = _struct(properties, fields, LeadRecord)
    return struct


def attributes(properties: Iterable[str]) -> dict[str, str]:
    """By property, the attribute that holds it: Python does not accept every name as one.

    msgspec accepts no name with characters that JSON escapes, so these properties are left out.
    """
    return {name: f"f{index}" for index, name in enumerate(properties) if is_plain(name)}


def is_plain(name: str) -> bool:
    """Whether JSON escapes none of the characters of a name."""
    return not any(char in '"\\' or char < " " for char in name)


def _type(field: Mapping[str, Any], depth: int = 0) -> Any:
    """The type of the values that a field's converter leaves as they are, or that are seconds.

    Further down than the objects of a lead, `decoder` converts and checks nothing: no time fits.
    """
    if not field:
        return Any
    found: Any
    kind = kind_of(field)
    if is_time(field):
        found = _SECONDS if depth <= 1 else None
    elif kind == "number" and depth <= 1:
        found = Any  # a Decimal keeps every digit of a fraction, but its type would accept text
    elif kind == "object":
        found = _object(field["properties"], depth) if "properties" in field else dict[str, Any]
    elif kind == "array":
        found = list[_type(field["items"], depth + 1)]  # type: ignore[misc]
    else:
        found = _TYPES[kind]
    return found | None if "null" in field["type"] and found is not None else found


def _object(properties: Mapping[str, Any], depth: int) -> Any:
    """An object with the properties that were sent, of which each must be known."""
    fields = [
        (attribute, _type(properties[name], depth + 1) | msgspec.UnsetType, msgspec.UNSET)
        for name, attribute in attributes(properties).items()
    ]
    return _struct(properties, fields, msgspec.Struct)


def _struct(properties: Iterable[str], fields: list[Any], base: type[msgspec.Struct]) -> Any:
    rename = {attribute: name for name, attribute in attributes(properties).items()}
    # The values of JSON have no cycles, so the garbage collector need not follow them.
    return msgspec.defstruct(
        base.__name__, fields, bases=(base,), rename=rename, forbid_unknown_fields=True, gc=False
    )
