"""Values at the limits of their types."""

from __future__ import annotations

import json
import time
from decimal import Decimal

import msgspec
import pytest
from support.cases import cases

from tap_leads.records.convert import Converter
from tap_leads.records.pages import lead_of
from tap_leads.records.repair import repaired
from tap_leads.records.schema import LEAD_SCHEMA
from tap_leads.records.values import kind_of


@cases(
    whole_number=("session_count", "1\u0663"),
    number=("location_data", {"latitude": "1\u0663"}),
    fraction=("location_data", {"latitude": "1.\u0663"}),
    time=("created_at", "2020-08-05T13:14:5\u0663Z"),
)
def test_digits_of_other_scripts_are_no_digits(field: str, value: object) -> None:
    record = Converter(LEAD_SCHEMA).record({"id": "1", field: value})
    assert record[field] is None
    assert record["additional_fields"] == {field: value}


@cases(
    (-(10**11), "1966-10-31T14:13:20Z"),
    (1 - 10**11, None),
    (10**11 - 1, "5138-11-16T09:46:39Z"),
    (10**11, "1973-03-03T09:46:40Z"),
    (Decimal("1503488750123.123"), "2017-08-23T11:45:50.123123Z"),
    (Decimal("1503488750123.1234"), None),
)
def test_from_ten_to_the_eleventh_on_times_are_milliseconds(
    sent: int | Decimal, moment: str | None
) -> None:
    record = Converter(LEAD_SCHEMA).record({"id": "1", "created_at": sent})
    assert record["created_at"] == moment
    assert record["additional_fields"] == ({"created_at": sent} if moment is None else None)


def test_values_after_a_null_and_an_unknown_property_are_converted_too() -> None:
    sent = {"city_name": None, "moon": 1, "postal_code": 50667, "latitude": "1.50"}
    record = Converter(LEAD_SCHEMA).record({"id": "1", "location_data": sent})
    assert record["location_data"] == {**sent, "postal_code": "50667", "latitude": Decimal("1.50")}


@cases("string", ["string"], ["string", "null"], ["null", "string"])
def test_the_kind_of_a_field_is_the_type_that_is_not_null(kinds: object) -> None:
    assert kind_of({"type": kinds}) == "string"


def test_the_time_zone_of_the_machine_changes_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        record = Converter(LEAD_SCHEMA).record(
            {"id": "1", "created_at": "2020-08-05T13:14:55-05:30", "updated_at": 0}
        )
    finally:
        monkeypatch.undo()
        time.tzset()
    assert record["created_at"] == "2020-08-05T18:44:55Z"
    assert record["updated_at"] == "1970-01-01T00:00:00Z"


def test_a_nul_in_a_lead_is_replaced() -> None:
    assert lead_of(msgspec.Raw(b'{"id": "a", "name": "x\\u0000"}'))["name"] == "x\ufffd"


def test_each_of_several_values_that_are_too_deep_is_kept() -> None:
    deep = b"[" * 5000 + b"]" * 5000
    found = json.loads(repaired(b'{"a": %b, "b": %b, "c": 1}' % (deep, deep)))
    assert found["a"] == found["b"]
    assert found["c"] == 1


@cases((2**63 - 1, True), (2**63, False), (-(2**63), True), (-(2**63) - 1, False))
def test_a_page_of_leads_has_whole_numbers_of_64_bits(count: int, fits: bool) -> None:
    body = json.dumps({"contacts": [{"id": "1", "session_count": count}]}).encode()
    (lead,) = Converter(LEAD_SCHEMA).leads(body)
    record = json.loads(msgspec.json.encode(lead))
    assert record["session_count"] == (count if fits else None)
    assert record["additional_fields"] == (None if fits else {"session_count": count})
