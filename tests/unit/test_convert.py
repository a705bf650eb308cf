"""A lead becomes a record that fits the schema, and nothing that was sent is lost."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given, settings
from jsonschema import Draft202012Validator
from support.records import LEADS, validator

from tap_leads.records.convert import Converter
from tap_leads.records.pages import LeadWithoutIdError
from tap_leads.records.schema import LEAD_SCHEMA
from tap_leads.records.selection import Selection

Rows = dict[str, tuple[Any, Any]]

MISFIT = object()
"""Stands for a value that moves to `additional_fields` as it is."""

# By hand, from the pages "The lead model" of API 1.0 to 1.4.
DOCUMENTED: dict[str, set[str]] = {
    "type": set(),
    "id": set(),
    "user_id": set(),
    "app_id": set(),
    "email": set(),
    "phone": set(),
    "name": set(),
    "pseudonym": set(),
    "owner_id": set(),
    "referrer": set(),
    "utm_campaign": set(),
    "utm_content": set(),
    "utm_medium": set(),
    "utm_source": set(),
    "utm_term": set(),
    "anonymous": set(),
    "unsubscribed_from_emails": set(),
    "marked_email_as_spam": set(),
    "has_hard_bounced": set(),
    "do_not_track": set(),
    "created_at": set(),
    "updated_at": set(),
    "last_request_at": set(),
    "remote_created_at": set(),
    "signed_up_at": set(),
    "session_count": set(),
    "last_seen_ip": set(),
    "user_agent_data": set(),
    "custom_attributes": set(),
    "avatar": {"type", "image_url"},
    "location_data": {
        "type",
        "city_name",
        "continent_code",
        "country_code",
        "country_name",
        "postal_code",
        "region_name",
        "timezone",
        "latitude",
        "longitude",
    },
    "companies": {"type", "companies"},
    "tags": {"type", "tags"},
    "segments": {"type", "segments"},
    "social_profiles": {"type", "social_profiles"},
}
DOCUMENTED_ITEMS = {
    "companies": {"type", "company_id", "id", "name"},
    "tags": {"type", "id", "name"},
    "segments": {"type", "id"},
    "social_profiles": {"type", "name", "id", "username", "url"},
}


def convert(**fields: Any) -> dict[str, Any]:
    """The record of a lead with these fields."""
    return Converter(LEAD_SCHEMA).record({"id": "1"} | fields)


def report(converter: Converter, *dropped: str) -> list[str]:
    """What is said of values that did not fit, where the catalog deselects these fields."""
    selection = Selection.of([(name,) for name in dropped], ())
    return list(converter.misfits.sentences({"contacts": selection}))


def table(field: str, rows: Rows) -> list[Any]:
    """Cases for one kind of field: by name, what is sent and what becomes of it."""
    return [
        pytest.param(field, sent, result, id=f"{field}-{name}")
        for name, (sent, result) in rows.items()
    ]


STRINGS: Rows = {
    "text": ("Ada", "Ada"),
    "empty": ("", ""),
    "null": (None, None),
    "integer": (491701234567, "491701234567"),
    "negative": (-1, "-1"),
    "beyond-64-bits": (2**70, "1180591620717411303424"),
    "decimal": (Decimal("1.50"), "1.50"),
    "exponent": (Decimal("1E+999999999"), "1E+999999999"),
    "true": (True, MISFIT),
    "object": ({"first": "Ada"}, MISFIT),
    "list": (["Ada"], MISFIT),
}
INTEGERS: Rows = {
    "integer": (7, 7),
    "zero": (0, 0),
    "negative": (-7, -7),
    "null": (None, None),
    "text": ("12", 12),
    "negative-text": ("-12", -12),
    "whole": (Decimal("12.0"), 12),
    "whole-exponent": (Decimal("1E+3"), 1000),
    "fraction": (Decimal("1.5"), MISFIT),
    "fraction-text": ("1.5", MISFIT),
    "whole-text": ("12.0", MISFIT),
    "zeros-in-front": ("0012", MISFIT),
    "plus": ("+12", MISFIT),
    "blank": (" 12", MISFIT),
    "line-break": ("12\n", MISFIT),
    "underscore": ("1_000", MISFIT),
    "arabic-digit": ("\u0663", MISFIT),
    "minus-zero": ("-0", MISFIT),
    "empty": ("", MISFIT),
    "word": ("ten", MISFIT),
    "not-a-number": ("NaN", MISFIT),
    "infinity": ("Infinity", MISFIT),
    "true": (True, MISFIT),
    "false": (False, MISFIT),
    "object": ({}, MISFIT),
    "list": ([1], MISFIT),
    "greatest": (2**63 - 1, 2**63 - 1),
    "greatest-text": ("9223372036854775807", 2**63 - 1),
    "too-great": (2**63, MISFIT),
    "too-great-text": ("9223372036854775808", MISFIT),
    "too-great-whole": (Decimal("9223372036854775808.0"), MISFIT),
    "least": (-(2**63), -(2**63)),
    "too-little": (-(2**63) - 1, MISFIT),
    "beyond-all": (Decimal("1E+999999999"), MISFIT),
    "beyond-all-negative": (Decimal("-1E+999999999"), MISFIT),
    "next-to-nothing": (Decimal("1E-999999999"), MISFIT),
    "long-text": ("1" * 5000, MISFIT),
}
BOOLEANS: Rows = {
    "true": (True, True),
    "false": (False, False),
    "null": (None, None),
    "text": ("false", MISFIT),
    "one": (1, MISFIT),
    "zero": (0, MISFIT),
    "empty": ("", MISFIT),
    "object": ({}, MISFIT),
}
TIMES: Rows = {
    "seconds": (1593702734, "2020-07-02T15:12:14Z"),
    "zero": (0, "1970-01-01T00:00:00Z"),
    "null": (None, None),
    "seconds-text": ("1593702734", "2020-07-02T15:12:14Z"),
    "seconds-whole": (Decimal("1593702734.0"), "2020-07-02T15:12:14Z"),
    "seconds-fraction": (Decimal("1593702734.5"), "2020-07-02T15:12:14.500000Z"),
    "seconds-fraction-text": ("1593702734.000001", "2020-07-02T15:12:14.000001Z"),
    "milliseconds": (1503488750123, "2017-08-23T11:45:50.123000Z"),
    "milliseconds-text": ("1503488750123", "2017-08-23T11:45:50.123000Z"),
    "milliseconds-fraction": (Decimal("1503488750123.5"), "2017-08-23T11:45:50.123500Z"),
    "first-milliseconds": (10**11, "1973-03-03T09:46:40Z"),
    "last-seconds": (10**11 - 1, "5138-11-16T09:46:39Z"),
    "before-1970": (-86400, "1969-12-31T00:00:00Z"),
    "before-1970-milliseconds": (-1503488750123, "1922-05-11T12:14:09.877000Z"),
    "before-1970-text": ("-86400", "1969-12-31T00:00:00Z"),
    "year-1": (-62135596800, "0001-01-01T00:00:00Z"),
    "year-0": (-62135596801, MISFIT),
    "year-9999-milliseconds": (253402300799999, "9999-12-31T23:59:59.999000Z"),
    "year-10000-milliseconds": (253402300800000, MISFIT),
    "nanoseconds": (1593702734123456789, MISFIT),
    "finer-than-microseconds": (Decimal("1593702734.1234567"), MISFIT),
    "much-finer-than-microseconds": (Decimal("1593702734.12345600000000000000001"), MISFIT),
    "beyond-64-bits": (2**70, MISFIT),
    "beyond-all": (Decimal("1E+999999999"), MISFIT),
    "beyond-all-negative": (Decimal("-1E+999999999"), MISFIT),
    "next-to-nothing": (Decimal("1E-999999999"), MISFIT),
    "long-text": ("1" * 5000, MISFIT),
    "exponent-text": ("1E9", MISFIT),
    "iso-utc": ("2020-08-05T13:14:55Z", "2020-08-05T13:14:55Z"),
    "iso-webhook": ("2020-08-05T13:14:55.060+00:00", "2020-08-05T13:14:55.060000Z"),
    "iso-east": ("2020-08-05T01:14:55+02:00", "2020-08-04T23:14:55Z"),
    "iso-west": ("2020-08-05T13:14:55-0530", "2020-08-05T18:44:55Z"),
    "iso-blank": ("2020-08-05 13:14:55 UTC", MISFIT),
    "iso-blank-without-zone": ("2020-08-05 13:14:55", "2020-08-05T13:14:55Z"),
    "iso-one-digit": ("2020-08-05T13:14:55.1Z", "2020-08-05T13:14:55.100000Z"),
    "iso-microseconds": ("2020-08-05T13:14:55.123456Z", "2020-08-05T13:14:55.123456Z"),
    "iso-nanoseconds": ("2020-08-05T13:14:55.123456789Z", MISFIT),
    "iso-year-0": ("0000-01-01T00:00:00Z", MISFIT),
    "iso-year-1": ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    "iso-before-year-1": ("0001-01-01T00:00:00+01:00", MISFIT),
    "iso-year-9999": ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
    "iso-after-year-9999": ("9999-12-31T23:59:59-01:00", MISFIT),
    "iso-year-10000": ("10000-01-01T00:00:00Z", MISFIT),
    "iso-leap-second": ("2016-12-31T23:59:60Z", MISFIT),
    "iso-no-such-day": ("2021-02-29T00:00:00Z", MISFIT),
    "iso-no-such-offset": ("2021-02-28T00:00:00+25:00", MISFIT),
    "iso-day-only": ("2021-02-28", MISFIT),
    "iso-line-break": ("2020-08-05T13:14:55Z\n", MISFIT),
    "empty": ("", MISFIT),
    "garbage": ("yesterday, or so", MISFIT),
    "not-a-number": ("NaN", MISFIT),
    "infinity": ("-Infinity", MISFIT),
    "true": (True, MISFIT),
    "object": ({"at": 1}, MISFIT),
    "list": ([1593702734], MISFIT),
}
OBJECTS: Rows = {
    "empty": ({}, {}),
    "null": (None, None),
    "known": ({"city_name": "Köln"}, {"city_name": "Köln"}),
    "unknown": ({"moon": 1}, {"moon": 1}),
    "null-inside": ({"city_name": None}, {"city_name": None}),
    "text-of-a-number": ({"postal_code": 50667}, {"postal_code": "50667"}),
    "number": ({"latitude": Decimal("50.9")}, {"latitude": Decimal("50.9")}),
    "number-integer": ({"latitude": 51}, {"latitude": 51}),
    "number-of-a-text": ({"latitude": "50.90"}, {"latitude": Decimal("50.90")}),
    "number-empty": ({"latitude": ""}, MISFIT),
    "number-exponent-text": ({"latitude": "1E5"}, MISFIT),
    "number-not-a-number": ({"latitude": "NaN"}, MISFIT),
    "number-true": ({"latitude": True}, MISFIT),
    "misfit-inside": ({"city_name": "Köln", "postal_code": ["50667"]}, MISFIT),
    "converted-before-a-misfit": ({"postal_code": 50667, "latitude": "north"}, MISFIT),
    "list": ([], MISFIT),
    "text": ("Dublin", MISFIT),
    "empty-text": ("", MISFIT),
    "false": (False, MISFIT),
}
LISTS: Rows = {
    "empty": ({"type": "tag.list", "tags": []}, {"type": "tag.list", "tags": []}),
    "null-inside": ({"tags": None}, {"tags": None}),
    "items": ({"tags": [{"id": "1", "name": "a"}]}, {"tags": [{"id": "1", "name": "a"}]}),
    "converted": ({"tags": [{"id": 1}, {"id": 2}]}, {"tags": [{"id": "1"}, {"id": "2"}]}),
    "unknown": ({"tags": [{"colour": [1]}]}, {"tags": [{"colour": [1]}]}),
    "null-item": ({"tags": [None]}, MISFIT),
    "text-item": ({"tags": ["newsletter"]}, MISFIT),
    "misfit-in-the-last-item": ({"tags": [{"id": 1}, {"id": True}]}, MISFIT),
    "object-for-list": ({"tags": {"id": "1"}}, MISFIT),
    "bare": ([{"id": "1"}], MISFIT),
}
OPEN_OBJECTS: Rows = {
    "empty": ({}, {}),
    "null": (None, None),
    "anything": (
        {"a": [1, {"b": None}], "c": 2**70, "d": Decimal("0.10")},
        {"a": [1, {"b": None}], "c": 2**70, "d": Decimal("0.10")},
    ),
    "list": ([], MISFIT),
    "text": ("{}", MISFIT),
    "true": (True, MISFIT),
}


@pytest.mark.timeout(10)  # a conversion that takes longer would fill the memory before it ends
@pytest.mark.parametrize(
    ("field", "sent", "result"),
    [
        *table("name", STRINGS),
        *table("session_count", INTEGERS),
        *table("unsubscribed_from_emails", BOOLEANS),
        *table("created_at", TIMES),
        *table("location_data", OBJECTS),
        *table("tags", LISTS),
        *table("custom_attributes", OPEN_OBJECTS),
    ],
)
def test_a_value_is_converted_without_loss_or_kept_as_it_is(
    field: str, sent: Any, result: Any
) -> None:
    before = copy.deepcopy(sent)
    record = convert(**{field: sent})
    if result is MISFIT:
        assert record[field] is None
        assert repr(record["additional_fields"]) == repr({field: before})  # types and all
    else:
        assert repr(record[field]) == repr(result)
        assert record["additional_fields"] is None
    assert repr(sent) == repr(before), "the lead itself was changed"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("ai_summary", {"text": "x", "scores": [Decimal("0.5"), None]}, id="object"),
        pytest.param("sms_consent", False, id="boolean"),
        pytest.param("sms_consent", None, id="null"),
        pytest.param("", "no name", id="empty-name"),
        pytest.param("Email", "a@example.com", id="other-case"),
        pytest.param("additional_fields", {"a": 1}, id="additional-fields-itself"),
    ],
)
def test_a_root_field_that_the_schema_does_not_know_is_kept_under_its_name(
    name: str, value: Any
) -> None:
    record = convert(**{name: value})
    assert repr(record["additional_fields"]) == repr({name: value})
    assert set(record) == set(LEAD_SCHEMA["properties"])


def test_several_fields_that_do_not_fit_are_kept_side_by_side() -> None:
    record = convert(session_count="many", anonymous="true", x=1, email="a@example.com")
    kept = {"session_count": "many", "anonymous": "true", "x": 1}
    assert record["additional_fields"] == kept
    assert record["email"] == "a@example.com"


def test_a_record_has_every_field_of_the_schema_and_null_for_what_was_not_sent() -> None:
    record = convert()
    assert list(record) == list(LEAD_SCHEMA["properties"])
    assert {name for name, value in record.items() if value is not None} == {"id"}


def test_records_share_nothing() -> None:
    converter = Converter(LEAD_SCHEMA)
    first = converter.record({"id": "1", "email": "a@example.com", "x": 1})
    second = converter.record({"id": "2"})
    assert first["email"] == "a@example.com"
    assert second["email"] is None
    assert second["additional_fields"] is None


@pytest.mark.parametrize(
    "lead",
    [
        pytest.param({}, id="missing"),
        pytest.param({"id": None}, id="null"),
        pytest.param({"id": ""}, id="empty"),
        pytest.param({"id": True}, id="boolean"),
        pytest.param({"id": Decimal("1.0")}, id="decimal"),
        pytest.param({"id": ["1"]}, id="list"),
        pytest.param({"id": {"$oid": "1"}}, id="object"),
    ],
)
def test_a_lead_without_an_id_is_an_error_that_names_no_value(lead: dict[str, Any]) -> None:
    with pytest.raises(LeadWithoutIdError) as caught:
        Converter(LEAD_SCHEMA).record(lead | {"email": "ada@example.com"})
    assert "without an id" in str(caught.value)
    assert "ada@example.com" not in str(caught.value)


@pytest.mark.parametrize("number", [12, 0, -1, 2**70])
def test_an_id_that_is_a_number_becomes_its_text(number: int) -> None:
    record = Converter(LEAD_SCHEMA).record({"id": number})
    assert record["id"] == str(number)
    assert record["additional_fields"] is None


def test_the_report_has_one_sentence_a_field_with_its_count_and_no_value() -> None:
    converter = Converter(LEAD_SCHEMA)
    for number in range(3):
        converter.record({"id": str(number), "name": ["hush"], "x": "hush", "phone": ["hush"]})
    converter.record({"id": "4", "x": None, "email": "a@example.com", "session_count": "12"})
    sentences = report(converter, "phone")
    kept, left_out = "kept unchanged in 'additional_fields'", "left out, as you deselected"
    assert sentences == [
        f"Field 'name' holds a value of another type in 3 lead(s): {kept}.",
        f"Field 'phone' holds a value of another type in 3 lead(s): {left_out} or mapped it.",
        f"Field 'x' is not known in 4 lead(s): {kept}.",
    ]


def test_the_report_is_empty_when_everything_fits() -> None:
    converter = Converter(LEAD_SCHEMA)
    converter.record({"id": "1", "session_count": "12", "created_at": 1, "name": 5})
    assert report(converter) == []


def test_the_report_stays_short_whatever_names_are_sent() -> None:
    converter = Converter(LEAD_SCHEMA)
    for number in range(1000):
        converter.record({"id": "1", f"key_{number}": 1})
    sentences = report(converter)
    assert len(sentences) == 101
    (others,) = [sentence for sentence in sentences if "(other names)" in sentence]
    assert "in 900 lead(s)" in others


def test_a_name_in_the_report_is_cut_and_stays_on_its_line() -> None:
    converter = Converter(LEAD_SCHEMA)
    converter.record({"id": "1", "line\nbreak " + "x" * 10_000: 1})
    (sentence,) = report(converter)
    assert len(sentence) < 200
    assert "\n" not in sentence


def test_the_schema_covers_every_documented_field() -> None:
    properties = LEAD_SCHEMA["properties"]
    assert set(properties) == {*DOCUMENTED, "additional_fields"}
    nested = {name: set(field.get("properties", ())) for name, field in properties.items()}
    assert nested == DOCUMENTED | {"additional_fields": set()}
    for name, fields in DOCUMENTED_ITEMS.items():
        item = properties[name]["properties"][name]["items"]
        assert set(item["properties"]) == fields


def fields_of(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field of a schema, also inside objects and lists, by its path."""
    for name, field in schema.get("properties", {}).items():
        yield f"{path}{name}", field
        yield from fields_of(field, f"{path}{name}.")
        yield from fields_of(field.get("items", {}), f"{path}{name}[].")


