"""The sandbox's leads: always the same, shaped as Intercom's, malformed on request."""

import json
import re
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest

from tap_leads.sandbox import MALFORMED, data_attributes, lead, malformed_kind, malformed_lead

# Root fields of the leads object of API 1.4.
FIELDS = {
    *("anonymous", "app_id", "avatar", "companies", "created_at"),
    *("custom_attributes", "do_not_track", "email", "has_hard_bounced", "id"),
    *("last_request_at", "location_data", "marked_email_as_spam", "name", "owner_id"),
    *("phone", "pseudonym", "referrer", "remote_created_at", "segments"),
    *("session_count", "signed_up_at", "social_profiles", "tags", "type"),
    *("unsubscribed_from_emails", "updated_at", "user_id", "utm_campaign", "utm_content"),
    *("utm_medium", "utm_source", "utm_term"),
}
PLACE = {
    *("type", "city_name", "region_name", "postal_code", "country_name", "country_code"),
    *("continent_code", "timezone"),
}
LEADS = [lead(1, index) for index in range(5000)]


def values(field: str) -> list[Any]:
    """What the leads have in a root field."""
    return [record[field] for record in LEADS if field in record]


def test_a_lead_is_always_the_same() -> None:
    """Seed and index decide; a lead made alone equals the one made in a row."""
    assert lead(1, 4321) == LEADS[4321]
    # Written down, so that another version of the package makes the same set of leads.
    assert LEADS[0]["id"] == "5edb731e025cc1910a2dec89"
    assert (LEADS[0]["email"], LEADS[2]["name"]) == ("pink.gecko0@example.net", "Zoë Brontë")


def test_seeds_make_different_leads() -> None:
    """No lead of one is in the other."""
    assert {record["id"] for record in LEADS}.isdisjoint(lead(2, n)["id"] for n in range(5000))


def test_ids_are_object_ids_and_unique() -> None:
    """24 hexadecimal digits; as many as leads."""
    ids = {lead(7, index)["id"] for index in [*range(50_000), *(2**n for n in range(16, 40))]}
    assert len(ids) == 50_024
    assert len({i[-10:] for i in ids}) == 50_024  # not by chance: each index has its own digits
    assert all(re.fullmatch("[0-9a-f]{24}", i) for i in ids)


def test_only_the_app_id_tells_workspaces_apart() -> None:
    """Two workspaces may hold the same ids."""
    assert lead(1, 5, "other") == {**LEADS[5], "app_id": "other"}


def test_the_root_fields_are_those_of_api_1_4() -> None:
    """Every one of them occurs, and no other."""
    assert {field for record in LEADS for field in record} == FIELDS
    assert all({"type", "id", "app_id", "created_at"} <= record.keys() for record in LEADS)


def test_values_can_be_missing() -> None:
    """Null here, absent there."""
    for field in ("phone", "name", "referrer", "utm_source", "do_not_track", "last_request_at"):
        assert None in values(field), field
        assert len(values(field)) < len(LEADS), field
    assert len(values("custom_attributes")) < len(LEADS)


def test_structures() -> None:
    """Lists in typed wrappers, as in the leads object; some empty, some not."""
    for field, item in [
        ("companies", "company"),
        ("tags", "tag"),
        ("segments", "segment"),
        ("social_profiles", "social_profile"),
    ]:
        assert {wrapper["type"] for wrapper in values(field)} == {f"{item}.list"}
        assert {len(wrapper[field]) for wrapper in values(field)} >= {0, 1}
        assert {inner["type"] for wrapper in values(field) for inner in wrapper[field]} == {item}
    assert {} in values("location_data")
    assert {frozenset(place) for place in values("location_data") if place} == {frozenset(PLACE)}


def test_types() -> None:
    """Other leads have the documented types."""
    times = ("created_at", "updated_at", "last_request_at", "remote_created_at", "signed_up_at")
    for field in (*times, "session_count"):
        assert {type(value) for value in values(field)} <= {int, type(None)}
    for field in ("user_id", "email", "phone", "name", "pseudonym", "owner_id", "referrer"):
        assert {type(value) for value in values(field)} <= {str, type(None)}
    for field in ("anonymous", "unsubscribed_from_emails", "has_hard_bounced"):
        assert {type(value) for value in values(field)} == {bool}
    assert all(record["created_at"] <= record["updated_at"] for record in LEADS)


def test_names_are_written_in_many_scripts() -> None:
    """A client that handles nothing but ASCII fails here."""
    text = "".join(filter(None, values("name")))
    scripts = {unicodedata.name(character, "?").split()[0] for character in set(text)}
    assert scripts >= {
        *("LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW", "DEVANAGARI"),
        *("CJK", "HIRAGANA", "HANGUL", "FOX"),  # "FOX FACE" is an emoji
    }


