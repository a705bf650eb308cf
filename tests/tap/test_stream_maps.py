"""Each output stream has what its stream map gives it, and nothing that the map drops."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from support.tap import Run, Workbench, ids_of, run_tap

from tap_leads.sandbox import MALFORMED, Sandbox
from tap_leads.singer.map_rules import StreamMapError
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


def sync(workbench: Workbench, sandbox: Sandbox, maps: Maps, **settings: Any) -> Run:
    """Syncs with stream maps."""
    return workbench.sync(sandbox, stream_maps=maps, **settings)


def records(run: Run, stream: str = "contacts") -> list[dict[str, Any]]:
    """The records of an output stream."""
    assert run.code == 0, run.log
    return [
        message["record"]
        for message in run.messages
        if message["type"] == "RECORD" and message["stream"] == stream
    ]


def rest(found: list[dict[str, Any]]) -> set[str]:
    """The names in `additional_fields` of all records."""
    return {name for record in found for name in record["additional_fields"] or ()}


@pytest.fixture(scope="module")
def everything(malformed: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names in `additional_fields` without a stream map."""
    names = rest(records(Workbench(tmp_path_factory.mktemp("plain")).sync(malformed)))
    assert {"name", "session_count", "location_data", "ai_summary", "x_undocumented_flag"} <= names
    return names


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param({"name": None}, id="dropped"),
        pytest.param({"name": "__NULL__"}, id="dropped-as-meltano-writes-it"),
        pytest.param({"name": "md5(str(name))"}, id="hashed"),
        pytest.param({"full_name": "name", "name": None}, id="renamed"),
        pytest.param({"name": "'x'"}, id="replaced"),
        pytest.param({"name": "pseudonym"}, id="replaced-by-another-field"),
        pytest.param({"name": None, "extra": "additional_fields"}, id="with-a-copy-of-the-rest"),
        pytest.param({"name": None, "text": "str(additional_fields)"}, id="as-text"),
        pytest.param({"name": None, "__alias__": "contacts"}, id="with-an-alias"),
        pytest.param({"name": None, "__filter__": "anonymous or True"}, id="with-a-filter"),
    ],
)
def test_what_a_map_replaces_is_not_in_the_rest_and_everything_else_is(
    workbench: Workbench, malformed: Sandbox, everything: set[str], rule: Maps
) -> None:
    run = sync(workbench, malformed, {"contacts": rule})
    found = records(run)
    assert [record["id"] for record in found] == ids_of(malformed)
    assert rest(found) == everything - {"name"}
    for written in (b'"first":"Ada"', rb"first\": \"Ada"):
        assert written not in run.output


def test_a_pattern_names_the_stream_too(
    workbench: Workbench, malformed: Sandbox, everything: set[str]
) -> None:
    run = sync(workbench, malformed, {"con*": {"name": None}})
    assert rest(records(run)) == everything - {"name"}


def test_a_field_that_passes_as_it_is_keeps_its_values_in_the_rest(
    workbench: Workbench, malformed: Sandbox
) -> None:
    rule = {
        "id": "id",
        "name": "name",
        "session_count": "self",
        "location_data": "record['location_data']",
        "additional_fields": "additional_fields",
        "__else__": None,
    }
    run = sync(workbench, malformed, {"contacts": rule})
    found = records(run)
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
    }
    run = sync(workbench, malformed, maps)
    assert rest(records(run)) == everything - {"name"}
    assert rest(records(run, "pii")) == {"name"} | UNDOCUMENTED
    assert rest(records(run, "counts")) == everything - {"session_count"}
    (line,) = [line for line in run.lines("WARNING") if "'name'" in line]
    assert "in 'contacts' left out" in line
    assert "in 'pii', 'counts' kept unchanged" in line


def test_a_copy_takes_nothing_from_the_stream_itself(
    workbench: Workbench, malformed: Sandbox, everything: set[str]
) -> None:
    run = sync(
        workbench, malformed, {"pii": {"__source__": "contacts", "id": "id", "__else__": None}}
    )
    assert rest(records(run)) == everything
    assert {tuple(record) for record in records(run, "pii")} == {("id",)}
    assert "left out" in run.log
    assert "in 'contacts' kept unchanged" in run.log


