"""The record of a lead: a struct, which is faster to make and to write than a dictionary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec


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
        return True  # else it would be its length, which takes a dictionary to find out

    get = Mapping.get
    keys = Mapping.keys
    items = Mapping.items
    values = Mapping.values
    __contains__ = Mapping.__contains__


Mapping.register(LeadRecord)

Lead: TypeAlias = Any
"""A `LeadRecord`, where the types of the SDK know dictionaries only."""


def as_record(lead: Lead) -> dict[str, Any]:
    """The record of a lead as a dictionary."""
    record: dict[str, Any] = msgspec.to_builtins(lead, builtin_types=(Decimal,))
    return record
