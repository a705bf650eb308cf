"""A lead as Intercom sends it becomes a record that fits the schema, and nothing is lost.

A value that does not fit its field, and a field that the schema does not know, move unchanged to
`additional_fields`.

There are two ways, which give the same records. `decoder` decodes leads that fit, if possible a
whole page at once. Any other lead is decoded into a dictionary, and converted value by value.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from tap_leads.records.decoder import UNREADABLE, LeadDecoder
from tap_leads.records.lead_record import LeadRecord
from tap_leads.records.misfits import Misfit, Misfits
from tap_leads.records.pages import lead_id, lead_of, raw_leads
from tap_leads.records.schema import ADDITIONAL_FIELDS, CUSTOM_ATTRIBUTES, OPEN_OBJECT
from tap_leads.records.selection import Path
from tap_leads.records.values import Convert, MisfitError, converters


class Converter:
    """Turns the leads of pages into records, and counts the values that do not fit.

    Args:
        schema: The JSON Schema of a record.
        flattened: Whether the properties of objects become columns. The undeclared properties of
            an object would then be lost, and so move to `additional_fields` too.

    Attributes:
        misfits: The values that did not fit.
    """

    def __init__(self, schema: Mapping[str, Any], *, flattened: bool = False) -> None:
        fields = dict(schema["properties"])
        self._empty = dict.fromkeys(fields)
        del fields[ADDITIONAL_FIELDS]
        self._parts = {
            name: converters(field["properties"])
            for name, field in fields.items()
            if "properties" in field and (flattened or name == CUSTOM_ATTRIBUTES)
        }
        # Declared attributes are converted one by one: a misfit leaves the others where they are.
        self._fields = converters({**fields, CUSTOM_ATTRIBUTES: OPEN_OBJECT})
        self.misfits = Misfits()
        self._decoder = LeadDecoder(schema, self._parts, self.misfits)

    def leads(self, body: bytes) -> list[LeadRecord]:
        """The records of a page.

        Raises:
            NotAPageError: The body is not a page.
            LeadWithoutIdError: A lead has no id.
        """
        with suppress(*UNREADABLE):
            return self._decoder.page(body)
        raw = raw_leads(body)
        leads = self._decoder.leads(raw)
        return [lead or self._lead(one) for lead, one in zip(leads, raw, strict=True)]

    def _lead(self, raw: msgspec.Raw) -> LeadRecord:
        lead = lead_of(raw)
        self._decoder.learn(lead)
        return self._decoder.from_record(self.record(lead))

    def record(self, lead: Mapping[str, Any]) -> dict[str, Any]:
        """The record of a lead, converted value by value.

        Raises:
            LeadWithoutIdError: The lead has no id.
        """
        identity = lead_id(lead.get("id"))
        fitted, rest = self._fit(lead, self._fields)
        record = {**self._empty, **fitted, "id": identity}
        for name, parts in self._parts.items():
            if record[name] is not None:
                record[name], misfits = self._fit(record[name], parts, (name,))
                if misfits:
                    rest[name] = misfits
        record[ADDITIONAL_FIELDS] = rest or None
        return record

    def _fit(
        self, values: Mapping[str, Any], fields: Mapping[str, Convert], path: Path = ()
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The values that fit, converted; and the other values, unchanged."""
        fitted: dict[str, Any] = {}
        misfits: dict[str, Any] = {}
        for name, value in values.items():
            try:
                convert = fields[name]
                fitted[name] = None if value is None else convert(value)
            except (KeyError, MisfitError):
                misfits[name] = value
                known, is_object = name in fields, type(value) is dict
                self.misfits.add(Misfit((*path, name), known=known, is_object=is_object))
        return fitted, misfits
