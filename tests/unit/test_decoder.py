"""Pages that are read in one go give the records that reading field by field gives."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.records import FEW_FIELDS, LEADS

from tap_leads.records.convert import Converter
from tap_leads.records.fast_path import ExactPage
from tap_leads.records.pages import leads_of
from tap_leads.records.schema import LEAD_SCHEMA, with_attributes
from tap_leads.sandbox import lead

ENCODER = msgspec.json.Encoder(decimal_format="number", order="sorted")

ATTRIBUTES = with_attributes(
    {
        "data_attributes": [
            {"name": name, "data_type": kind, "custom": True}
            for name, kind in (("team_size", "integer"), ("budget_€", "float"), ("at", "date"))
        ]
    }
)


NEARLY_FITTING = st.builds(
    lambda index, other: lead(7, index) | other | {"id": str(index + 1)},
    st.integers(0, 99),
    st.just({}) | FEW_FIELDS,
)
"""Leads as Intercom documents them, but for a field or two."""


def written(records: Any) -> list[bytes]:
    """Records as a target sees them, whatever the order of their properties."""
    return list(map(ENCODER.encode, records))


def page(leads: list[dict[str, Any]]) -> bytes:
    """The body of a page."""
    return ENCODER.encode({"type": "contact.list", "contacts": leads})


def one_lead(**fields: Any) -> bytes:
    """The body of a page with one lead."""
    return page([{"id": "1", **fields}])


@given(
    leads=st.lists(LEADS | NEARLY_FITTING, max_size=2),
    flattened=st.booleans(),
    typed=st.booleans(),
)
@settings(deadline=None, max_examples=200)
def test_any_page_gives_the_same_records_in_one_go_and_field_by_field(
    leads: list[dict[str, Any]], *, flattened: bool, typed: bool
) -> None:
    schema = ATTRIBUTES if typed else LEAD_SCHEMA
    body = page(leads)
    at_once, by_field = (Converter(schema, flattened=flattened) for _ in range(2))
    records = written(at_once.records(body))
    assert records == written(map(by_field.record, leads_of(body)))
    assert at_once.misfits == by_field.misfits


@pytest.mark.parametrize("number", range(5))
def test_leads_as_intercom_documents_them_are_read_in_one_go(number: int) -> None:
    """Else the records would still be right, but cost twice as much."""
    leads = [lead(number, index) for index in range(100)]
    records = ExactPage(LEAD_SCHEMA["properties"]).records(page(leads))
    assert records is not None
    assert [record["id"] for record in records] == [one["id"] for one in leads]


@pytest.mark.parametrize(
    "seconds", [0, -1, 951782400, 4102444800, -62135596800, 10**11 - 1, None], ids=str
)
def test_times_are_written_as_they_are_field_by_field(seconds: int | None) -> None:
    body = one_lead(created_at=seconds)
    records = ExactPage(LEAD_SCHEMA["properties"]).records(body)
    assert records is not None
    (by_field,) = map(Converter(LEAD_SCHEMA).record, leads_of(body))
    assert records[0]["created_at"] == by_field["created_at"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(one_lead(name=5), id="a-value-of-another-type"),
        pytest.param(one_lead(vip=True), id="a-field-that-is-not-known"),
        pytest.param(one_lead(avatar={"size": 5}), id="a-property-that-is-not-known"),
        pytest.param(one_lead(tags={"tags": [None]}), id="a-null-in-a-list"),
        pytest.param(one_lead(created_at="2020-01-01T00:00:00Z"), id="a-time-as-text"),
        pytest.param(one_lead(created_at=10**11), id="a-time-in-milliseconds"),
        pytest.param(one_lead(created_at=-62135596801), id="a-time-before-all-times"),
        pytest.param(one_lead(session_count=2**63), id="an-integer-beyond-64-bits"),
        pytest.param(one_lead(location_data={"latitude": 1.5}), id="a-fraction"),
        pytest.param(page([{"id": ""}]), id="an-empty-id"),
        pytest.param(page([{"id": 5}]), id="an-id-that-is-a-number"),
        pytest.param(page([{"name": "Ada"}]), id="no-id"),
        pytest.param(one_lead(name="\0"), id="NUL"),
        pytest.param(one_lead(name="@").replace(b"@", rb"\ud800"), id="half-of-a-pair"),
        pytest.param(one_lead(name="@").replace(b"@", b"\xff"), id="no-UTF-8"),
        pytest.param(one_lead(custom_attributes={"x": "@"}).replace(b'"@"', b"NaN"), id="NaN"),
        pytest.param(b"{}", id="no-leads"),
        pytest.param(b"", id="nothing"),
        pytest.param(b'{"contacts":' + b"[" * 100_000, id="nested-without-end"),
    ],
)
def test_what_must_be_converted_or_refused_is_left_to_those_who_know_how(body: bytes) -> None:
    assert ExactPage(LEAD_SCHEMA["properties"]).records(body) is None


def test_one_lead_that_does_not_fit_changes_nothing_for_the_others_of_its_page() -> None:
    leads = [lead(7, index) for index in range(3)]
    converter = Converter(LEAD_SCHEMA)
    records = written(converter.records(page([*leads, leads[0] | {"id": "4", "name": ["Ada"]}])))
    assert records[:3] == written(Converter(LEAD_SCHEMA).records(page(leads)))
    assert converter.misfits == {"name": 1}


def test_every_digit_of_a_number_is_kept() -> None:
    digits = b"0.1234567890123456789012345"
    body = one_lead(custom_attributes={"x": "@"}).replace(b'"@"', digits)
    records = ExactPage(LEAD_SCHEMA["properties"]).records(body)
    assert records is not None
    assert digits in ENCODER.encode(records)