def test_an_undocumented_field_is_dropped_by_its_name(
    workbench: Workbench, malformed: Sandbox, everything: set[str]
) -> None:
    run = sync(workbench, malformed, {"contacts": {"ai_summary": "__NULL__"}})
    assert rest(records(run)) == everything - {"ai_summary"}
    assert any("has no field 'ai_summary'" in line for line in run.lines("WARNING"))


def test_a_stream_can_be_replaced_by_copies(workbench: Workbench, leads_250: Sandbox) -> None:
    run = sync(workbench, leads_250, {"contacts": None, "leads": {"__source__": "contacts"}})
    assert records(run) == []
    assert [record["id"] for record in records(run, "leads")] == ids_of(leads_250)
    streams = {message["stream"] for message in run.messages if message["type"] != "STATE"}
    assert streams == {"leads"}


def test_a_filter_drops_leads(workbench: Workbench, leads_250: Sandbox) -> None:
    run = sync(workbench, leads_250, {"contacts": {"__filter__": "phone is not None"}})
    phones = [lead["id"] for lead in leads_250.workspace.leads() if lead.get("phone")]
    assert [record["id"] for record in records(run)] == phones


@pytest.mark.parametrize(
    ("maps", "stream"),
    [
        pytest.param({"contacts": None}, "contacts", id="null"),
        pytest.param({"contacts": "__NULL__"}, "contacts", id="meltanos-null"),
        pytest.param({"*": None}, "contacts", id="all-streams"),
        pytest.param({"__else__": None}, "contacts", id="else"),
        pytest.param({"contact": {"email": None}}, "contact", id="misspelt"),
        pytest.param({"contact": None}, "contact", id="misspelt-and-removed"),
        pytest.param({"users": {"phone": None}}, "users", id="of-another-tap"),
        pytest.param({"user*": {"phone": None}}, "user*", id="pattern"),
        pytest.param({"pii": {"__source__": "contact"}}, "pii", id="source"),
        pytest.param(
            {"a": {"__source__": "contacts"}, "__else__": "x"}, "__else__", id="else-text"
        ),
        pytest.param({"contacts": "email"}, "contacts", id="text"),
        pytest.param({"contacts": ["email"]}, "contacts", id="list"),
        pytest.param({"__hush__": {}}, "__hush__", id="no-option"),
        pytest.param(
            {"contacts": {"__source__": "contacts"}}, "contacts", id="two-outputs-of-a-name"
        ),
    ],
)
def test_a_wrong_stream_is_named_before_the_sync(maps: Maps, stream: str) -> None:
    with pytest.raises(StreamMapError, match=re.escape(f"'stream_maps', stream '{stream}'")):
        TapLeads(config={"access_token": "t", "stream_maps": maps})


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        pytest.param({"email": "hush ("}, "email", id="syntax"),
        pytest.param({"email": ""}, "email", id="empty"),
        pytest.param({"email": "hush = 1"}, "email", id="no-expression"),
        pytest.param({"name": "name", "email": "lower(email)"}, "email", id="unknown-function"),
        pytest.param({"email": "e_mail"}, "email", id="unknown-name"),
        pytest.param({"mail": "self"}, "mail", id="self-of-a-new-field"),
        pytest.param({"name": "fake.name()"}, "name", id="faker-is-not-installed"),
        pytest.param({"email": 5}, "email", id="number"),
        pytest.param({"email": {"hush": 1}}, "email", id="object"),
        pytest.param({"id": None}, "id", id="key-dropped"),
        pytest.param({"email": "email", "__else__": None}, "id", id="key-not-kept"),
        pytest.param({"__key_properties__": ["nobody"]}, "nobody", id="key-that-is-not-there"),
        pytest.param({"__key_properties__": "id"}, "__key_properties__", id="key-as-text"),
        pytest.param({"__else__": "hush"}, "__else__", id="else"),
        pytest.param({"__filter__": "hush ("}, "__filter__", id="filter-syntax"),
        pytest.param({"__filter__": "e_mail"}, "__filter__", id="filter-name"),
        pytest.param({"__filter__": True}, "__filter__", id="filter-type"),
        pytest.param({"__elze__": None}, "__elze__", id="no-option"),
        pytest.param({"__alias__": 5}, "__alias__", id="alias-type"),
    ],
)
def test_stream_and_field_of_a_wrong_rule_are_named_before_the_sync(rule: Maps, field: str) -> None:
    with pytest.raises(StreamMapError) as caught:
        TapLeads(config={"access_token": "t", "stream_maps": {"contacts": rule}})
    assert f"'stream_maps', stream 'contacts', field '{field}'" in str(caught.value)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("maps", "place"),
    [
        pytest.param({"contact": {"email": None}}, "stream 'contact'", id="stream"),
        pytest.param({"contacts": None}, "stream 'contacts'", id="nothing-left"),
        pytest.param({"contacts": {"x": "hush ("}}, "stream 'contacts', field 'x'", id="field"),
    ],
)
def test_a_wrong_map_is_one_line_and_no_message(
    workbench: Workbench, leads_250: Sandbox, maps: Maps, place: str
) -> None:
    run = sync(workbench, leads_250, maps)
    assert (run.code, run.output) == (1, b"")
    (error,) = run.lines("ERROR")
    assert f"'stream_maps', {place}" in error
    for secret in ("hush", "Traceback", "  File "):
        assert secret not in run.log


