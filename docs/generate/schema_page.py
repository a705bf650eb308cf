"""docs/schema.md, from the schema of the stream."""

from collections.abc import Iterator
from typing import Any

from tap_leads.records.schema import LEAD_SCHEMA

HEAD = """\
# The stream `contacts`

Written by `make docs` from `tap_leads/records/schema.py`. The key is `id`.
The fields are those of Intercom's API 1.0 to 1.4; all but `id` may be null.

| Field | Type | Description |
|---|---|---|
"""


def page() -> str:
    """The page."""
    rows = [
        f"| `{name}` | {type_of(field)} | {field['description']} |\n"
        for name, field in fields_of(LEAD_SCHEMA)
    ]
    return HEAD + "".join(rows)


def fields_of(schema: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """The properties of an object, each followed by those inside it: `a`, `a.b`, `a.b[].c`."""
    for name, field in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        yield path, field
        yield from fields_of(field, f"{path}.")
        yield from fields_of(field.get("items", {}), f"{path}[].")


def type_of(field: dict[str, Any]) -> str:
    """A field's type in a word."""
    kinds = field["type"] if isinstance(field["type"], list) else [field["type"]]
    kind = next(str(kind) for kind in kinds if kind != "null")
    return str(field.get("format", {"array": "list"}.get(kind, kind)))
