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
from support.cases import cases
from support.records import LEADS, validator

from tap_leads.records.convert import Converter
from tap_leads.records.lead_record import as_plain_record
from tap_leads.records.schema import LEAD_SCHEMA
from tap_leads.records.selection import Selection

UNKNOWN = "x_undocumented_name"

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


def each_value(table: dict[str, list[Any]]) -> list[Any]:
    """The cases of a table, one for each field and value."""
    return [
        pytest.param(field, value, id=f"{field}-{value!r:.40}")
        for field, values in table.items()
        for value in values
    ]


ABSURD = [Decimal("1E+999999999"), Decimal("-1E+999999999"), Decimal("1E-999999999"), "1" * 5000]
BEYOND_64_BITS = [2**63, "9223372036854775808", Decimal("9223372036854775808.0"), -(2**63) - 1]
NO_TEXT = [True, False, {}, {"first": "Ada"}, [], ["Ada"]]
NO_NUMBER = ["", "ten", "NaN", "-Infinity", "1E9", *NO_TEXT]
NO_INTEGER = [Decimal("1.5"), "1.5", "12.0", "0012", "+12", " 12", "12\n", "1_000", "\u0663", "-0"]
NO_BOOLEAN = [0, 1, "", "false", "true", {}, []]
NO_OBJECT = [True, False, 0, "", "{}", "Dublin", [], [{"id": "1"}]]
FINER_THAN_MICROSECONDS = [
    Decimal("1593702734.1234567"),
    Decimal("1593702734.12345600000000000000001"),
    "2020-08-05T13:14:55.123456789Z",
]
BEFORE_YEAR_1 = [-62135596801, "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00"]
AFTER_YEAR_9999 = [
    253402300800000,
    1593702734123456789,
    2**70,
    "9999-12-31T23:59:59-01:00",
    "10000-01-01T00:00:00Z",
]
NO_TIME = [
    "2021-02-28",
    "2021-02-29T00:00:00Z",
    "2021-02-28T00:00:00+25:00",
    "2016-12-31T23:59:60Z",
    "2020-08-05 13:14:55 UTC",
    "2020-08-05T13:14:55Z\n",
]

