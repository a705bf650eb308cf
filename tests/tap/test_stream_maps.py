"""Each output stream has what its stream map and flattening give it, and nothing that they drop."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from support.cases import cases
from support.records import validator
from support.tap import Run, Workbench, ids_of

from tap_leads.sandbox import MALFORMED, Sandbox
from tap_leads.singer.stream_maps import StreamMapError
from tap_leads.tap import TapLeads

Maps = dict[str, Any]
UNDOCUMENTED = {
    "utm\ufffdid" if "\0" in name else name
    for kind in ("unknown-object", "unknown-scalar", "key-nul", "key-long")
    for name in MALFORMED[kind].keys() - {"custom_attributes"}
}
REST = UNDOCUMENTED | {
    *("anonymous", "companies", "custom_attributes", "has_hard_bounced", "last_request_at"),
    *("location_data", "name", "remote_created_at", "session_count", "signed_up_at"),
    "unsubscribed_from_emails",
}
"""The fields of malformed leads that move to `additional_fields`."""


@pytest.fixture(scope="module")
def malformed() -> Iterator[Sandbox]:
    """A workspace whose leads have undocumented fields and values of other types."""
    with Sandbox(leads=100, faults=["types@*"]) as sandbox:
        yield sandbox


def records(run: Run, stream: str = "contacts") -> list[dict[str, Any]]:
    """The records of an output stream. Each fits the schema that was sent before it."""
    assert run.code == 0, run.log
    messages = [message for message in run.messages if message.get("stream") == stream]
    schema = messages[0]["schema"]
    assert set(messages[0]["key_properties"]) <= schema["properties"].keys()
    check = validator(schema)
    found = [message["record"] for message in messages if message["type"] == "RECORD"]
    for record in found:
        check.validate(record)
        sent = {name for name, value in record.items() if value is not None}
        assert sent <= schema["properties"].keys(), "targets drop undeclared fields"
    return found


def rest(found: list[dict[str, Any]]) -> set[str]:
    """The names in `additional_fields` of all records."""
    return {name for record in found for name in record["additional_fields"] or ()}


@cases(
    dropped={"name": None},
    dropped_as_meltano_writes_it={"name": "__NULL__", "__filter__": "__NULL__"},
    replaced={"name": "md5(str(name))"},
    replaced_by_another_field={"name": "pseudonym"},
    renamed={"full_name": "name", "name": None},
    copied_with_the_rest={"name": None, "extra": "additional_fields"},
    as_text={"name": None, "text": "str(additional_fields)"},
    with_options={"name": None, "__alias__": "contacts", "__filter__": "anonymous or True"},
)
def test_a_replaced_field_is_nowhere(rule: Maps, workbench: Workbench, malformed: Sandbox) -> None:
    """Every other field keeps its values in `additional_fields`."""
    run = workbench.sync(malformed, stream_maps={"contacts": rule}).complete(malformed)
    assert rest(run.records) == REST - {"name"}
    assert not re.search(rb"first\W+Ada", run.output)


def test_values_of_an_unchanged_field_stay(workbench: Workbench, malformed: Sandbox) -> None:
    rule = {
        "id": "id",
        "name": "name",
        "session_count": "self",
        "location_data": "record['location_data']",
        "location": "_['location_data']",
        "additional_fields": "additional_fields",
        "__else__": None,
    }
    run = workbench.sync(malformed, stream_maps={"contacts": rule})
    found = records(run)
    assert [one["location"] for one in found] == [one["location_data"] for one in found]
    assert rest(found) == {"name", "session_count", "location_data"} | UNDOCUMENTED
    assert set(found[0]) == rule.keys() - {"__else__"}
    assert re.search("'anonymous' .* left out", run.log)
    assert re.search("'name' .* kept unchanged", run.log)


def test_each_output_stream_has_its_own_rules(workbench: Workbench, malformed: Sandbox) -> None:
    kept = {"id": "id", "name": "name", "additional_fields": "additional_fields", "__else__": None}
    maps = {
        "con*": {"name": None, "ai_summary": "__NULL__"},
        "pii": {"__source__": "contacts", **kept},
        "counts": {"__source__": "con*", "session_count": None, "email": None},
        "keys": {"__source__": "contacts", "id": "id", "__else__": None},
    }
    run = workbench.sync(malformed, stream_maps=maps)
    assert rest(records(run)) == REST - {"name", "ai_summary"}
    assert rest(records(run, "pii")) == {"name"} | UNDOCUMENTED
    assert rest(records(run, "counts")) == REST - {"session_count"}
    assert records(run, "keys") == [{"id": name} for name in ids_of(malformed)]
    assert re.search("'name' .* in 'contacts', 'keys' left out.* in 'pii', 'counts' kept", run.log)
    assert "has no field 'ai_summary'" in run.log


@cases({"contacts": None}, {"__else__": "__NULL__"})
def test_copies_can_replace_a_stream(gone: Maps, workbench: Workbench, leads_250: Sandbox) -> None:
    run = workbench.sync(leads_250, stream_maps={**gone, "leads": {"__source__": "contacts"}})
    assert [record["id"] for record in records(run, "leads")] == ids_of(leads_250)
    assert {message.get("stream", "leads") for message in run.messages} == {"leads"}


def test_a_map_can_change_name_key_and_leads(workbench: Workbench, leads_250: Sandbox) -> None:
    rule = {
        "key": "app_id + '-' + id",
        "__key_properties__": ["key"],
        "__alias__": "leads",
        "__filter__": "phone is not None",
    }
    run = workbench.sync(leads_250, stream_maps={"contacts": rule})
    found = [(record["key"], record["id"]) for record in records(run, "leads")]
    phones = [lead for lead in leads_250.workspace.leads() if lead.get("phone")]
    assert found == [(f"{lead['app_id']}-{lead['id']}", lead["id"]) for lead in phones]
    assert run.messages[0]["key_properties"] == ["key"]
    assert {message.get("stream", "leads") for message in run.messages} == {"leads"}
    assert run.kinds == ["SCHEMA", "RECORD", "ACTIVATE_VERSION", "STATE"]


# Wrong maps

WRONG_RULES: dict[str, list[Any]] = {
    "email": ["hush (", "", "lower(email)", "e_mail", 5],
    "mail": ["self"],
    "name": ["fake.name()"],  # the tests run without the package Faker
    "id": [None],
    "__key_properties__": ["id", [5]],
    "__else__": ["hush"],
    "__filter__": ["hush (", True],
    "__alias__": [5],
    "__source__": [None],
    "__elze__": [None],
}


@cases(
    ({"contacts": None}, "contacts"),
    ({"*": "__NULL__"}, "contacts"),
    ({"__else__": None}, "contacts"),
    ({"contact": {"email": None}}, "contact"),
    ({"contact": None}, "contact"),
    ({"pii": {"__source__": "contact"}}, "pii"),
    ({"a": {"__source__": "contacts"}, "__else__": "x"}, "__else__"),
    ({"contacts": "email"}, "contacts"),
    ({"contacts": {"__alias__": "("}}, "contacts"),
    ({"__elze__": {}}, "__elze__"),
    ({"contacts": {"__source__": "contacts"}}, "contacts"),
    *(
        ({"contacts": {field: rule}}, f"contacts', field '{field}")
        for field, rules in WRONG_RULES.items()
        for rule in rules
    ),
    ({"contacts": {"email": "email", "__else__": None}}, "contacts', field 'id"),
    ({"contacts": {"__key_properties__": ["nobody"]}}, "contacts', field 'nobody"),
    ({"contacts": {"__source__": "contacts", "__alias__": "x"}}, "contacts', field '__alias__"),
)
def test_stream_and_field_of_a_wrong_rule_are_named_before_the_sync(maps: Maps, place: str) -> None:
    with pytest.raises(StreamMapError) as caught:
        TapLeads(config={"access_token": "t", "stream_maps": maps})
    assert str(caught.value).startswith(f"Setting 'stream_maps', stream '{place}': ")
    assert "hush" not in str(caught.value)


@cases(
    null=({"name": "name", "domain": "email.split('@')[1]"}, "domain", "(Attribute"),
    value_in_the_error=({"n": "int(pseudonym)"}, "n", "ValueError"),
    no_json=({"n": "md5"}, "n", "TypeError"),
    filter=({"n": "1 / 0", "__filter__": "phone.startswith('+1')"}, "__filter__", "(Attribute"),
)
def test_an_expression_that_fails_is_one_line_without_values(
    rule: Maps, field: str, kind: str, workbench: Workbench, leads_250: Sandbox
) -> None:
    run = workbench.sync(leads_250, stream_maps={"contacts": rule})
    assert f"'stream_maps', stream 'contacts', field '{field}'" in run.error
    assert kind in run.error
    assert "Gecko" not in run.log


@cases(no_stream={}, no_field={"contacts": {}})
def test_the_log_names_an_empty_map(maps: Maps, workbench: Workbench, leads_250: Sandbox) -> None:
    run = workbench.sync(leads_250, stream_maps=maps)
    (warning,) = run.complete(leads_250).lines("WARNING")
    assert re.search("stream_maps.*__NULL__", warning)


def test_what_expressions_can_use(workbench: Workbench, leads_250: Sandbox) -> None:
    rule = {
        "a": "config['salt'] + md5(id)",
        "b": "[tag['name'] for tag in (tags or {'tags': []})['tags']]",
        "c": "_['id'] + record['id'] + __stream_name__ + __original_stream_name__",
        "d": "str(datetime.datetime.fromisoformat('2020-01-01'))",
        "e": "bool(email) and json.dumps(email)",
        "name": "(self or '').upper()",
        "f": "json.dumps(custom_attributes)",
        "g": "((custom_attributes or {}).get('lead_score') or 0) * 1.5",
    }
    maps = {"contacts": rule}
    run = workbench.sync(leads_250, stream_maps=maps, stream_map_config={"salt": "s"})
    assert run.complete(leads_250).lines("WARNING") == []


# Flattening

FLAT: dict[str, Any] = {"flattening_enabled": True, "flattening_max_depth": 1}


def test_flattening_leaves_open_objects_whole(workbench: Workbench, malformed: Sandbox) -> None:
    nested = records(workbench.sync(malformed))
    flat = records(workbench.sync(malformed, **FLAT))
    for whole, columns in zip(nested, flat, strict=True):
        for name in ("custom_attributes", "additional_fields"):
            assert json.loads(columns[name] or "null") == whole[name]
        for name, value in (whole["location_data"] or {}).items():
            assert columns[f"location_data__{name}"] == value
        assert "location_data" not in columns
    assert any(columns["location_data__city_name"] for columns in flat)


def test_the_log_names_columns_with_short_names(workbench: Workbench, leads_250: Sandbox) -> None:
    run = workbench.sync(leads_250, **FLAT, flattening_max_key_length=20).complete(leads_250)
    named = dict(re.findall(r"Column '(.+)' has a short name for '(.+)'\.", run.log))
    assert "location_data__continent_code" in named.values()
    assert named.keys() <= run.records[0].keys()
    assert all(len(column) <= 20 for column in run.records[0])