@pytest.mark.parametrize(
    "field", [pytest.param(field, id=path) for path, field in fields_of(LEAD_SCHEMA)]
)
def test_every_field_has_a_description(field: dict[str, Any]) -> None:
    assert field["description"].endswith(".")


@pytest.mark.parametrize(
    "field",
    [pytest.param(field, id=path) for path, field in fields_of(LEAD_SCHEMA) if path != "id"],
)
def test_every_field_but_the_key_may_be_null(field: dict[str, Any]) -> None:
    assert "null" in field["type"]


def test_the_key_is_required_text() -> None:
    assert LEAD_SCHEMA["required"] == ["id"]
    assert LEAD_SCHEMA["properties"]["id"]["type"] == ["string"]


def test_the_schema_is_a_valid_one() -> None:
    Draft202012Validator.check_schema(LEAD_SCHEMA)
    assert json.loads(json.dumps(LEAD_SCHEMA)) == LEAD_SCHEMA


def holds(kept: Any, sent: Any) -> bool:
    """Whether what was sent can be read from what was kept, exactly."""
    if type(kept) is type(sent) and kept == sent:
        return True
    if isinstance(kept, dict) and isinstance(sent, dict):
        return kept.keys() == sent.keys() and all(holds(kept[name], sent[name]) for name in sent)
    if isinstance(kept, list) and isinstance(sent, list):
        return len(kept) == len(sent) and all(map(holds, kept, sent))
    if (
        isinstance(kept, bool)
        or isinstance(sent, bool)
        or not isinstance(kept, str | int | Decimal)
    ):
        return False
    if isinstance(kept, str) and kept.endswith("Z"):
        return holds_instant(kept, sent)
    return isinstance(sent, str | int | Decimal) and Decimal(kept) == Decimal(sent)