def test_no_real_person_gets_mail() -> None:
    """Addresses end in the domains set aside for examples (RFC 2606)."""
    domains = {address.rpartition("@")[2] for address in values("email") if address}
    assert domains == {"example.com", "example.org", "example.net"}


def test_custom_attributes_are_as_described() -> None:
    """Names and types are those of /data_attributes; each type and null occur."""
    python = {"string": str, "integer": int, "float": float, "boolean": bool, "date": int}
    described = {item["name"]: python[item["data_type"]] for item in data_attributes()}
    found = [(k, v) for record in values("custom_attributes") for k, v in record.items()]
    assert {name for name, _ in found} == described.keys()
    assert {type(value) for _, value in found} == {*python.values(), type(None)}
    assert all(value is None or type(value) is described[name] for name, value in found)
    assert {item["data_type"] for item in data_attributes()} == python.keys()
    assert set(data_attributes()[0]) >= {
        *("type", "name", "full_name", "label", "description", "data_type", "custom", "archived")
    }


def test_a_page_of_100_has_every_malformed_kind() -> None:
    """Whatever page, whatever seed: half of its leads, and each kind."""
    for seed, start in [(1, 0), (2, 300), (9, 77)]:
        names = [malformed_kind(seed, index) for index in range(start, start + 100)]
        assert set(names) == {None, *MALFORMED}
        assert names.count(None) == 50


def test_malformed_leads_keep_their_ids() -> None:
    """They can still be counted; the other leads are as they were."""
    for index in range(100):
        record = malformed_lead(1, index)
        assert record["id"] == LEADS[index]["id"]
        unchanged = json.dumps(record) == json.dumps(LEADS[index])  # 0 is not false
        assert unchanged == (malformed_kind(1, index) is None)


def test_leads_share_nothing() -> None:
    """Changing one lead changes no other."""
    for make in (lead, malformed_lead):
        for index in range(64):
            record = make(1, index)
            before = json.dumps(record)
            for value in record.values():
                if isinstance(value, (dict, list)):
                    value.clear()
            assert json.dumps(make(1, index)) == before


def malformed_values(field: str) -> list[Any]:
    """What malformed leads have in a root field."""
    return [fields[field] for fields in MALFORMED.values() if field in fields]


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("session_count", lambda v: v == "7"),
        ("session_count", lambda v: isinstance(v, float) and v == 12),
        ("session_count", lambda v: v == 1.5),
        ("session_count", lambda v: isinstance(v, int) and v >= 2**64),
        ("created_at", lambda v: v > 10**12),
        ("updated_at", lambda v: "T" in v),
        ("updated_at", lambda v: v.isdigit()),
        ("remote_created_at", lambda v: v < 0),
        ("signed_up_at", lambda v: v == 253_402_300_800),
        ("signed_up_at", lambda v: v == ""),
        ("last_request_at", lambda v: not v.isdigit()),
        ("phone", lambda v: isinstance(v, int)),
        ("name", lambda v: isinstance(v, dict)),
        ("name", lambda v: "\x00" in v),
        ("name", lambda v: "\ud800" in v),
        ("companies", lambda v: isinstance(v, list)),
        ("unsubscribed_from_emails", lambda v: v == "false"),
        ("referrer", lambda v: len(v) > 100_000),
        ("custom_attributes", lambda v: "plan\x00" in v),
        ("custom_attributes", lambda v: "\ud800plan" in v),
        ("custom_attributes", lambda v: abs(v["team_size"]) > 2**64),
        ("custom_attributes", lambda v: json.dumps(v).count("{") == 21),
    ],
)
def test_malformed_values_cover(field: str, found: Callable[[Any], bool]) -> None:
    """Each kind that API clients met is there."""

    def matches(value: object) -> bool:
        try:
            return found(value)
        except (TypeError, KeyError, AttributeError):  # it is of another kind
            return False

    assert any(matches(value) for value in malformed_values(field))


def test_unknown_root_fields_and_malformed_keys() -> None:
    """An object, a scalar, and keys with NUL and a lone surrogate."""
    unknown = {k: v for fields in MALFORMED.values() for k, v in fields.items() if k not in FIELDS}
    assert {type(value) for value in unknown.values()} >= {dict, bool}
    assert {"utm\x00id", "utm\udfffid"} <= unknown.keys()


def test_malformed_leads_are_valid_json_without_nan() -> None:
    """A parser that keeps to the standard reads all of it."""
    for index in range(100):
        record = malformed_lead(1, index)
        text = json.dumps(record, allow_nan=False)
        assert text.isascii()
        assert json.loads(text) == record
