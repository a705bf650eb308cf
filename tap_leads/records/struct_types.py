"""The types that msgspec decodes a lead into, made from the schema of a record.

They take only values that the converters in `values` would leave as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any

import msgspec

from tap_leads.records.lead_record import LeadRecord
from tap_leads.records.schema import ADDITIONAL_FIELDS
from tap_leads.records.selection import Path
from tap_leads.records.values import INT64_END, MILLISECONDS, is_time, kind_of

_TYPES: dict[str, Any] = {
    "string": str,
    "boolean": bool,
    "integer": Annotated[int, msgspec.Meta(ge=-INT64_END, le=INT64_END - 1)],
    "number": int,
}
_SECONDS = Annotated[int, msgspec.Meta(gt=-MILLISECONDS, lt=MILLISECONDS)]
_ID = Annotated[str, msgspec.Meta(min_length=1)]
_NOTHING = Annotated[int, msgspec.Meta(gt=0, lt=1)]  # no value fits


def lead_type(properties: Mapping[str, Any], learned: Collection[str]) -> type[LeadRecord]:
    """The struct of a lead.

    Args:
        properties: The schema of each field.
        learned: Fields that may be missing and may hold anything.
    """
    fields: list[Any] = []
    for index, (name, field) in enumerate(properties.items()):
        attribute = attribute_name(index)
        if name in learned:
            fields.append((attribute, Any, msgspec.UNSET))
        elif name == "id":
            fields.append((attribute, _ID))
        elif name == ADDITIONAL_FIELDS:  # what Intercom sends under this name is unknown to us
            fields.append((attribute, _NOTHING, None))
        else:
            fields.append((attribute, _type(field), None))
    struct: type[LeadRecord] = _struct("Lead", fields, properties, base=LeadRecord)
    return struct


def _type(field: Mapping[str, Any], depth: int = 0) -> Any:
    """The type of the values that a field's converter leaves as they are, or that are seconds.

    Below the objects of a lead, nothing but decoding is done: there, times never fit.
    """
    if not field:
        return Any
    found: Any
    kind = kind_of(field)
    if is_time(field):
        found = _SECONDS if depth <= 1 else None
    elif kind == "number" and depth <= 1:
        found = Any  # Decimals keep every digit of a fraction, but their type would take text too
    elif kind == "object":
        found = _object(field["properties"], depth) if "properties" in field else dict[str, Any]
    elif kind == "array":
        found = list[_type(field["items"], depth + 1)]  # type: ignore[misc]
    else:
        found = _TYPES[kind]
    return found | None if "null" in field["type"] and found is not None else found


def _object(properties: Mapping[str, Any], depth: int) -> Any:
    """An object that keeps the properties which it was sent, and takes none but these."""
    fields = [
        (attribute_name(index), _type(field, depth + 1) | msgspec.UnsetType, msgspec.UNSET)
        for index, (name, field) in enumerate(properties.items())
        if is_plain((name,))
    ]
    return _struct("Object", fields, properties)


def _struct(
    name: str,
    fields: list[Any],
    names: Collection[str],
    base: type[msgspec.Struct] = msgspec.Struct,
) -> Any:
    rename = {attribute_name(index): name for index, name in enumerate(names) if is_plain((name,))}
    # What JSON holds has no cycles, so the garbage collector need not follow it.
    return msgspec.defstruct(
        name, fields, bases=(base,), rename=rename, forbid_unknown_fields=True, gc=False
    )


def is_plain(path: Path) -> bool:
    """Whether msgspec takes the names of a path: it takes none that JSON has to escape."""
    return not any(sign in '"\\' or sign < " " for name in path for sign in name)


def attribute_name(index: int) -> str:
    """The attribute of a property, by its place: Python would not take every name as one."""
    return f"f{index}"
