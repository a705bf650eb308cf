"""The sandbox's leads: always the same, shaped like Intercom's, malformed on request."""

import hashlib
import json
import re
import unicodedata
from typing import Any

from support.cases import cases

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
    """Tell the values of a root field."""
    return [record[field] for record in LEADS if field in record]


def test_a_lead_is_always_the_same() -> None:
    """Only seed and index decide, in every version of the package."""
    assert lead(1, 4321) == LEADS[4321]
    digest = hashlib.sha256(json.dumps(LEADS).encode()).hexdigest()
    assert digest == "a3259a7984eccaeb2db26649ba089f39c3670d2e9c868bbdafa3b6953050642b"


def test_seeds_make_different_leads() -> None:
    assert {record["id"] for record in LEADS}.isdisjoint(lead(2, n)["id"] for n in range(5000))


def test_ids_are_object_ids_and_unique() -> None:
    """Each has 24 hexadecimal digits."""
    ids = {lead(7, index)["id"] for index in [*range(50_000), *(2**n for n in range(16, 40))]}
    assert len(ids) == 50_024
    assert len({i[-10:] for i in ids}) == 50_024  # not by chance: each index has its own digits
    assert all(re.fullmatch("[0-9a-f]{24}", i) for i in ids)


def test_only_the_app_id_tells_workspaces_apart() -> None:
    """Two workspaces may have the same ids."""
    assert lead(1, 5, "other") == {**LEADS[5], "app_id": "other"}


def test_the_root_fields_are_those_of_api_1_4() -> None:
    """Each of them occurs, and no other."""
    assert {field for record in LEADS for field in record} == FIELDS
    assert all({"type", "id", "app_id", "created_at"} <= record.keys() for record in LEADS)


def test_values_can_be_missing() -> None:
    """They are null in some leads, and absent in others."""
    for field in ("phone", "name", "referrer", "utm_source", "do_not_track", "last_request_at"):
        assert None in values(field), field
        assert len(values(field)) < len(LEADS), field
    assert len(values("custom_attributes")) < len(LEADS)


def test_structures() -> None:
    """Lists have typed wrappers, as in the leads object. Some lists are empty."""
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
    """Values that are not missing have the documented types."""
    times = ("created_at", "updated_at", "last_request_at", "remote_created_at", "signed_up_at")
    for field in (*times, "session_count"):
        assert {type(value) for value in values(field)} <= {int, type(None)}
    for field in ("user_id", "email", "phone", "name", "pseudonym", "owner_id", "referrer"):
        assert {type(value) for value in values(field)} <= {str, type(None)}
    for field in ("anonymous", "unsubscribed_from_emails", "has_hard_bounced"):
        assert {type(value) for value in values(field)} == {bool}
    assert all(record["created_at"] <= record["updated_at"] for record in LEADS)


def test_names_are_written_in_many_scripts() -> None:
    """A client that can only handle ASCII fails."""
    text = "".join(filter(None, values("name")))
    scripts = {unicodedata.name(character, "?").split()[0] for character in set(text)}
    assert scripts >= {
        *("LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW", "DEVANAGARI"),
        *("CJK", "HIRAGANA", "HANGUL", "FOX"),  # "FOX FACE" is an emoji
    }


def test_no_real_person_gets_mail() -> None:
    """Addresses end in the domains reserved for examples (RFC 2606)."""
    domains = {address.rpartition("@")[2] for address in values("email") if address}
    assert domains == {"example.com", "example.org", "example.net"}


def test_custom_attributes_are_as_described() -> None:
    """Names and types are those of /data_attributes. Each type and null occur."""
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
    """On any page of any seed, half of the leads are malformed."""
    for seed, start in [(1, 0), (2, 300), (9, 77)]:
        names = [malformed_kind(seed, index) for index in range(start, start + 100)]
        assert set(names) == {None, *MALFORMED}
        assert names.count(None) == 50


def test_malformed_leads_keep_their_ids() -> None:
    """So they can still be counted. The other leads are unchanged."""
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


@cases(
    ("session_count", ["7", 12.0, 1.5, 2**63, 2**70 + 1]),
    ("created_at", [1_503_488_750_123]),
    ("updated_at", ["2020-08-05T13:14:55.060+00:00", "1593702734"]),
    ("remote_created_at", [-86_400, 2**70 + 1]),
    ("signed_up_at", [253_402_300_800, ""]),
    ("last_request_at", ["yesterday, or so"]),
    ("phone", [491_701_234_567]),
    ("name", [{"first": "Ada", "last": "Hopper"}, "Ada\x00Hopper", "Ada \ud800 Hopper"]),
    ("companies", [[{"type": "company", "company_id": "700"}]]),
    ("unsubscribed_from_emails", ["false"]),
    ("has_hard_bounced", [0]),
    ("location_data", ["Dublin"]),
    ("custom_attributes", [{"plan\x00": {"a\x00b": 1}}, {"\ud800plan": "pro"}, []]),
    ("custom_attributes", [{"team_size": -(2**70) - 1, "n": 2**64}]),
    ("x_undocumented_flag", [False]),
    ("ai_summary", [{"text": "asked for a demo", "scores": [0.5, None]}]),
    ("utm\x00id", ["spring"]),
    ("utm\udfffid", ["spring"]),
)
def test_malformed_values(field: str, expected: list[Any]) -> None:
    """Each kind that API clients received is there."""
    found = {repr(fields[field]) for fields in MALFORMED.values() if field in fields}
    assert {repr(value) for value in expected} <= found


def test_malformed_values_can_be_long_and_deep() -> None:
    assert len(MALFORMED["text-long"]["referrer"]) > 100_000
    assert json.dumps(MALFORMED["custom-deep"]["custom_attributes"]).count("{") == 21


def test_malformed_leads_are_valid_json_without_nan() -> None:
    """A parser that follows the standard reads all of them."""
    for index in range(100):
        record = malformed_lead(1, index)
        text = json.dumps(record, allow_nan=False)
        assert text.isascii()
        assert json.loads(text) == record
