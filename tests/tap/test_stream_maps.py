"""Each output stream has what its stream map and flattening give it, and nothing that they drop."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from support.cases import cases
from support.records import validator
from support.tap import Run, Workbench, ids_of, run_tap

from tap_leads.sandbox import MALFORMED, Sandbox
from tap_leads.singer.stream_maps import StreamMapError
from tap_leads.tap import TapLeads

Maps = dict[str, Any]

UNDOCUMENTED = {
    "utm\ufffdid" if "\0" in name else name
    for kind in ("unknown-object", "unknown-scalar", "key-nul", "key-long")
    for name in MALFORMED[kind].keys() - {"custom_attributes"}
}


@pytest.fixture(scope="module")
def malformed() -> Iterator[Sandbox]:
    """A workspace whose leads have undocumented fields and values of other types."""
    with Sandbox(leads=100, faults=["types@*"]) as sandbox:
        yield sandbox


def records(run: Run, stream: str = "contacts") -> list[dict[str, Any]]:
    """The records of an output stream. Each fits the schema that was sent before it."""
    assert run.code == 0, run.log
    messages = [message for message in run.messages if message.get("stream") == stream]
    found = [message["record"] for message in messages if message["type"] == "RECORD"]
    if not found:
        return []
    schema = messages[0]["schema"]
    assert set(messages[0]["key_properties"]) <= schema["properties"].keys()
    check = validator(schema)
    for record in found:
        check.validate(record)
        sent = {name for name, value in record.items() if value is not None}
        assert sent <= schema["properties"].keys(), "targets drop undeclared fields"
    return found


def rest(found: list[dict[str, Any]]) -> set[str]:
    """The names in `additional_fields` of all records."""
    return {name for record in found for name in record["additional_fields"] or ()}


@pytest.fixture(scope="module")
def everything(malformed: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names in `additional_fields` without a stream map."""
    run = Workbench(tmp_path_factory.mktemp("plain")).sync(malformed)
    assert run.ids == ids_of(malformed)
    names = rest(records(run))
    assert {"name", "session_count", "location_data", "ai_summary", "x_undocumented_flag"} <= names
    return names


@cases(
    dropped={"name": None},
    dropped_as_meltano_writes_it={"name": "__NULL__"},
    hashed={"name": "md5(str(name))"},
    renamed={"full_name": "name", "name": None},
    replaced={"name": "'x'"},
    replaced_by_another_field={"name": "pseudonym"},
    with_a_copy_of_the_rest={"name": None, "extra": "additional_fields"},
    as_text={"name": None, "text": "str(additional_fields)"},
    with_an_alias={"name": None, "__alias__": "contacts"},
    with_a_filter={"name": None, "__filter__": "anonymous or True"},
    with_no_filter={"name": None, "__filter__": "__NULL__"},
)
def test_a_replaced_field_is_not_in_additional_fields_and_every_other_is(
    rule: Maps, workbench: Workbench, malformed: Sandbox, everything: set[str]
) -> None:
    run = workbench.sync(malformed, stream_maps={"contacts": rule})
    assert run.ids == ids_of(malformed)
    assert rest(run.records) == everything - {"name"}
    for written in (b'"first":"Ada"', rb"first\": \"Ada"):
        assert written not in run.output


def test_an_unchanged_field_keeps_its_values_in_additional_fields(
    workbench: Workbench, malformed: Sandbox
) -> None:
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
    assert any("'anonymous'" in line and "left out" in line for line in run.lines("WARNING"))
    assert any("'name'" in line and "kept unchanged" in line for line in run.lines("WARNING"))


def test_each_output_stream_has_its_own_rules(
    workbench: Workbench, malformed: Sandbox, everything: set[str]
) -> None:
    maps = {
        "contacts": {"name": None},
        "pii": {
            "__source__": "contacts",
            "id": "id",
            "name": "name",
            "additional_fields": "additional_fields",
            "__else__": None,
        },
        "counts": {"__source__": "con*", "session_count": None, "email": None},
        "keys": {"__source__": "contacts", "id": "id", "__else__": None},
    }
    run = workbench.sync(malformed, stream_maps=maps)
    assert rest(records(run)) == everything - {"name"}
    assert rest(records(run, "pii")) == {"name"} | UNDOCUMENTED
    assert rest(records(run, "counts")) == everything - {"session_count"}
    assert records(run, "keys") == [{"id": name} for name in ids_of(malformed)]
    (line,) = [line for line in run.lines("WARNING") if "'name'" in line]
    assert "in 'contacts', 'keys' left out" in line
    assert "in 'pii', 'counts' kept unchanged" in line


def test_a_pattern_names_the_stream_and_an_undocumented_field_is_dropped_by_its_name(
    workbench: Workbench, malformed: Sandbox, everything: set[str]
) -> None:
    run = workbench.sync(malformed, stream_maps={"con*": {"ai_summary": "__NULL__"}})
    assert rest(records(run)) == everything - {"ai_summary"}
    assert any("has no field 'ai_summary'" in line for line in run.lines("WARNING"))


