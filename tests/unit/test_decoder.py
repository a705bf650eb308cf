"""Leads that are decoded at once give the records that converting value by value gives."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.cases import cases
from support.records import FITTING, LEADS, leads_of

from tap_leads.records.convert import Converter
from tap_leads.records.decoder import UNREADABLE, LeadDecoder
from tap_leads.records.misfits import Misfits
from tap_leads.records.schema import CUSTOM_ATTRIBUTES, LEAD_SCHEMA, with_attributes
from tap_leads.sandbox import lead
from tap_leads.tap import TapLeads

NAME = "unknown"
DIGITS = Decimal("0.1234567890123456789012345")
ENCODER = msgspec.json.Encoder(decimal_format="number")


def small(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with one field of each type, because a decoder for it is made faster."""
    return {"properties": {name: schema["properties"][name] for name in ("id", *FITTING)}}


ATTRIBUTES = {"size": "integer", "budget": "float", "ends_at": "date", '"plan"': "string"}
DEFINITIONS = [
    {"name": name, "data_type": kind, "custom": True} for name, kind in ATTRIBUTES.items()
]
OPEN, TYPED = small(LEAD_SCHEMA), small(with_attributes({"data_attributes": DEFINITIONS}))


def page(*leads: dict[str, Any]) -> bytes:
    """The body of a page."""
    return ENCODER.encode({"type": "contact.list", "contacts": leads})


def one_lead(**fields: Any) -> bytes:
    """The body of a page with one lead."""
    return page({"id": "1", **fields})


def written(records: Any) -> list[bytes]:
    """Records as a target sees them, whatever the order of their properties."""
    decoder = msgspec.json.Decoder(float_hook=Decimal)
    encoder = msgspec.json.Encoder(decimal_format="number", order="sorted")
    return list(map(encoder.encode, decoder.decode(ENCODER.encode(list(records)))))


@given(
    pages=st.lists(st.lists(LEADS, max_size=2), min_size=1, max_size=3),
    flattened=st.booleans(),
    typed=st.booleans(),
)
@example(pages=[[{"id": "1", "additional_fields": None}]], flattened=False, typed=False)
def test_any_pages_give_the_same_records_at_once_and_value_by_value(
    pages: list[list[dict[str, Any]]], *, flattened: bool, typed: bool
) -> None:
    schema = TYPED if typed else OPEN
    at_once, by_value = (Converter(schema, flattened=flattened) for _ in range(2))
    for leads in pages:
        body = page(*leads)
        assert written(at_once.leads(body)) == written(map(by_value.record, leads_of(body)))
    assert at_once.misfits == by_value.misfits


def test_leads_as_intercom_documents_them_are_decoded_at_once_and_not_copied() -> None:
    """Otherwise the records would still be right, but cost twice as much."""
    stream = TapLeads(config={"access_token": "any"}).contacts
    (output,) = stream.stream_maps
    body = page(*(lead(seed, index) for seed in range(3) for index in range(100)))
    leads: list[Any] = LeadDecoder(stream.schema, (), Misfits()).page(body)
    assert len(leads) == 300
    assert all(output.transform(one) is one for one in leads)


@cases(
    field={NAME: {"text": "x"}},
    null={NAME: None},
    any_name={"class": 1, "f0": 2, "__init__": 3, "": 4, "a\u00a0b?": 5},
    property_of_an_object={"location_data": {NAME: 1}},
    property_in_a_list={"tags": {"tags": [{"id": "1", NAME: "red"}]}},
    custom_attribute={CUSTOM_ATTRIBUTES: {"size": 5, NAME: 1}},
)
def test_a_page_with_undocumented_names_is_decoded_at_once_after_the_first(
    undocumented: dict[str, Any],
) -> None:
    body = page(*({"id": identity, **undocumented} for identity in "12"))
    learned = LeadDecoder(TYPED, {CUSTOM_ATTRIBUTES}, misfits := Misfits())
    with pytest.raises(UNREADABLE):
        learned.page(body)
    sent = leads_of(body)
    learned.learn(sent[0])
    by_value = Converter(TYPED)
    assert written(learned.page(body)) == written(map(by_value.record, sent))
    assert misfits == by_value.misfits


