"""A catalog selects fields, and changes nothing else; a state changes nothing at all."""

from __future__ import annotations

import copy
import json
import re
from functools import cache
from typing import Any

import pytest
from support.cases import cases
from support.tap import Run, Workbench, run_tap

from tap_leads.records.selection import Selection
from tap_leads.sandbox import Sandbox

Entry = dict[str, Any]
Marks = dict[str, Entry]
DESELECTED: Entry = {"selected": False}


@cache
def discovered() -> bytes:
    """The catalog that the tap offers."""
    return run_tap("--discover").output


def entry(marks: Marks | None = None, **parts: Any) -> Entry:
    """The stream in a catalog, as the tap offers it except for these changes.

    Args:
        marks: By the path of a field, or "" for the stream: changes of its metadata.
        parts: Other parts of the entry; None removes one.
    """
    (offered,) = json.loads(discovered())["streams"]
    metadata = {tuple(item["breadcrumb"]): item["metadata"] for item in offered["metadata"]}
    for path, mark in (marks or {}).items():
        crumb = tuple(step for name in path.split(".") if name for step in ("properties", name))
        metadata[crumb] = metadata.get(crumb, {}) | mark
    offered["metadata"] = [{"breadcrumb": crumb, "metadata": metadata[crumb]} for crumb in metadata]
    return {name: part for name, part in (offered | parts).items() if part is not None}


def sync(workbench: Workbench, sandbox: Sandbox, *entries: Entry, **settings: Any) -> Run:
    """Syncs by a catalog of these streams."""
    catalog = workbench.file("catalog.json", {"streams": entries})
    return workbench.sync(sandbox, "--catalog", catalog, **settings)