def test_a_deselected_field_is_no_name_for_expressions(
    workbench: Workbench, leads_250: Sandbox
) -> None:
    catalog = json.loads(run_tap("--discover").output)
    for entry in catalog["streams"][0]["metadata"]:
        if entry["breadcrumb"] == ["properties", "email"]:
            entry["metadata"]["selected"] = False
    path = workbench.file("catalog.json", catalog)
    maps = {"contacts": {"domain": "email.split('@')[1]"}}
    run = workbench.sync(leads_250, "--catalog", path, stream_maps=maps)
    assert (run.code, run.output) == (1, b"")
    assert "field 'domain': 'email' is not a field" in run.lines("ERROR")[0]


@pytest.mark.parametrize(
    ("rule", "field", "kind"),
    [
        pytest.param(
            {"name": "name", "domain": "email.split('@')[1]"}, "domain", "Attribute", id="null"
        ),
        pytest.param({"n": "1 / (session_count - 99)"}, "n", "ZeroDivisionError", id="arithmetic"),
        pytest.param({"n": "custom_attributes['hush']"}, "n", "KeyError", id="missing-key"),
        pytest.param({"n": "config['hush']"}, "n", "KeyError", id="missing-setting"),
        pytest.param({"n": "int(pseudonym)"}, "n", "ValueError", id="value-in-the-error"),
        pytest.param({"n": "md5"}, "n", "TypeError", id="no-json"),
        pytest.param({"__filter__": "phone.startswith('+1')"}, "__filter__", "", id="filter"),
    ],
)
def test_an_expression_that_fails_is_one_line_without_values(
    workbench: Workbench, leads_250: Sandbox, rule: Maps, field: str, kind: str
) -> None:
    run = sync(workbench, leads_250, {"contacts": rule})
    assert run.code == 1
    assert "ACTIVATE_VERSION" not in run.kinds
    assert "STATE" not in run.kinds
    (error,) = run.lines("ERROR")
    assert f"'stream_maps', stream 'contacts', field '{field}'" in error
    assert kind in error
    for secret in ("hush", "Gecko", "Traceback", "  File "):
        assert secret not in run.log


def test_an_expression_that_fails_late_ends_the_sync_with_one_line(workbench: Workbench) -> None:
    with Sandbox(leads=1_200) as sandbox:
        last = ids_of(sandbox)[-1]
        rule = {"n": f"1 if id != '{last}' else int('hush')"}
        run = sync(workbench, sandbox, {"contacts": rule})
    assert run.code == 1
    assert len(run.records) > 1_000
    (error,) = run.lines("ERROR")
    assert "field 'n'" in error
    assert "hush" not in run.log
    assert "Traceback" not in run.log


@pytest.mark.parametrize("maps", [{}, {"contacts": {}}], ids=["no-stream", "no-field"])
def test_an_empty_map_is_warned_of(workbench: Workbench, leads_250: Sandbox, maps: Maps) -> None:
    run = sync(workbench, leads_250, maps)
    assert [record["id"] for record in records(run)] == ids_of(leads_250)
    (warning,) = [line for line in run.lines("WARNING") if "stream_maps" in line]
    assert "__NULL__" in warning


def test_expressions_may_use_fields_functions_settings_and_names_of_their_own(
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
    run = sync(workbench, leads_250, {"contacts": rule}, stream_map_config={"salt": "s"})
    assert len(records(run)) == 250
    assert not run.lines("WARNING")