@cases({"contacts": None}, {"__else__": "__NULL__"})
def test_copies_can_replace_a_stream(
    removed: Maps, workbench: Workbench, leads_250: Sandbox
) -> None:
    maps = {**removed, "leads": {"__source__": "contacts"}}
    run = workbench.sync(leads_250, stream_maps=maps)
    assert [record["id"] for record in records(run, "leads")] == ids_of(leads_250)
    streams = {message["stream"] for message in run.messages if message["type"] != "STATE"}
    assert streams == {"leads"}


def test_a_map_can_rename_the_stream_and_choose_another_key(
    workbench: Workbench, leads_250: Sandbox
) -> None:
    rule = {"key": "app_id + '-' + id", "__key_properties__": ["key"], "__alias__": "leads"}
    run = workbench.sync(leads_250, stream_maps={"contacts": rule})
    for record in records(run, "leads"):
        assert record["key"] == f"{record['app_id']}-{record['id']}"
    assert run.messages[0]["key_properties"] == ["key"]
    assert {message["stream"] for message in run.messages if "stream" in message} == {"leads"}
    assert run.kinds == ["SCHEMA", "RECORD", "ACTIVATE_VERSION", "STATE"]


def test_a_filter_drops_leads(workbench: Workbench, leads_250: Sandbox) -> None:
    maps = {"contacts": {"__filter__": "phone is not None"}}
    phones = [lead["id"] for lead in leads_250.workspace.leads() if lead.get("phone")]
    assert [one["id"] for one in records(workbench.sync(leads_250, stream_maps=maps))] == phones


# Wrong maps


@cases(
    null=({"contacts": None}, "contacts"),
    meltanos_null=({"contacts": "__NULL__"}, "contacts"),
    all_streams=({"*": None}, "contacts"),
    misspelt=({"contact": {"email": None}}, "contact"),
    misspelt_and_removed=({"contact": None}, "contact"),
    pattern=({"user*": {"phone": None}}, "user*"),
    source=({"pii": {"__source__": "contact"}}, "pii"),
    else_text=({"a": {"__source__": "contacts"}, "__else__": "x"}, "__else__"),
    text=({"contacts": "email"}, "contacts"),
    list=({"contacts": ["email"]}, "contacts"),
    alias_of_no_form=({"contacts": {"__alias__": "("}}, "contacts"),
    no_option=({"__hush__": {}}, "__hush__"),
    same_name_twice=({"contacts": {"__source__": "contacts"}}, "contacts"),
    **{"else": ({"__else__": None}, "contacts")},
)
def test_a_wrong_stream_is_named_before_the_sync(maps: Maps, stream: str) -> None:
    with pytest.raises(StreamMapError, match=re.escape(f"'stream_maps', stream '{stream}'")):
        TapLeads(config={"access_token": "t", "stream_maps": maps})


WRONG_RULES: dict[str, list[Any]] = {
    "email": ["hush (", "", "hush = 1", "lower(email)", "e_mail", 5, {"hush": 1}],
    "mail": ["self"],
    "name": ["fake.name()"],  # the tests run without the package Faker
    "id": [None, "__NULL__"],
    "__key_properties__": ["id", [5]],
    "__else__": ["hush"],
    "__filter__": ["hush (", "e_mail", True],
    "__alias__": [5],
    "__source__": [5, None],
    "__elze__": [None],
}


@pytest.mark.parametrize(
    ("rule", "field"),
    [({field: rule}, field) for field, rules in WRONG_RULES.items() for rule in rules]
    + [
        ({"email": "email", "__else__": None}, "id"),
        ({"__key_properties__": ["nobody"]}, "nobody"),
        ({"__source__": "contacts", "__alias__": "copy"}, "__alias__"),
    ],
)
def test_stream_and_field_of_a_wrong_rule_are_named_before_the_sync(rule: Maps, field: str) -> None:
    with pytest.raises(StreamMapError) as caught:
        TapLeads(config={"access_token": "t", "stream_maps": {"contacts": rule}})
    assert f"'stream_maps', stream 'contacts', field '{field}'" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_one_line_refuses_an_expression_that_uses_a_deselected_field(
    workbench: Workbench, leads_250: Sandbox
) -> None:
    catalog = json.loads(run_tap("--discover").output)
    for entry in catalog["streams"][0]["metadata"]:
        if entry["breadcrumb"] == ["properties", "email"]:
            entry["metadata"]["selected"] = False
    path = workbench.file("catalog.json", catalog)
    maps = {"contacts": {"domain": "email.split('hush')[1]"}}
    run = workbench.sync(leads_250, "--catalog", path, stream_maps=maps)
    assert (run.code, run.output) == (1, b"")
    (error,) = run.lines("ERROR")
    assert "'stream_maps', stream 'contacts', field 'domain': 'email' is not a field" in error
    for secret in ("hush", "Traceback", "  File "):
        assert secret not in run.log


