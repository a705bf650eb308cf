"""A lead as Intercom sends it becomes a record that fits the schema, and nothing is lost.

A value that does not fit its field, and a field that the schema does not know, move unchanged to
`additional_fields`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from tap_leads.records.decoder import UNREADABLE, LeadDecoder
from tap_leads.records.lead_record import Lead
from tap_leads.records.misfits import Misfit, Misfits
from tap_leads.records.pages import lead_id, lead_of, raw_leads
from tap_leads.records.repair import NUL
from tap_leads.records.schema import ADDITIONAL_FIELDS, CUSTOM_ATTRIBUTES, OPEN_OBJECT
from tap_leads.records.selection import Path
from tap_leads.records.values import Convert, MisfitError, converter


class Converter:
    """Turns the leads of pages into records, and counts what did not fit.

    Args:
        schema: The JSON Schema of a record.
        flattened: Whether the properties of objects become columns. What an object holds beside
            its declared properties would then be lost, and so moves to `additional_fields` too.

    Attributes:
        misfits: The values that did not fit.
    """

    def __init__(self, schema: Mapping[str, Any], *, flattened: bool = False) -> None:
        fields = dict(schema["properties"])
        del fields[ADDITIONAL_FIELDS]
        self._parts = {
            name: _converters(field["properties"])
            for name, field in fields.items()
            if "properties" in field and (flattened or name == CUSTOM_ATTRIBUTES)
        }
        # Declared attributes are fitted one by one: a misfit leaves the others where they are.
        fields[CUSTOM_ATTRIBUTES] = OPEN_OBJECT
        self._empty = dict.fromkeys(fields)
        self._converters = _converters(fields)
        self.misfits = Misfits()
        self._decoder = LeadDecoder(schema, self._parts, self.misfits)

    def leads(self, body: bytes) -> list[Lead]:
        """The leads of a page: structs that are encoded as records.

        Raises:
            NotAPageError: The body holds none.
            LeadWithoutIdError: A lead has no id.
        """
        if NUL not in body:
            try:
                return self._decoder.page(body)
            except UNREADABLE:
                pass  # at least one lead does not fit: each is tried alone
        return [self._lead(raw) for raw in raw_leads(body)]

    def _lead(self, raw: msgspec.Raw) -> Lead:
        if NUL not in bytes(raw):
            try:
                return self._decoder.lead(raw)
            except UNREADABLE:
                pass
        lead = lead_of(raw)
        self._decoder.learn(lead)
        return self._decoder.from_record(self.record(lead))

    def record(self, lead: Mapping[str, Any]) -> dict[str, Any]:
        """The record of a lead, converted value by value.

        Raises:
            LeadWithoutIdError: The lead has no id.
        """
        identity = lead_id(lead.get("id"))
        fitted, rest = self._fit(lead, self._converters)
        record = {**self._empty, **fitted, "id": identity}
        for name, parts in self._parts.items():
            if record[name] is not None:
                record[name], misfits = self._fit(record[name], parts, (name,))
                if misfits:
                    rest[name] = misfits
        record[ADDITIONAL_FIELDS] = rest or None
        return record

    def _fit(
        self, values: Mapping[str, Any], converters: Mapping[str, Convert], at: Path = ()
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The values that fit, converted; and those that do not, unchanged."""
        fitted: dict[str, Any] = {}
        misfits: dict[str, Any] = {}
        for name, value in values.items():
            try:
                convert = converters[name]
                fitted[name] = None if value is None else convert(value)
            except (KeyError, MisfitError):
                misfits[name] = value
                known, is_object = name in converters, type(value) is dict
                self.misfits.add(Misfit((*at, name), known=known, is_object=is_object))
        return fitted, misfits


def as_plain_record(lead: Lead) -> dict[str, Any]:
    """The record of a lead, its fractions as floats where no digit is lost: for expressions."""
    record: dict[str, Any] = _PLAIN.decode(_ENCODER.encode(lead))
    return record


def _fraction(text: str) -> float | Decimal:
    exact = Decimal(text)
    return float(text) if Decimal(repr(float(text))) == exact else exact


_ENCODER = msgspec.json.Encoder(decimal_format="number")
_PLAIN = msgspec.json.Decoder(dict[str, Any], float_hook=_fraction)


def _converters(fields: Mapping[str, Any]) -> dict[str, Convert]:
    return {name: converter(field) for name, field in fields.items()}