def holds_instant(kept: str, sent: Any) -> bool:
    """Whether a date-time is the instant that was sent: as text, seconds or milliseconds."""
    instant = datetime.fromisoformat(kept)
    if isinstance(sent, str) and sent[4:5] == "-":
        at = datetime.fromisoformat(sent)
        return instant == (at if at.tzinfo else at.replace(tzinfo=UTC))
    since = instant - datetime(1970, 1, 1, tzinfo=UTC)
    seconds = Fraction(since // timedelta(microseconds=1), 10**6)
    return Fraction(sent) in {seconds, seconds * 1000}


@given(lead=LEADS)
@example(lead={"id": "1", "created_at": Decimal("1593702734.12345600000000000000001")})
@settings(deadline=None)
def test_any_lead_with_an_id_gives_a_valid_record_that_holds_all_that_was_sent(
    lead: dict[str, Any],
) -> None:
    before = repr(lead)
    record = Converter(LEAD_SCHEMA).record(lead)
    assert repr(lead) == before
    validator(LEAD_SCHEMA).validate(record)
    count = record["session_count"]
    assert count is None or -(2**63) <= count < 2**63
    extra = record["additional_fields"] or {}
    assert extra.keys() <= lead.keys()
    for name, sent in lead.items():
        if name in extra:
            assert repr(extra[name]) == repr(sent)
            assert name == "additional_fields" or record.get(name) is None
        else:
            assert holds(record[name], sent), name
