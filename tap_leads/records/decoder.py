"""Decodes leads whose values all fit the schema: nearly every lead, several times faster.

msgspec checks and decodes a whole page at once, into structs that are written as the record. It
takes only values that the converters in `values` would leave as they are, so that both ways give
the same record. Any other lead is left to the converters.

Most workspaces have fields that the schema does not know. The decoder learns them: after a name was
seen once, its values are decoded as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from types import NoneType
from typing import Any, NamedTuple

import msgspec

from tap_leads.records.lead_record import Lead
from tap_leads.records.misfits import Misfit, Misfits
from tap_leads.records.schema import ADDITIONAL_FIELDS
from tap_leads.records.selection import Path
from tap_leads.records.struct_types import attribute_name, is_plain, lead_type
from tap_leads.records.values import MisfitError, is_time, kind_of

UNREADABLE = (ValueError, ArithmeticError, RecursionError)
"""What msgspec raises where a lead does not fit, or is no JSON.

An ArithmeticError is a number whose exponent no Decimal holds.
"""

_MAX_LEARNED = 100
_NUMBERS = frozenset({int, Decimal, NoneType, msgspec.UnsetType})
_ANYTHING: dict[str, Any] = {}


class _Place(NamedTuple):
    """Where a decoded lead, or one of its objects, needs more than decoding.

    Attributes:
        owner: The attribute of the lead that holds the object; None for the lead itself.
        times: Attributes that hold seconds since 1970.
        numbers: Attributes that hold numbers, but may have got something else.
        moved: Attributes whose values move to `additional_fields`, with their path.
    """

    owner: str | None
    times: list[str]
    numbers: list[str]
    moved: dict[str, Path]


class LeadDecoder:
    """Decodes leads that fit.

    Args:
        schema: The JSON Schema of a record.
        parts: Objects whose unknown properties move to `additional_fields`, as the unknown fields
            of the lead itself do. In other objects, unknown properties stay where they are.
        misfits: Counts the values that were moved.
    """

    def __init__(self, schema: Mapping[str, Any], parts: Collection[str], misfits: Misfits) -> None:
        self._fields = tuple(schema["properties"])
        self._schema = {"properties": schema["properties"]}
        self._parts = parts
        self._misfits = misfits
        self._learned: set[Path] = set()
        self._additional = attribute_name(self._fields.index(ADDITIONAL_FIELDS))
        self._build()

    def page(self, body: bytes) -> list[Lead]:
        """The leads of a page.

        Raises:
            UNREADABLE: One of them does not fit.
        """
        leads: list[Lead] = self._pages.decode(body).contacts
        self._complete(leads)
        return leads

    def lead(self, raw: msgspec.Raw) -> Lead:
        """One lead.

        Raises:
            UNREADABLE: It does not fit.
        """
        lead = self._leads.decode(raw)
        self._complete([lead])
        return lead

    def from_record(self, record: Mapping[str, Any]) -> Lead:
        """The same struct, of a record that the converters made."""
        return self._lead(*map(record.__getitem__, self._fields))

    def learn(self, lead: Mapping[str, Any]) -> None:
        """Learns the names in a lead that the schema does not know, up to a limit."""
        room = _MAX_LEARNED - len(self._learned)
        if not room:
            return
        unknown = sorted(filter(is_plain, set(_unknown(lead, self._schema))))[:room]
        for path in unknown:
            self._schema = _with_field(self._schema, path)
        if unknown:
            self._learned.update(unknown)
            self._build()

    def _build(self) -> None:
        properties = self._schema["properties"]
        owners = [
            self._place((name,), attribute_name(index), field["properties"])
            for index, (name, field) in enumerate(properties.items())
            if "properties" in field
        ]
        places = [self._place((), None, properties), *owners]
        self._places = [place for place in places if any(place[1:])]
        learned = {path[0] for path in self._learned if len(path) == 1}
        self._lead = lead_type(properties, learned)
        page = msgspec.defstruct("Page", [("contacts", list[self._lead])])  # type: ignore[name-defined]
        self._pages: msgspec.json.Decoder[Any] = msgspec.json.Decoder(page, float_hook=Decimal)
        self._leads: msgspec.json.Decoder[Any] = msgspec.json.Decoder(
            self._lead, float_hook=Decimal
        )

    def _place(self, at: Path, owner: str | None, properties: Mapping[str, Any]) -> _Place:
        named = {name: attribute_name(index) for index, name in enumerate(properties)}
        fields = [(name, field) for name, field in properties.items() if is_plain((name,))]
        moves = not at or at[0] in self._parts
        return _Place(
            owner,
            times=[named[name] for name, field in fields if is_time(field)],
            numbers=[named[name] for name, field in fields if field and kind_of(field) == "number"],
            moved={
                named[name]: (*at, name)
                for name in properties
                if moves and (*at, name) in self._learned
            },
        )

    def _complete(self, leads: list[Lead]) -> None:
        """Checks, converts and moves what the decoder could not."""
        places = []
        for place in self._places:
            owners, holders = leads, leads
            if place.owner:
                owners = [lead for lead in leads if getattr(lead, place.owner) is not None]
                holders = list(map(attrgetter(place.owner), owners))
            places.append((owners, holders, place.moved))
            for attribute in place.numbers:
                if not _NUMBERS.issuperset(map(type, map(attrgetter(attribute), holders))):
                    raise MisfitError
            for attribute in place.times:
                _convert_times(holders, attribute)
        for owners, holders, moved in places:  # nothing fails from here on
            for attribute, path in moved.items():
                self._move(owners, holders, attribute, path)

    def _move(self, leads: list[Lead], holders: list[Any], attribute: str, path: Path) -> None:
        *above, name = path
        values = map(attrgetter(attribute), holders)
        found = [
            (lead, holder, value)
            for lead, holder, value in zip(leads, holders, values, strict=True)
            if value is not msgspec.UNSET
        ]
        for lead, holder, value in found:
            setattr(holder, attribute, msgspec.UNSET)
            kept = getattr(lead, self._additional)
            if kept is None:
                kept = {}
                setattr(lead, self._additional, kept)
            for step in above:
                kept = kept.setdefault(step, {})
            kept[name] = value
        objects = sum(type(value) is dict for _, _, value in found)
        for is_object, count in ((True, objects), (False, len(found) - objects)):
            if count:
                self._misfits.add(Misfit(path, known=False, is_object=is_object), count)


def _convert_times(holders: list[Any], attribute: str) -> None:
    """Seconds since 1970 become moments, which are encoded as RFC 3339 has them."""
    sent = map(attrgetter(attribute), holders)
    seconds = [None if value is msgspec.UNSET else value for value in sent]
    moments = msgspec.convert(seconds, list[datetime | None], strict=False)
    for holder, moment in zip(holders, moments, strict=True):
        if moment is not None:
            setattr(holder, attribute, moment)


def _unknown(value: Any, field: Mapping[str, Any], path: Path = ()) -> Iterator[Path]:
    """The paths of properties that a field's schema does not know; a list adds no step."""
    if "items" in field and type(value) is list:
        for item in value:
            yield from _unknown(item, field["items"], path)
    elif "properties" in field and type(value) is dict:
        for name, inner in value.items():
            if name in field["properties"]:
                yield from _unknown(inner, field["properties"][name], (*path, name))
            else:
                yield (*path, name)


def _with_field(field: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The schema with one more property, which may hold anything."""
    if "items" in field:
        return {**field, "items": _with_field(field["items"], path)}
    name, *rest = path
    properties = field["properties"]
    inner = _with_field(properties[name], tuple(rest)) if rest else _ANYTHING
    return {**field, "properties": {**properties, name: inner}}