@cases(
    null=({"name": "name", "domain": "email.split('@')[1]"}, "domain", "Attribute"),
    arithmetic=({"n": "1 / (session_count - 99)"}, "n", "ZeroDivisionError"),
    missing_key=({"n": "custom_attributes['hush']"}, "n", "KeyError"),
    missing_setting=({"n": "config['hush']"}, "n", "KeyError"),
    value_in_the_error=({"n": "int(pseudonym)"}, "n", "ValueError"),
    no_json=({"n": "md5"}, "n", "TypeError"),
    filter=({"n": "1 / 0", "__filter__": "phone.startswith('+1')"}, "__filter__", ""),
)
def test_an_expression_that_fails_is_one_line_without_values(
    rule: Maps, field: str, kind: str, workbench: Workbench, leads_250: Sandbox
) -> None:
    run = workbench.sync(leads_250, stream_maps={"contacts": rule})
    assert run.code == 1
    assert not {"ACTIVATE_VERSION", "STATE"} & set(run.kinds)
    (error,) = run.lines("ERROR")
    assert f"'stream_maps', stream 'contacts', field '{field}'" in error
    assert kind in error
    for secret in ("hush", "Gecko", "Traceback", "  File "):
        assert secret not in run.log


def test_an_expression_that_fails_late_ends_the_sync_with_one_line(workbench: Workbench) -> None:
    with Sandbox(leads=1_200) as sandbox:
        rule = {"n": f"1 if id != '{ids_of(sandbox)[-1]}' else int('hush')"}
        run = workbench.sync(sandbox, stream_maps={"contacts": rule})
    assert run.code == 1
    assert len(run.records) > 1_000
    (error,) = run.lines("ERROR")
    assert "field 'n'" in error
    assert "hush" not in run.log
    assert "Traceback" not in run.log


@pytest.mark.parametrize("maps", [{}, {"contacts": {}}], ids=["no-stream", "no-field"])
def test_the_log_warns_of_an_empty_map(
    workbench: Workbench, leads_250: Sandbox, maps: Maps
) -> None:
    run = workbench.sync(leads_250, stream_maps=maps)
    assert [record["id"] for record in records(run)] == ids_of(leads_250)
    (warning,) = [line for line in run.lines("WARNING") if "stream_maps" in line]
    assert "__NULL__" in warning


def test_expressions_can_use_fields_functions_settings_and_names_of_their_own(
    workbench: Workbench, leads_250: Sandbox
) -> None:
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
    assert run.code == 0, run.log
    assert run.ids == ids_of(leads_250)
    assert not run.lines("WARNING")


# Flattening


@cases(1, 2, 5)
def test_flattening_makes_columns_of_fields_and_leaves_open_objects_whole(
    depth: int, workbench: Workbench, malformed: Sandbox
) -> None:
    run = workbench.sync(malformed, flattening_enabled=True, flattening_max_depth=depth)
    found = records(run)
    properties = run.messages[0]["schema"]["properties"]
    assert "location_data__city_name" in properties
    assert "location_data" not in properties
    for name in ("custom_attributes", "additional_fields"):
        assert "string" in properties[name]["type"]
        assert not [other for other in properties if other.startswith(f"{name}__")]
        texts = [record[name] for record in found if record[name] is not None]
        assert texts
        assert all(isinstance(json.loads(text), dict) for text in texts)
    assert any(record["location_data__city_name"] for record in found)


def test_flattening_loses_no_digit_and_no_value(workbench: Workbench) -> None:
    attributes = {"score": 0.1, "count": 2**70, "list": [1.5]}
    location = {"city_name": "Köln", "moon": {"phase": "full"}}
    lead = {"id": "1", "custom_attributes": attributes, "location_data": location}
    page = json.dumps({"scroll_param": "t", "contacts": [lead]})
    with Sandbox(leads=1, faults=[f"body@1:{page}"]) as sandbox:
        run = workbench.sync(sandbox, flattening_enabled=True, flattening_max_depth=1)
    (record,) = records(run)
    assert json.loads(record["custom_attributes"]) == attributes
    assert "full" in json.dumps(record)


def test_a_column_with_a_short_name_is_named_in_the_log(
    workbench: Workbench, leads_250: Sandbox
) -> None:
    run = workbench.sync(
        leads_250, flattening_enabled=True, flattening_max_depth=1, flattening_max_key_length=20
    )
    assert run.ids == ids_of(leads_250)
    named = dict(
        re.findall(r"Column '(.+)' has a short name for '(.+)'\.", "\n".join(run.lines("INFO")))
    )
    assert "location_data__continent_code" in named.values()
    assert named.keys() <= run.records[0].keys()
    assert all(len(column) <= 20 for column in run.records[0])
