"""A lead becomes a record that fits the schema, and nothing that was sent is lost."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given
from jsonschema import Draft202012Validator
from support.cases import cases
from support.records import LEADS, validator

from tap_leads.records.convert import Converter
from tap_leads.records.lead_record import as_plain_record
from tap_leads.records.misfits import Misfit
from tap_leads.records.schema import LEAD_SCHEMA
from tap_leads.records.values import kind_of

UNKNOWN = "x_undocumented_name"

# By hand, from the pages "The lead model" of API 1.0 to 1.4.
DOCUMENTED = {
    "": (
        "type id user_id app_id email phone name pseudonym owner_id referrer anonymous "
        "utm_campaign utm_content utm_medium utm_source utm_term "
        "unsubscribed_from_emails marked_email_as_spam has_hard_bounced do_not_track "
        "created_at updated_at last_request_at remote_created_at signed_up_at "
        "session_count last_seen_ip user_agent_data avatar location_data companies tags segments "
        "social_profiles custom_attributes"
    ),
    "avatar.": "type image_url",
    "location_data.": (
        "type city_name continent_code country_code country_name postal_code region_name timezone "
        "latitude longitude"
    ),
    "companies.": "type companies",
    "companies.companies[].": "type company_id id name",
    "tags.": "type tags",
    "tags.tags[].": "type id name",
    "segments.": "type segments",
    "segments.segments[].": "type id",
    "social_profiles.": "type social_profiles",
    "social_profiles.social_profiles[].": "type name id username url",
}

ABSURD = [Decimal("1E+999999999"), Decimal("-1E+999999999"), Decimal("1E-999999999"), "1" * 5000]
BEYOND_64_BITS = [2**63, "9223372036854775808", Decimal("9223372036854775808.0"), -(2**63) - 1]
NO_TEXT = [True, False, {}, {"first": "Ada"}, [], ["Ada"]]
NO_NUMBER = ["", "ten", "NaN", "-Infinity", "1E9", "1\u0663", *NO_TEXT]
NO_INTEGER = [Decimal("1.5"), "1.5", "12.0", "0012", "+12", " 12", "12\n", "1_000", "\u0663", "-0"]
NO_OBJECT = [True, False, 0, "", "{}", "Dublin", [], [{"id": "1"}]]
NO_TIME = [
    *("2021-02-28", "2021-02-29T00:00:00Z", "2021-02-28T00:00:00+25:00", "2016-12-31T23:59:60Z"),
    *("2020-08-05 13:14:55 UTC", "2020-08-05T13:14:55Z\n", "2020-08-05T13:14:5\u0663Z"),
    # Finer than microseconds.
    *(Decimal("1593702734.1234567"), Decimal("1593702734.12345600000000000000001")),
    *("2020-08-05T13:14:55.123456789Z", Decimal("1503488750123.1234")),
    # Before the year 1, and after the year 9999.
    *(-62135596801, "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", 1 - 10**11),
    *(253402300800000, 1593702734123456789, 2**70),
    *("9999-12-31T23:59:59-01:00", "10000-01-01T00:00:00Z"),
]

TIMES: dict[str, list[Any]] = {
    "1970-01-01T00:00:00Z": [0],
    "2020-07-02T15:12:14Z": [1593702734, "1593702734", Decimal("1593702734.0")],
    "2020-07-02T15:12:14.500000Z": [Decimal("1593702734.5")],
    "2020-07-02T15:12:14.000001Z": ["1593702734.000001"],
    # Milliseconds.
    "2017-08-23T11:45:50.123000Z": [1503488750123, "1503488750123"],
    "2017-08-23T11:45:50.123123Z": [Decimal("1503488750123.123")],
    "1973-03-03T09:46:40Z": [10**11],
    "5138-11-16T09:46:39Z": [10**11 - 1],
    # Before 1970.
    "1969-12-31T00:00:00Z": [-86400, "-86400"],
    "1966-10-31T14:13:20Z": [-(10**11)],
    # The first and the last times that have a name.
    "0001-01-01T00:00:00Z": [-62135596800, "0001-01-01T00:00:00Z"],
    "9999-12-31T23:59:59.999000Z": [253402300799999],
    "9999-12-31T23:59:59.999999Z": ["9999-12-31T23:59:59.999999Z"],
    # ISO 8601, with and without a zone.
    "2020-08-05T13:14:55Z": ["2020-08-05T13:14:55Z", "2020-08-05 13:14:55"],
    "2020-08-05T13:14:55.060000Z": ["2020-08-05T13:14:55.060+00:00"],
    "2020-08-05T13:14:55.100000Z": ["2020-08-05T13:14:55.1Z"],
    "2020-08-04T23:14:55Z": ["2020-08-05T01:14:55+02:00"],
    "2020-08-05T18:44:55Z": ["2020-08-05T13:14:55-0530", "2020-08-05T13:14:55-05:30"],
}


def convert(**fields: Any) -> dict[str, Any]:
    """The record of a lead with these fields."""
    return Converter(LEAD_SCHEMA).record({"id": "1"} | fields)


def outcome(field: str, sent: Any) -> tuple[str, str]:
    """What a record has in a field, and in `additional_fields`: with the types of all values."""
    before = repr(sent)
    record = convert(**{field: sent})
    assert repr(sent) == before, "the lead itself was changed"
    return repr(record[field]), repr(record["additional_fields"])


@cases(
    ("name", [None, "Ada", ""]),
    ("session_count", [None, 7, 0, -7, 2**63 - 1, -(2**63)]),
    ("anonymous", [None, True, False]),
    ("created_at", [None]),
    ("location_data", [None, {}, {"city_name": "Köln", "postal_code": None}, {UNKNOWN: [1]}]),
    ("location_data", [{"latitude": Decimal("50.90"), "longitude": 51}]),
    ("tags", [None, {"tags": None}, {"type": "tag.list", "tags": []}]),
    ("tags", [{"tags": [{"id": "1", "name": "a", UNKNOWN: [1]}]}]),
    ("custom_attributes", [None, {}, {"a": [1, {"b": None}], "c": 2**70, "d": Decimal("0.10")}]),
)
def test_a_value_that_fits_is_kept_as_it_is(field: str, values: list[Any]) -> None:
    assert [outcome(field, sent) for sent in values] == [(repr(sent), "None") for sent in values]


@cases(
    ("name", -1, "-1"),
    ("name", 2**70, "1180591620717411303424"),
    ("name", Decimal("1.50"), "1.50"),
    ("name", Decimal("1E+999999999"), "1E+999999999"),
    ("session_count", "12", 12),
    ("session_count", "-12", -12),
    ("session_count", "9223372036854775807", 2**63 - 1),
    ("session_count", Decimal("12.0"), 12),
    ("session_count", Decimal("1E+3"), 1000),
    ("location_data", {"moon": 1, "latitude": "1.5"}, {"moon": 1, "latitude": Decimal("1.5")}),
    ("location_data", {"type": None, "postal_code": 5}, {"type": None, "postal_code": "5"}),
    ("tags", {"tags": [{"id": 1}, {"id": 2}]}, {"tags": [{"id": "1"}, {"id": "2"}]}),
)
def test_a_value_of_another_form_is_converted_without_loss(
    field: str, sent: Any, result: Any
) -> None:
    assert outcome(field, sent) == (repr(result), "None")


@cases("UTC", "Asia/Tokyo")
def test_a_time_is_a_date_time_in_utc_whatever_the_time_zone_of_the_machine(
    zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    found = {moment: {outcome("created_at", one) for one in sent} for moment, sent in TIMES.items()}
    monkeypatch.undo()
    time.tzset()
    assert found == {moment: {(repr(moment), "None")} for moment in TIMES}


@pytest.mark.timeout(10)  # a conversion that takes longer would fill the memory before it ends
@cases(
    ("name", NO_TEXT),
    ("session_count", [*NO_NUMBER, *NO_INTEGER, *BEYOND_64_BITS, *ABSURD]),
    ("anonymous", [0, 1, "", "false", "true", {}, []]),
    ("created_at", [*NO_NUMBER, *NO_TIME, *ABSURD]),
    ("location_data", NO_OBJECT),
    ("location_data", [{"latitude": value} for value in ("1.\u0663", *NO_NUMBER)]),
    ("location_data", [{"city_name": "Köln", "postal_code": ["50667"]}]),
    ("location_data", [{"postal_code": 50667, "latitude": "north"}]),
    ("tags", NO_OBJECT),
    ("tags", [{"tags": {}}, {"tags": [None]}, {"tags": ["newsletter"]}]),
    ("tags", [{"tags": [{"id": 1}, {"id": True}]}]),
    ("custom_attributes", NO_OBJECT),
)
def test_a_value_that_does_not_fit_moves_unchanged(field: str, values: list[Any]) -> None:
    for sent in values:
        assert outcome(field, sent) == ("None", repr({field: sent}))


@cases({"text": "x", "scores": [Decimal("0.5"), None]}, False, None)
@cases(UNKNOWN, "", "Email", "additional_fields")
def test_a_field_that_the_schema_does_not_know_is_kept_under_its_name(
    name: str, value: Any
) -> None:
    record = convert(**{name: value})
    assert repr(record["additional_fields"]) == repr({name: value})
    assert list(record) == list(LEAD_SCHEMA["properties"])


def test_a_record_has_every_field_and_nothing_of_the_lead_before() -> None:
    converter = Converter(LEAD_SCHEMA)
    misfits = {"session_count": "many", "anonymous": "true", UNKNOWN: 1}
    record = converter.record({"id": "1", "email": "a@example.com"} | misfits)
    assert (record["email"], record["additional_fields"]) == ("a@example.com", misfits)
    assert converter.record({"id": "2"}) == dict.fromkeys(LEAD_SCHEMA["properties"]) | {"id": "2"}


@cases(
    ("0.5", float), ("1.50", float), ("0.1234567890123456789012345", Decimal), ("1E400", Decimal)
)
def test_expressions_get_fractions_as_floats_unless_digits_would_be_lost(
    digits: str, kind: type
) -> None:
    body = f'{{"contacts":[{{"id":"1","custom_attributes":{{"x":{digits}}}}}]}}'
    (lead,) = Converter(LEAD_SCHEMA).leads(body.encode())
    found = as_plain_record(lead)["custom_attributes"]["x"]
    assert (type(found), Decimal(str(found))) == (kind, Decimal(digits))


def test_values_that_do_not_fit_are_counted_by_kind() -> None:
    converter = Converter(LEAD_SCHEMA)
    converter.record({"id": "1", "name": [1], UNKNOWN: {}})
    converter.record({"id": "1", "name": 5, UNKNOWN: 1})
    converter.record({"id": "1", "name": [], UNKNOWN: None})
    assert converter.misfits == {
        Misfit(("name",), known=True, is_object=False): 2,
        Misfit((UNKNOWN,), known=False, is_object=True): 1,
        Misfit((UNKNOWN,), known=False, is_object=False): 2,
    }


def fields_of(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field of a schema, also inside objects and lists, by its path."""
    for name, field in schema.get("properties", {}).items():
        yield f"{path}{name}", field
        yield from fields_of(field, f"{path}{name}.")
        yield from fields_of(field.get("items", {}), f"{path}{name}[].")