FITTING: dict[str, list[Any]] = {
    "name": [None, "Ada", ""],
    "session_count": [None, 7, 0, -7, 2**63 - 1, -(2**63)],
    "anonymous": [None, True, False],
    "created_at": [None],
    "location_data": [
        None,
        {},
        {"city_name": "Köln", "postal_code": None},
        {UNKNOWN: [1]},
        {"latitude": Decimal("50.90"), "longitude": 51},
    ],
    "tags": [
        None,
        {"tags": None},
        {"type": "tag.list", "tags": []},
        {"tags": [{"id": "1", "name": "a", UNKNOWN: [1]}]},
    ],
    "custom_attributes": [None, {}, {"a": [1, {"b": None}], "c": 2**70, "d": Decimal("0.10")}],
}
CONVERTED: dict[str, list[tuple[Any, Any]]] = {
    "name": [
        (491701234567, "491701234567"),
        (-1, "-1"),
        (2**70, "1180591620717411303424"),
        (Decimal("1.50"), "1.50"),
        (Decimal("1E+999999999"), "1E+999999999"),
    ],
    "session_count": [
        ("12", 12),
        ("-12", -12),
        ("9223372036854775807", 2**63 - 1),
        (Decimal("12.0"), 12),
        (Decimal("1E+3"), 1000),
    ],
    "created_at": [
        (1593702734, "2020-07-02T15:12:14Z"),
        (0, "1970-01-01T00:00:00Z"),
        ("1593702734", "2020-07-02T15:12:14Z"),
        (Decimal("1593702734.0"), "2020-07-02T15:12:14Z"),
        (Decimal("1593702734.5"), "2020-07-02T15:12:14.500000Z"),
        ("1593702734.000001", "2020-07-02T15:12:14.000001Z"),
        # Milliseconds.
        (1503488750123, "2017-08-23T11:45:50.123000Z"),
        ("1503488750123", "2017-08-23T11:45:50.123000Z"),
        (Decimal("1503488750123.5"), "2017-08-23T11:45:50.123500Z"),
        (10**11, "1973-03-03T09:46:40Z"),
        (10**11 - 1, "5138-11-16T09:46:39Z"),
        # Before 1970.
        (-86400, "1969-12-31T00:00:00Z"),
        ("-86400", "1969-12-31T00:00:00Z"),
        (-1503488750123, "1922-05-11T12:14:09.877000Z"),
        # The first and the last times that have a name.
        (-62135596800, "0001-01-01T00:00:00Z"),
        (253402300799999, "9999-12-31T23:59:59.999000Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        # ISO 8601, with and without a zone.
        ("2020-08-05T13:14:55Z", "2020-08-05T13:14:55Z"),
        ("2020-08-05T13:14:55.060+00:00", "2020-08-05T13:14:55.060000Z"),
        ("2020-08-05T01:14:55+02:00", "2020-08-04T23:14:55Z"),
        ("2020-08-05T13:14:55-0530", "2020-08-05T18:44:55Z"),
        ("2020-08-05 13:14:55", "2020-08-05T13:14:55Z"),
        ("2020-08-05T13:14:55.1Z", "2020-08-05T13:14:55.100000Z"),
        ("2020-08-05T13:14:55.123456Z", "2020-08-05T13:14:55.123456Z"),
    ],
    "location_data": [
        ({"postal_code": 50667}, {"postal_code": "50667"}),
        ({"latitude": "50.90"}, {"latitude": Decimal("50.90")}),
    ],
    "tags": [({"tags": [{"id": 1}, {"id": 2}]}, {"tags": [{"id": "1"}, {"id": "2"}]})],
}
MISFITS: dict[str, list[Any]] = {
    "name": NO_TEXT,
    "session_count": [*NO_NUMBER, *NO_INTEGER, *BEYOND_64_BITS, *ABSURD],
    "anonymous": NO_BOOLEAN,
    "created_at": [
        *NO_NUMBER,
        *NO_TIME,
        *FINER_THAN_MICROSECONDS,
        *BEFORE_YEAR_1,
        *AFTER_YEAR_9999,
        *ABSURD,
    ],
    "location_data": [
        *NO_OBJECT,
        *({"latitude": value} for value in NO_NUMBER),
        {"city_name": "Köln", "postal_code": ["50667"]},
        {"postal_code": 50667, "latitude": "north"},
    ],
    "tags": [
        *NO_OBJECT,
        {"tags": {}},
        {"tags": [None]},
        {"tags": ["newsletter"]},
        {"tags": [{"id": 1}, {"id": True}]},
    ],
    "custom_attributes": NO_OBJECT,
}


@pytest.mark.parametrize(("field", "sent"), each_value(FITTING))
def test_a_value_that_fits_is_kept_as_it_is(field: str, sent: Any) -> None:
    record = convert(**{field: copy.deepcopy(sent)})
    assert repr(record[field]) == repr(sent)
    assert record["additional_fields"] is None


@pytest.mark.parametrize(("field", "value"), each_value(CONVERTED))
def test_a_value_of_another_form_is_converted_without_loss(
    field: str, value: tuple[Any, Any]
) -> None:
    sent, result = value
    before = repr(sent)
    record = convert(**{field: sent})
    assert repr(record[field]) == repr(result)
    assert record["additional_fields"] is None
    assert repr(sent) == before, "the lead itself was changed"


@pytest.mark.timeout(10)  # a conversion that takes longer would fill the memory before it ends
@pytest.mark.parametrize(("field", "sent"), each_value(MISFITS))
def test_a_value_that_does_not_fit_moves_unchanged(field: str, sent: Any) -> None:
    before = repr({field: sent})
    record = convert(**{field: sent})
    assert record[field] is None
    assert repr(record["additional_fields"]) == before  # types and all
    assert repr({field: sent}) == before, "the lead itself was changed"


@cases({"text": "x", "scores": [Decimal("0.5"), None]}, False, None)
@cases(UNKNOWN, "", "Email", "additional_fields")
def test_a_field_that_the_schema_does_not_know_is_kept_under_its_name(
    name: str, value: Any
) -> None:
    record = convert(**{name: value})
    assert repr(record["additional_fields"]) == repr({name: value})
    assert list(record) == list(LEAD_SCHEMA["properties"])


def test_several_fields_that_do_not_fit_are_kept_side_by_side() -> None:
    misfits = {"session_count": "many", "anonymous": "true", UNKNOWN: 1}
    record = convert(**misfits, email="a@example.com")
    assert record["additional_fields"] == misfits
    assert record["email"] == "a@example.com"


def test_a_record_has_every_field_and_nothing_of_the_lead_before() -> None:
    converter = Converter(LEAD_SCHEMA)
    converter.record({"id": "1", "email": "a@example.com", UNKNOWN: 1})
    record = converter.record({"id": "2"})
    assert record == dict.fromkeys(LEAD_SCHEMA["properties"]) | {"id": "2"}


@cases(
    ("0.5", float), ("1.50", float), ("0.1234567890123456789012345", Decimal), ("1E400", Decimal)
)
def test_expressions_get_fractions_as_floats_unless_digits_would_be_lost(
    digits: str, kind: type
) -> None:
    (lead,) = Converter(LEAD_SCHEMA).leads(
        b'{"contacts":[{"id":"1","custom_attributes":{"x":' + digits.encode() + b"}}]}"
    )
    found = as_plain_record(lead)["custom_attributes"]["x"]
    assert type(found) is kind
    assert Decimal(str(found)) == Decimal(digits)


def report(*leads: dict[str, Any], deselected: tuple[str, ...] = ()) -> list[str]:
    """The sentences of the log about leads, where the catalog deselects these fields."""
    converter = Converter(LEAD_SCHEMA)
    for lead in leads:
        converter.record({"id": "1"} | lead)
    selection = Selection.of([(name,) for name in deselected], ())
    return list(converter.misfits.sentences({"contacts": selection}))


def test_the_log_has_one_sentence_a_field_with_its_count_and_no_value() -> None:
    misfits = {"name": ["hush"], UNKNOWN: "hush", "phone": ["hush"]}
    fitting = {"email": "a@example.com", "session_count": "12", "created_at": 1, "name": 5}
    assert report(fitting) == []
    kept, left_out = "kept unchanged in 'additional_fields'", "left out, as you deselected"
    assert report(*[misfits] * 3, fitting | {UNKNOWN: None}, deselected=("phone",)) == [
        f"Field 'name' holds a value of another type in 3 lead(s): {kept}.",
        f"Field 'phone' holds a value of another type in 3 lead(s): {left_out} or mapped it.",
        f"Field '{UNKNOWN}' is not known in 4 lead(s): {kept}.",
    ]


def test_the_log_stays_short_whatever_names_are_sent() -> None:
    sentences = report(*({f"key_{number}": 1} for number in range(1000)))
    assert len(sentences) == 101
    (others,) = [sentence for sentence in sentences if "(other names)" in sentence]
    assert "in 900 lead(s)" in others


@pytest.mark.parametrize(
    "name",
    ["ann@example.com", "+49 30 1234567", "a" * 65, "two words", "line\nbreak " + "x" * 10_000],
    ids="{:.20}".format,
)
def test_a_name_that_is_no_identifier_stays_out_of_the_log(name: str) -> None:
    assert report({name: 1}) == [
        "Field '(hidden name)' is not known in 1 lead(s): kept unchanged in 'additional_fields'."
    ]


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


@pytest.mark.parametrize(("path", "field"), list(fields_of(LEAD_SCHEMA)))
def test_every_field_has_a_description_and_may_be_null_unless_it_is_the_key(
    path: str, field: dict[str, Any]
) -> None:
    assert field["description"].endswith(".")
    assert ("null" in field["type"]) == (path != "id")


def test_the_schema_is_valid_and_requires_the_key() -> None:
    Draft202012Validator.check_schema(LEAD_SCHEMA)
    assert json.loads(json.dumps(LEAD_SCHEMA)) == LEAD_SCHEMA
    assert LEAD_SCHEMA["required"] == ["id"]
    assert LEAD_SCHEMA["properties"]["id"]["type"] == ["string"]


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
