"""A lead as Intercom sends it becomes a record that fits the schema, and nothing gets lost.

A value that does not fit its field, and a field that the schema does not know, move unchanged to
`additional_fields`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from tap_leads.records.fast_path import ExactPage
from tap_leads.records.pages import lead_id, leads_of
from tap_leads.records.schema import ADDITIONAL_FIELDS, CUSTOM_ATTRIBUTES, OPEN_OBJECT
from tap_leads.records.values import Convert, MisfitError, converter

_MAX_NAMES = 100
_OTHER_NAMES = "(other names)"
# So many names of misfits are counted one by one: memory stays bounded whatever is sent.


class Shaper:
    """Turns leads into records, and counts what did not fit.

    Args:
        schema: The JSON Schema of a record.
        withheld: Names of fields that the user deselected or maps: their values never move to
            `additional_fields`, where the selection or the map would not reach them.
        flattened: Whether the properties of objects become columns. What an object holds beside
            its declared properties would then get lost, and so moves to `additional_fields` too.
    """

    def __init__(
        self, schema: Mapping[str, Any], withheld: Collection[str] = (), *, flattened: bool = False
    ) -> None:
        fields = dict(schema["properties"])
        del fields[ADDITIONAL_FIELDS]
        apart = fields if flattened else (CUSTOM_ATTRIBUTES,)
        self._parts = {
            name: _converters(fields[name]["properties"])
            for name in apart
            if "properties" in fields[name]
        }
        self._flattened = flattened
        # Declared attributes are fitted one by one: a misfit leaves the others where they are.
        fields[CUSTOM_ATTRIBUTES] = OPEN_OBJECT
        self._empty = dict.fromkeys([*fields, ADDITIONAL_FIELDS])
        self._converters = _converters(fields)
        self._exact = ExactPage(fields)
        self._withheld = frozenset(withheld)
        self.misfits: Counter[str] = Counter()

    def records(self, body: bytes) -> Iterator[dict[str, Any]]:
        """The records of the leads of a page, each with every field of the schema.

        Raises:
            NotAPageError: The body holds none.
            LeadWithoutIdError: A lead has no id.
        """
        records = self._exact.records(body)
        if records is None:
            yield from map(self.record, leads_of(body))
            return
        for record in records:
            record[ADDITIONAL_FIELDS] = None
            yield self._with_parts(record)

    def record(self, lead: dict[str, Any]) -> dict[str, Any]:
        """The record of a lead, read field by field.

        Raises:
            LeadWithoutIdError: The lead has no id.
        """
        identity = lead_id(lead.get("id"))
        fitted, misfits = _fit(lead, self._converters)
        record = {**self._empty, **fitted, "id": identity}
        self._count(misfits)
        misfits = {name: misfits[name] for name in misfits if name not in self._withheld}
        record[ADDITIONAL_FIELDS] = misfits or None
        return self._with_parts(record)

    def _with_parts(self, record: dict[str, Any]) -> dict[str, Any]:
        """A record whose objects hold no property but those that fit, where that matters."""
        for name, parts in self._parts.items():
            if record[name] is not None:
                self._fit_parts(record, name)
            if self._flattened:  # each property is a column, of every record
                record[name] = {**dict.fromkeys(parts), **(record[name] or {})}
        return record

    def _fit_parts(self, record: dict[str, Any], name: str) -> None:
        """Leaves in an object the properties that fit, and sets the others aside."""
        record[name], misfits = _fit(record[name], self._parts[name])
        self._count(f"{name}.{part}" for part in misfits)
        if misfits and name not in self._withheld:
            record[ADDITIONAL_FIELDS] = {**(record[ADDITIONAL_FIELDS] or {}), name: misfits}

    def _count(self, names: Iterable[str]) -> None:
        for name in names:
            counted = name in self.misfits or len(self.misfits) < _MAX_NAMES
            self.misfits[name if counted else _OTHER_NAMES] += 1

    def report(self) -> Iterator[str]:
        """One sentence for each field whose values did not all fit; it holds none of them."""
        for name, count in sorted(self.misfits.items()):
            field, _, part = name.partition(".")
            known = part in self._parts.get(field, ()) if part else field in self._converters
            kind = "holds a value of another type" if known else "is not known"
            fate = (
                "left out, as you deselected or mapped it"
                if {field, ADDITIONAL_FIELDS} & self._withheld
                else f"kept unchanged in '{ADDITIONAL_FIELDS}'"
            )
            yield f"Field {name[:80]!r} {kind} in {count} lead(s): {fate}."


def _converters(fields: Mapping[str, Any]) -> dict[str, Convert]:
    return {name: converter(field) for name, field in fields.items()}


def _fit(
    values: Mapping[str, Any], converters: Mapping[str, Convert]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The values that fit, converted; and those that do not, or have no converter, unchanged."""
    fitted: dict[str, Any] = {}
    misfits: dict[str, Any] = {}
    for name, value in values.items():
        try:
            convert = converters[name]
            fitted[name] = None if value is None else convert(value)
        except (KeyError, MisfitError):
            misfits[name] = value
    return fitted, misfits