def test_names_without_end_do_not_fill_the_memory() -> None:
    learned = LeadDecoder(OPEN, (), Misfits())
    for number in range(101):
        learned.learn({"id": "1", f"name_{number}": 1})
    assert len(learned.page(one_lead(name_99=1))) == 1
    with pytest.raises(UNREADABLE):
        learned.page(one_lead(name_100=1))


@cases(
    *(one_lead(created_at=at) for at in (None, 0, -1, 951782400, -62135596800, 10**11 - 1)),
    digits=one_lead(location_data={"latitude": DIGITS}, custom_attributes={"x": DIGITS}),
    a_name_twice=one_lead(name="@").replace(b'"@"', b'"first", "name": "last"'),
)
def test_a_lead_that_fits_is_written_as_it_is_value_by_value(body: bytes) -> None:
    by_value = map(Converter(OPEN).record, leads_of(body))
    assert written(LeadDecoder(OPEN, (), Misfits()).page(body)) == written(by_value)


@cases(
    a_value_of_another_type=one_lead(name=5),
    a_field_that_is_not_known=one_lead(**{NAME: True}),
    a_field_of_our_own=one_lead(additional_fields={}),
    a_property_that_is_not_known=one_lead(location_data={NAME: 5}),
    a_null_in_a_list=one_lead(tags={"tags": [None]}),
    a_time_as_text=one_lead(created_at="2020-01-01T00:00:00Z"),
    a_time_in_milliseconds=one_lead(created_at=10**11),
    a_time_before_all_times=one_lead(created_at=-62135596801),
    an_integer_beyond_64_bits=one_lead(session_count=2**63),
    an_integer_below_64_bits=one_lead(session_count=-(2**63) - 1),
    a_number_as_text=one_lead(location_data={"latitude": "1.5"}),
    an_empty_id=page({"id": ""}),
    an_id_that_is_a_number=page({"id": 5}),
    no_id=page({"name": "Ada"}),
    NUL=one_lead(name="\0"),
    half_of_a_pair=one_lead(name="@").replace(b"@", rb"\ud800"),
    no_UTF_8=one_lead(name="@").replace(b"@", b"\xff"),
    NaN=one_lead(custom_attributes={"x": "@"}).replace(b'"@"', b"NaN"),
    no_leads=b"{}",
    nested_without_end=b'{"contacts":' + b"[" * 100_000,
)
def test_what_must_be_converted_or_refused_is_left_to_the_converters(body: bytes) -> None:
    with pytest.raises(UNREADABLE):
        LeadDecoder(OPEN, (), Misfits()).page(body)


@cases(
    another_type={"name": ["Ada"]},
    NUL={"name": "\0", "custom_attributes": {"x": "\0"}},
    time={"created_at": -62135596801},
    zero={"additional_fields": 0},
    one={"additional_fields": 1},
)
def test_one_lead_that_does_not_fit_changes_nothing_for_the_others_of_its_page(
    other: dict[str, Any],
) -> None:
    leads = [lead(7, index) for index in range(3)]
    body = page(*leads, leads[0] | {"id": "4"} | other)
    records = written(Converter(LEAD_SCHEMA).leads(body))
    assert records[:3] == written(Converter(LEAD_SCHEMA).leads(page(*leads)))
    assert records == written(map(Converter(LEAD_SCHEMA).record, leads_of(body)))
    assert b"\\u0000" not in records[3]


def test_a_lead_is_read_like_a_dictionary() -> None:
    given = {"name": "Ada", "location_data": {"latitude": DIGITS}}
    (found,) = Converter(OPEN).leads(one_lead(**given, **{NAME: 1}))
    expected = dict.fromkeys(OPEN["properties"]) | given
    expected |= {"id": "1", "additional_fields": {NAME: 1}}
    assert dict(found) == dict(found.items()) == expected
    assert list(found) == list(found.keys()) == list(expected)
    assert list(found.values()) == list(expected.values())
    assert (len(found), bool(found)) == (len(expected), True)
    assert (found["name"], found.get("name"), found.get(NAME)) == ("Ada", "Ada", None)
    assert ("name" in found, NAME in found) == (True, False)
