"""Decodes leads whose values all fit the schema: nearly every lead, several times faster.

msgspec checks and decodes a whole page at once, into structs that are written as records. It
accepts only values for which the converters in `values` would give the same record. `convert`
passes any other lead to these converters.

Most workspaces have fields that the schema does not know. The decoder learns them: after it has
seen a name once, it decodes the values of that name as they are.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from types import NoneType
from typing import Any, NamedTuple

import msgspec

from tap_leads.records.lead_record import LeadRecord, attributes, is_plain, lead_type
from tap_leads.records.misfits import Misfit, Misfits
from tap_leads.records.repair import NUL
from tap_leads.records.schema import ADDITIONAL_FIELDS
from tap_leads.records.selection import Path
from tap_leads.records.values import MisfitError, is_time, kind_of

UNREADABLE = (ValueError, ArithmeticError, RecursionError)
"""What msgspec raises if a lead does not fit, or is not JSON.

An ArithmeticError means that a number has an exponent which no Decimal holds.
"""

_MAX_LEARNED = 100
_NUMBERS = frozenset({int, Decimal, NoneType, msgspec.UnsetType})


class _Place(NamedTuple):
    """A lead, or one of its objects, and what must be done there after decoding.

    Attributes:
        owner: The attribute of the lead that holds the object; None for the lead itself.
        times: Attributes that hold seconds since 1970.
        numbers: Attributes that hold numbers, unless something else was sent.
        moved: Attributes whose values move to `additional_fields`, with their path.
    """

    owner: str | None
    times: list[str]
    numbers: list[str]
    moved: dict[str, Path]

    def find(self, leads: list[LeadRecord]) -> tuple[list[LeadRecord], list[Any]]:
        """The leads that have this place, and what they have there."""
        if self.owner is None:
            return leads, leads
        holder = attrgetter(self.owner)
        owners = [lead for lead in leads if holder(lead) is not None]
        return owners, list(map(holder, owners))


class LeadDecoder:
    """Decodes leads that fit.

    Args:
        schema: The JSON Schema of a record.
        parts: Objects whose unknown properties move to `additional_fields`, as the unknown fields
            of the lead itself do. In other objects, unknown properties stay where they are.
        misfits: Counts the values that were moved.
    """

    def __init__(self, schema: Mapping[str, Any], parts: Collection[str], misfits: Misfits) -> None:
        self._fields = list(schema["properties"])
        self._additional = attributes(self._fields)[ADDITIONAL_FIELDS]
        self._parts = parts
        self._misfits = misfits
        self._room = _MAX_LEARNED
        self._schema = copy.deepcopy({"properties": schema["properties"]})
        self._build()

    def page(self, body: bytes) -> list[LeadRecord]:
        """The leads of a page.

        Raises:
            UNREADABLE: At least one of them does not fit, or contains NUL.
        """
        leads = self._decode(body)
        self._complete(leads)
        return leads

    def leads(self, raw: Iterable[msgspec.Raw]) -> list[LeadRecord | None]:
        """The same leads, decoded one by one: None for each that does not fit."""
        leads: list[LeadRecord | None] = []
        for one in raw:
            try:
                leads += self._decode(b'{"contacts":[%b]}' % one)
            except UNREADABLE:
                leads.append(None)
        self._complete([lead for lead in leads if lead is not None])
        return leads

    def from_record(self, record: Mapping[str, Any]) -> LeadRecord:
        """The struct of a record that the converters made."""
        return self._lead(*map(record.__getitem__, self._fields))

    def learn(self, lead: Mapping[str, Any]) -> None:
        """Learns the names in a lead that the schema does not know, up to a limit."""
        room = self._room
        self._learn(lead, self._schema)
        if self._room < room:
            self._build()

    def _learn(self, value: Any, field: dict[str, Any]) -> None:
        """Adds unknown properties to the schema of a field, each with an empty schema."""
        if "items" in field and type(value) is list:
            for item in value:
                self._learn(item, field["items"])
        elif "properties" in field and type(value) is dict:
            properties = field["properties"]
            for name, inner in value.items():
                if name in properties:
                    self._learn(inner, properties[name])
                elif self._room and is_plain(name):
                    properties[name] = {}
                    self._room -= 1

    def _build(self) -> None:
        properties = self._schema["properties"]
        places = [_place(None, (), properties, moves=True)]
        for name, attribute in attributes(properties).items():
            inner = properties[name].get("properties", {})
            places.append(_place(attribute, (name,), inner, moves=name in self._parts))
        self._checked = [place for place in places if place.numbers]
        self._completed = [place for place in places if place.times or place.moved]
        self._lead = lead_type(properties)
        page = msgspec.defstruct("Page", [("contacts", list[self._lead])])  # type: ignore[name-defined]
        self._page: msgspec.json.Decoder[Any] = msgspec.json.Decoder(page, float_hook=Decimal)

    def _decode(self, body: bytes) -> list[LeadRecord]:
        """Decodes a page, and checks the numbers, as their type accepts anything."""
        if NUL in body:
            raise MisfitError
        leads: list[LeadRecord] = self._page.decode(body).contacts
        for place in self._checked:
            _, holders = place.find(leads)
            for attribute in place.numbers:
                if not _NUMBERS.issuperset(map(type, map(attrgetter(attribute), holders))):
                    raise MisfitError
        return leads

    def _complete(self, leads: list[LeadRecord]) -> None:
        """Converts times, and moves values to `additional_fields`. Nothing can fail."""
        for place in self._completed:
            owners, holders = place.find(leads)
            for attribute in place.times:
                _convert_times(holders, attribute)
            for attribute, path in place.moved.items():
                self._move(owners, holders, attribute, path)

    def _move(
        self, leads: list[LeadRecord], holders: list[Any], attribute: str, path: Path
    ) -> None:
        *above, name = path
        values = list(map(attrgetter(attribute), holders))
        for lead, holder, value in zip(leads, holders, values, strict=True):
            if value is msgspec.UNSET:
                continue
            setattr(holder, attribute, msgspec.UNSET)
            kept = getattr(lead, self._additional)
            if kept is None:
                kept = {}
                setattr(lead, self._additional, kept)
            for step in above:
                kept = kept.setdefault(step, {})
            kept[name] = value
        for kind, count in Counter(map(type, values)).items():
            if kind is not msgspec.UnsetType:
                self._misfits.add(Misfit(path, known=False, is_object=kind is dict), count)


def _place(owner: str | None, path: Path, properties: Mapping[str, Any], *, moves: bool) -> _Place:
    place = _Place(owner, [], [], {})
    for name, attribute in attributes(properties).items():
        field = properties[name]
        if is_time(field):
            place.times.append(attribute)
        elif field and kind_of(field) == "number":
            place.numbers.append(attribute)
        elif moves and not field:
            place.moved[attribute] = (*path, name)
    return place


def _convert_times(holders: list[Any], attribute: str) -> None:
    """Makes seconds since 1970 date-times, which msgspec writes as RFC 3339 requires."""
    sent = map(attrgetter(attribute), holders)
    seconds = [None if value is msgspec.UNSET else value for value in sent]
    moments = msgspec.convert(seconds, list[datetime | None], strict=False)
    for holder, moment in zip(holders, moments, strict=True):
        if moment is not None:
            setattr(holder, attribute, moment)
