"""Flattens records: the properties of objects become columns.

The SDK can flatten too, but its column names are not safe: PostgreSQL keeps 63 bytes of a name,
many databases ignore case, and the names of attributes are often long questions. Here, a name that
is too long or taken ends in a hash of its path. The name of a column depends on its path alone,
unless two names differ only in case. Then the older attribute keeps its name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from tap_leads.errors import TapLeadsError
from tap_leads.records.selection import Path

MAX_BYTES = 63
"""What PostgreSQL keeps of a column's name."""

_HASH_LENGTH = 8
_ENCODER = msgspec.json.Encoder(decimal_format="number")

Columns = dict[str, "str | Columns"]
"""By the name of a property: its column, or the columns of the object that it holds."""


class Flattening:
    """Flattens the records of a schema.

    Args:
        schema: The JSON Schema of a record.
        depth: How many levels of objects become columns.
        separator: Joins the names of a path.
        max_length: The user's limit for the characters of a column's name, if there is one.

    Attributes:
        schema: The JSON Schema of a flattened record.
        shortened: The full names of the columns whose names were shortened, by column.

    Raises:
        TapLeadsError: The limit is too low to tell the columns apart.
    """

    def __init__(
        self, schema: Mapping[str, Any], depth: int, separator: str, max_length: int | None
    ) -> None:
        self._separator = separator
        self._max_length = max_length or MAX_BYTES
        self._taken: set[str] = set()
        self.shortened: dict[str, str] = {}
        properties: dict[str, Any] = {}
        self._columns = self._flatten(schema, (), depth, properties)
        self.schema = {**schema, "properties": properties}

    def column(self, field: str) -> str:
        """The column of a field that is no object."""
        column = self._columns.get(field)
        return column if isinstance(column, str) else field

    def record(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """A record with a value for each column; lists and other objects become JSON text."""
        flat: dict[str, Any] = {}
        _fill(flat, record, self._columns)
        return flat

    def _flatten(
        self, schema: Mapping[str, Any], path: Path, depth: int, flat: dict[str, Any]
    ) -> Columns:
        columns: Columns = {}
        for name, field in schema["properties"].items():
            if field.get("properties") and depth:
                columns[name] = self._flatten(field, (*path, name), depth - 1, flat)
            else:
                columns[name] = column = self._name((*path, name))
                flat[column] = _column_schema(field, self.shortened.get(column))
        return columns

    def _name(self, path: Path) -> str:
        full = self._separator.join(path)
        name = self._cut(full)
        if name != full or full.casefold() in self._taken:
            end = "_" + hashlib.sha256("\0".join(path).encode()).hexdigest()[:_HASH_LENGTH]
            name = self._cut(full, len(end)) + end
            self.shortened[name] = full
        if name.casefold() in self._taken or len(name) > self._max_length:
            raise TapLeadsError(
                "Setting 'flattening_max_key_length' is too low to give each column a name of its "
                "own. Give it a higher value, or leave it out."
            )
        self._taken.add(name.casefold())
        return name

    def _cut(self, name: str, room: int = 0) -> str:
        """A name within both limits, and with room for so many more characters."""
        characters = max(0, self._max_length - room)
        return name[:characters].encode()[: MAX_BYTES - room].decode(errors="ignore")


def _fill(flat: dict[str, Any], values: Mapping[str, Any], columns: Columns) -> None:
    for name, column in columns.items():
        value = values.get(name)
        if isinstance(column, str):
            structured = type(value) is dict or type(value) is list
            flat[column] = _ENCODER.encode(value).decode() if structured else value
        elif value is None or type(value) is dict:
            _fill(flat, value or {}, column)
        else:  # a stream map has replaced the object by another value
            flat[name] = value


def _column_schema(field: Mapping[str, Any], full_name: str | None) -> dict[str, Any]:
    kinds = field.get("type", ["string", "null"])
    if "object" in kinds or "array" in kinds:
        kinds = ["string", "null"] if "null" in kinds else ["string"]
        field = {name: field[name] for name in ("description",) if name in field} | {"type": kinds}
    if full_name is None:
        return dict(field)
    description = f"{field.get('description', '')} Full name: {full_name}".strip()
    return {**field, "description": description}