def test_the_schema_covers_every_documented_field() -> None:
    documented = {place + name for place, names in DOCUMENTED.items() for name in names.split()}
    assert dict(fields_of(LEAD_SCHEMA)).keys() == documented | {"additional_fields"}


def test_every_field_has_a_description_and_may_be_null_unless_it_is_the_key() -> None:
    fields = dict(fields_of(LEAD_SCHEMA))
    assert [path for path, field in fields.items() if "null" not in field["type"]] == ["id"]
    assert all(field["description"].endswith(".") for field in fields.values())
    assert LEAD_SCHEMA["required"] == ["id"]
    assert json.loads(json.dumps(LEAD_SCHEMA)) == LEAD_SCHEMA
    Draft202012Validator.check_schema(LEAD_SCHEMA)


@cases("string", ["string"], ["string", "null"], ["null", "string"])
def test_the_kind_of_a_field_is_the_type_that_is_not_null(kinds: object) -> None:
    assert kind_of({"type": kinds}) == "string"


def holds(kept: Any, sent: Any) -> bool:
    """Whether what was sent can be read from what was kept, exactly."""
    if isinstance(kept, dict) and isinstance(sent, dict):
        return kept.keys() == sent.keys() and all(holds(kept[name], sent[name]) for name in sent)
    if isinstance(kept, list) and isinstance(sent, list):
        return len(kept) == len(sent) and all(map(holds, kept, sent))
    if repr(kept) == repr(sent):
        return True
    if not {type(kept), type(sent)} <= {str, int, Decimal}:
        return False
    if not isinstance(kept, str) or not kept.endswith("Z"):
        return Decimal(kept) == Decimal(sent)
    instant = datetime.fromisoformat(kept)
    if isinstance(sent, str) and sent[4:5] == "-":
        at = datetime.fromisoformat(sent)
        return instant == (at if at.tzinfo else at.replace(tzinfo=UTC))
    since = instant - datetime(1970, 1, 1, tzinfo=UTC)
    seconds = Fraction(since // timedelta(microseconds=1), 10**6)
    return Fraction(sent) in {seconds, seconds * 1000}


@given(lead=LEADS)
@example(lead={"id": "1", "created_at": Decimal("1593702734.12345600000000000000001")})
def test_any_lead_with_an_id_gives_a_valid_record_that_holds_all_that_was_sent(
    lead: dict[str, Any],
) -> None:
    before = repr(lead)
    record = convert(**lead)
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