@pytest.fixture(scope="session")
def without_catalog(shared_leads_250: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A sync without a catalog."""
    shared_leads_250.workspace.release()
    run = Workbench(tmp_path_factory.mktemp("without-catalog")).sync(shared_leads_250)
    run.complete(shared_leads_250)
    assert run.messages[0]["key_properties"] == ["id"]
    return run


# What a catalog cannot change


@cases(
    nothing=({}, {}),
    incremental=(
        {"": {"forced-replication-method": "INCREMENTAL", "replication-key": "updated_at"}},
        {"replication_method": "INCREMENTAL", "replication_key": "updated_at"},
    ),
    no_key=({"": {"table-key-properties": []}}, {"key_properties": []}),
    another_key=({"": {"table-key-properties": ["email"]}}, {"key_properties": ["email"]}),
    key_deselected=({"id": {"selected": False, "inclusion": "available"}}, {}),
    key_unsupported=({"id": {"inclusion": "unsupported"}}, {}),
    other_schema=({}, {"schema": {"properties": {"custom_attributes": {"type": "string"}}}}),
    renamed=({}, {"stream": "leads"}),
    little=({}, {"schema": None, "key_properties": None, "replication_method": None}),
    no_metadata_of_fields=({}, {"metadata": [{"breadcrumb": [], "metadata": {"selected": True}}]}),
    no_metadata=({}, {"metadata": [], "stream": None}),
)
def test_a_catalog_that_selects_all_changes_no_message(
    marks: Marks, parts: Entry, workbench: Workbench, leads_250: Sandbox, without_catalog: Run
) -> None:
    other = {"tap_stream_id": "companies", "schema": {"type": "object"}, "metadata": []}
    run = sync(workbench, leads_250, other, entry(marks, **parts))
    assert run.lasting == without_catalog.lasting


# Deselected fields


@cases(deselected=DESELECTED, unsupported={"selected": True, "inclusion": "unsupported"})
def test_a_deselected_field_is_in_no_message(
    mark: Entry, workbench: Workbench, leads_250: Sandbox, without_catalog: Run
) -> None:
    paths = ("email", "custom_attributes", "location_data.city_name", "companies.companies")
    run = sync(workbench, leads_250, entry(dict.fromkeys(paths, mark)))
    expected = copy.deepcopy(without_catalog.lasting)
    for message in expected:
        for holder in (message.get("schema", {}).get("properties"), message.get("record")):
            if holder:
                del holder["email"], holder["custom_attributes"]
                for name, part in (("location_data", "city_name"), ("companies", "companies")):
                    inner = holder[name] or {}
                    inner.get("properties", inner).pop(part, None)
    assert run.lasting == expected
    for trace in (b'"email":', b"city_name", b"company_id"):
        assert trace in without_catalog.output
        assert trace not in run.output


@cases(
    fields=(
        "session_count name signed_up_at location_data custom_attributes ai_summary",
        "session_count Hopper signed_up_at location_data custom_attributes ai_summary",
    ),
    parts=("location_data.city_name companies.companies", "city_name company_id"),
)
def test_a_deselected_misfit_is_nowhere(paths: str, traces: str, workbench: Workbench) -> None:
    with Sandbox(leads=100, faults=["types@*"]) as sandbox:
        all_selected = workbench.sync(sandbox)
        catalog = entry(dict.fromkeys(paths.split(), DESELECTED))
        run = sync(workbench, sandbox, catalog).complete(sandbox)
    assert b"x_undocumented_flag" in run.output
    for trace in traces.encode().split():
        assert trace in all_selected.output
        assert trace not in run.output
    left_out = {line.split("'")[1] for line in run.lines("WARNING") if "left out" in line}
    assert left_out == {path.partition(".")[0] for path in paths.split()}


def test_a_deselected_attribute_takes_no_other_with_it(workbench: Workbench) -> None:
    """Undeclared attributes and values that do not fit stay, and the log says so."""
    catalog = entry({"custom_attributes.newsletter": DESELECTED})
    with Sandbox(leads=200, faults=["types@*"]) as sandbox:
        whole = workbench.sync(sandbox, typed_custom_attributes=True)
        run = sync(workbench, sandbox, catalog, typed_custom_attributes=True)
    assert b'"newsletter":' not in run.output
    assert b'"newsletter":"no"' in whole.output
    left = Selection.of([("custom_attributes", "newsletter")], ())
    assert run.records == [left.of_record(record) for record in whole.records]
    for name in ("custom_attributes.newsletter", "custom_attributes"):  # a list may hold it
        assert re.search(f"'{name}' .*left out, as you deselected", run.log)
    for name in ("custom_attributes.team_size", "custom_attributes.trial"):
        assert re.search(f"'{name}' .*kept unchanged", run.log)


def test_the_log_does_not_say_kept_without_additional_fields(workbench: Workbench) -> None:
    with Sandbox(leads=100, faults=["types@1"]) as sandbox:
        run = sync(workbench, sandbox, entry({"additional_fields": DESELECTED}))
    assert (run.code, b"additional_fields" in run.output) == (0, False), run.log
    assert any("'ai_summary'" in line for line in run.lines("WARNING"))
    assert "kept unchanged" not in run.log


@cases(allow_list=True, deny_list=None)
def test_an_attribute_that_only_the_catalog_knows_stays_out(
    score: bool | None, workbench: Workbench, leads_250: Sandbox
) -> None:
    """The schema has no such property, but a saved catalog may name it."""
    marks: Marks = {
        "custom_attributes": {"selected": True},
        "custom_attributes.lead_score": {"selected": score},
        "custom_attributes.preferred_language": DESELECTED,
    }
    run = sync(workbench, leads_250, entry(marks))
    found = {name for record in run.records for name in record["custom_attributes"] or {}}
    assert found & {"lead_score", "preferred_language"} == {"lead_score"}
    assert (found == {"lead_score"}) is bool(score)


def test_no_expression_uses_a_deselected_field(workbench: Workbench, leads_250: Sandbox) -> None:
    maps = {"contacts": {"domain": "email.split('hush')[1]"}}
    run = sync(workbench, leads_250, entry({"email": DESELECTED}), stream_maps=maps)
    assert "stream 'contacts', field 'domain': 'email' is not a field" in run.refusal


# Catalogs that are refused


@cases(
    deselected=({"": DESELECTED}, {}),
    unsupported=({"": {"selected": True, "inclusion": "unsupported"}}, {}),
    # What Meltano makes of rules with --exclude alone
    only_excluded=({"": DESELECTED | {"selected-by-default": None}, "email": DESELECTED}, {}),
    another_stream=({}, {"tap_stream_id": "companies", "stream": "companies"}),
    no_stream=(None, {}),
)
def test_a_catalog_that_does_not_select_the_stream_is_an_error(
    marks: Marks | None, parts: Entry, workbench: Workbench, leads_250: Sandbox
) -> None:
    run = sync(workbench, leads_250, *([] if marks is None else [entry(marks, **parts)]))
    assert re.search("does not select the stream 'contacts'.*meltano select", run.refusal)


@cases(cut_off='{"streams": [', list="[]", no_catalog='{"streams": [{"hush": 1}]}')
def test_a_wrong_catalog_is_an_error(content: str, workbench: Workbench) -> None:
    path = workbench.folder / "catalog.json"
    path.write_text(content)
    run = run_tap("--catalog", path, TAP_LEADS_ACCESS_TOKEN="any")
    assert "not a Singer catalog" in run.refusal


# States


@cases(
    bookmark='{"bookmarks": {"contacts": {"replication_key_value": "hush", "scroll_param": "x"}}}',
    null="null",
    no_json='{"bookmarks": "hush',
)
def test_a_state_is_neither_used_nor_echoed(
    state: str, workbench: Workbench, leads_250: Sandbox, without_catalog: Run
) -> None:
    path = workbench.folder / "state.json"
    path.write_text(state)
    run = workbench.sync(leads_250, "--state", path)
    assert run.lasting == without_catalog.lasting
    assert run.messages[-1] == {"type": "STATE", "value": {"bookmarks": {"contacts": {}}}}
    for secret in {request.token or "hush" for request in leads_250.workspace.history}:
        assert secret not in run.log + run.output.decode()
