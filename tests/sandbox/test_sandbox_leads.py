"""The sandbox's leads: always the same, shaped like Intercom's, malformed on request."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections import defaultdict
from typing import Any

from support.cases import cases
from support.scroll_client import Start

from tap_leads.sandbox import MALFORMED, lead, malformed_kind, malformed_lead

LEADS = [lead(1, index) for index in range(5000)]
# The root fields of the leads object of API 1.4, by the types of their values.
FIELDS = {
    (str,): {"app_id", "id", "pseudonym", "type", "user_id"},
    (str, None): {
        *("email", "name", "owner_id", "phone", "referrer"),
        *("utm_campaign", "utm_content", "utm_medium", "utm_source", "utm_term"),
    },
    (int,): {"created_at", "session_count", "updated_at"},
    (int, None): {"last_request_at", "remote_created_at", "signed_up_at"},
    (bool,): {
        *("anonymous", "has_hard_bounced", "marked_email_as_spam", "unsubscribed_from_emails")
    },
    (bool, None): {"do_not_track"},
    (dict,): {
        *("avatar", "companies", "custom_attributes", "location_data"),
        *("segments", "social_profiles", "tags"),
    },
}


def values(field: str) -> list[Any]:
    """The values of a root field."""
    return [record[field] for record in LEADS if field in record]


def test_a_lead_is_always_the_same() -> None:
    """Only seed and index decide, in every version of the package, and the workspace's app id."""
    assert lead(1, 4321, "other") == LEADS[4321] | {"app_id": "other"}
    digest = hashlib.sha256(json.dumps(LEADS).encode()).hexdigest()
    assert digest == "a3259a7984eccaeb2db26649ba089f39c3670d2e9c868bbdafa3b6953050642b"


def test_ids_are_object_ids_and_unique() -> None:
    """Each has 24 hexadecimal digits. Another seed makes other ids."""
    ids = [lead(7, index)["id"] for index in (*range(9_000), *(2**n for n in range(14, 40)))]
    assert len({i[-10:] for i in ids}) == len(ids)  # not by chance: each index has its own digits
    assert all(re.fullmatch("[0-9a-f]{24}", i) for i in ids)
    assert set(ids).isdisjoint(values("id"))


def test_the_root_fields_are_those_of_api_1_4() -> None:
    """Each of them occurs with each of its types, and no other. Some are missing in some leads."""
    found = defaultdict(set)
    for field in {field for record in LEADS for field in record}:
        types = {None if value is None else type(value) for value in values(field)}
        found[frozenset(types)].add(field)
    assert found == {frozenset(types): fields for types, fields in FIELDS.items()}
    always = set.intersection(*map(set, LEADS))
    assert always >= {"type", "id", "app_id", "created_at"}
    assert always.isdisjoint({"phone", "name", "referrer", "utm_source", "custom_attributes"})
    assert all(record["created_at"] <= record["updated_at"] for record in LEADS)


def test_structures() -> None:
    """Lists have typed wrappers, as in the leads object. Some lists are empty."""
    for field, item in {
        "companies": "company",
        "tags": "tag",
        "segments": "segment",
        "social_profiles": "social_profile",
    }.items():
        assert {wrapper["type"] for wrapper in values(field)} == {f"{item}.list"}
        assert {len(wrapper[field]) for wrapper in values(field)} >= {0, 1}
        assert {inner["type"] for wrapper in values(field) for inner in wrapper[field]} == {item}
    place = (
        *("type", "city_name", "region_name", "postal_code", "country_name", "country_code"),
        *("continent_code", "timezone"),
    )
    assert set(map(frozenset, values("location_data"))) == {frozenset(), frozenset(place)}


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


def test_custom_attributes_are_as_described(scroll: Start) -> None:
    """Names and types are those of /data_attributes. Each type and null occur."""
    attributes = scroll().get("/data_attributes?model=customer").json()["data_attributes"]
    python = {"string": str, "integer": int, "float": float, "boolean": bool, "date": int}
    described = {item["name"]: python[item["data_type"]] for item in attributes}
    found = [(k, v) for record in values("custom_attributes") for k, v in record.items()]
    assert {name for name, _ in found} == described.keys()
    assert {type(value) for _, value in found} == {*python.values(), type(None)}
    assert all(value is None or type(value) is described[name] for name, value in found)
    assert {item["data_type"] for item in attributes} == python.keys()
    assert set(attributes[0]) >= {
        *("type", "name", "full_name", "label", "description", "data_type", "custom", "archived")
    }


@cases((1, 0), (2, 300), (9, 77))
def test_half_of_a_page_is_malformed_in_every_way(seed: int, start: int) -> None:
    """A parser that follows the standard reads all leads. They keep their ids."""
    kinds = []
    for index in range(start, start + 100):
        record, kind = malformed_lead(seed, index), malformed_kind(seed, index)
        usual = lead(seed, index)
        assert (record["id"], json.dumps(record) == json.dumps(usual)) == (usual["id"], not kind)
        text = json.dumps(record, allow_nan=False)
        assert text.isascii()
        assert json.loads(text) == record
        kinds.append(kind)
    assert set(kinds) == {None, *MALFORMED}
    assert kinds.count(None) == 50


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
