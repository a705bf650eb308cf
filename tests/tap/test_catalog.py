"""A catalog selects fields, and changes nothing else; a state changes nothing at all."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from support.cases import cases
from support.tap import Run, Workbench, ids_of, run_tap

from proof.benchmarks.server import SimulatedApi
from proof.benchmarks.templates import Kind
from tap_leads.sandbox import Sandbox

Entry = dict[str, Any]


@pytest.fixture(scope="session")
def discovered() -> str:
    """The catalog that the tap offers, as text."""
    return run_tap("--discover").output.decode()


@pytest.fixture
def entry(discovered: str) -> Entry:
    """The only stream of the catalog, for the test to change."""
    (entry,) = json.loads(discovered)["streams"]
    return dict(entry)


def metadata(entry: Entry, *path: str) -> dict[str, Any]:
    """The metadata of a field of the stream, or of the stream itself; it is added if missing."""
    breadcrumb = [step for name in path for step in ("properties", name)]
    for item in entry["metadata"]:
        if item["breadcrumb"] == breadcrumb:
            found: dict[str, Any] = item["metadata"]
            return found
    entry["metadata"].append({"breadcrumb": breadcrumb, "metadata": {}})
    return metadata(entry, *path)


def sync(workbench: Workbench, sandbox: Sandbox, *entries: Entry, **settings: Any) -> Run:
    """Syncs by a catalog of these streams."""
    catalog = workbench.file("catalog.json", {"streams": entries})
    return workbench.sync(sandbox, "--catalog", catalog, **settings)


def succeed(workbench: Workbench, sandbox: Sandbox, *entries: Entry, **settings: Any) -> Run:
    """The same, for a catalog that selects the stream."""
    run = sync(workbench, sandbox, *entries, **settings)
    assert run.code == 0, run.log
    return run


def lasting(run: Run) -> list[dict[str, Any]]:
    """The messages of a run, without versions and times."""
    return [message | {"version": None, "time_extracted": None} for message in run.messages]


@pytest.fixture(scope="session")
def without_catalog(shared_leads_250: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A sync without a catalog."""
    shared_leads_250.workspace.release()
    run = Workbench(tmp_path_factory.mktemp("without-catalog")).sync(shared_leads_250)
    assert run.code == 0, run.log
    assert run.ids == ids_of(shared_leads_250)
    assert run.messages[0]["key_properties"] == ["id"]
    return run


# What a catalog cannot change


def merge(
    root: Entry | None = None, key: Entry | None = None, **others: Any
) -> Callable[[Entry], None]:
    """Changes the entry: the metadata of the stream, that of its key, and others of its parts."""

    def change(entry: Entry) -> None:
        metadata(entry).update(root or {})
        metadata(entry, "id").update(key or {})
        entry.update(others)

    return change


def without(*names: str) -> Callable[[Entry], None]:
    """Removes parts of the entry."""

    def change(entry: Entry) -> None:
        metadata(entry).pop("table-key-properties", None)
        for name in names:
            del entry[name]

    return change


def key_without_metadata(entry: Entry) -> None:
    entry["metadata"].remove(
        {"breadcrumb": ["properties", "id"], "metadata": metadata(entry, "id")}
    )


def other_types(entry: Entry) -> None:
    properties = entry["schema"]["properties"]
    properties["fax"] = {"type": ["string", "null"]}
    properties["created_at"] = {"type": "integer"}
    properties["custom_attributes"] = {"type": "string"}
    properties["location_data"] = {"type": "object", "properties": {}}
    entry["schema"]["additionalProperties"] = False


INCREMENTAL = {
    "forced-replication-method": "INCREMENTAL",
    "replication-key": "updated_at",
    "valid-replication-keys": ["updated_at"],
}
CHANGES: dict[str, Callable[[Entry], None]] = {
    "nothing": merge(),
    "incremental": merge(replication_method="INCREMENTAL", replication_key="updated_at"),
    "incremental-in-metadata": merge(root=INCREMENTAL),
    "log-based": merge(replication_method="LOG_BASED"),
    "replication-key": merge(replication_key="updated_at"),
    "no-replication-method": without("replication_method"),
    "no-key": merge(key_properties=[], root={"table-key-properties": []}),
    "another-key": merge(key_properties=["email"], root={"table-key-properties": ["email"]}),
    "key-missing": without("key_properties"),
    "key-deselected": merge(key={"selected": False, "inclusion": "available"}),
    "key-unsupported": merge(key={"inclusion": "unsupported"}),
    "key-without-metadata": key_without_metadata,
    "fields-missing": merge(schema={"type": "object", "properties": {"id": {"type": "string"}}}),
    "no-schema": without("schema"),
    "other-types": other_types,
    "renamed": merge(stream="leads"),
    "no-stream-name": without("stream"),
    "no-metadata-of-fields": merge(metadata=[{"breadcrumb": [], "metadata": {"selected": True}}]),
    "no-metadata": merge(metadata=[]),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_catalog_that_selects_all_changes_no_message(
    workbench: Workbench,
    leads_250: Sandbox,
    without_catalog: Run,
    entry: Entry,
    change: Callable[[Entry], None],
) -> None:
    change(entry)
    assert lasting(succeed(workbench, leads_250, entry)) == lasting(without_catalog)


def test_other_streams_in_the_catalog_change_nothing(
    workbench: Workbench, leads_250: Sandbox, entry: Entry
) -> None:
    """Such as those of another tap."""
    other = {"tap_stream_id": "companies", "schema": {"type": "object"}, "metadata": []}
    maps = {"contacts": {"email": None}}
    run = succeed(workbench, leads_250, other, entry, stream_maps=maps)
    assert run.ids == ids_of(leads_250)
    assert {message["stream"] for message in run.messages if "stream" in message} == {"contacts"}


# Deselected fields


def test_a_deselected_field_is_in_no_message(
    workbench: Workbench, leads_250: Sandbox, without_catalog: Run, entry: Entry
) -> None:
    metadata(entry, "email")["selected"] = False
    metadata(entry, "custom_attributes")["selected"] = False
    metadata(entry, "location_data", "city_name")["selected"] = False
    run = succeed(workbench, leads_250, entry)
    expected = copy.deepcopy(lasting(without_catalog))
    for message in expected:
        for holder in (message.get("schema", {}).get("properties"), message.get("record")):
            if holder:
                del holder["email"], holder["custom_attributes"]
                location = holder["location_data"] or {}
                location.get("properties", location).pop("city_name", None)
    assert lasting(run) == expected
    for trace in (b'"email":', b"city_name"):
        assert trace in without_catalog.output
        assert trace not in run.output


@cases("available", "unsupported")
def test_a_deselected_list_is_in_no_message(
    inclusion: str, workbench: Workbench, leads_250: Sandbox, entry: Entry
) -> None:
    marks = {"selected": inclusion == "unsupported", "inclusion": inclusion}
    metadata(entry, "companies", "companies").update(marks)
    run = succeed(workbench, leads_250, entry)
    assert b"company_id" not in run.output
    assert all(set(record["companies"] or {}) <= {"type"} for record in run.records)


@pytest.fixture(scope="module")
def all_selected(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The output for leads with values that do not fit, with every field selected."""
    with Sandbox(leads=100, faults=["types@1"]) as sandbox:
        return Workbench(tmp_path_factory.mktemp("all-selected")).sync(sandbox).output


@cases(
    integer=(("session_count",), [b"session_count"]),
    text=(("name",), [b'"name":{"first"', b"Hopper"]),
    time=(("signed_up_at",), [b"signed_up_at"]),
    object=(("location_data",), [b"location_data"]),
    nested=(("location_data", "city_name"), [b"city_name", b'"location_data":"']),
    open_object=(("custom_attributes",), [b"custom_attributes"]),
    list=(("companies", "companies"), [b"company_id"]),
    unknown_field=(("ai_summary",), [b"ai_summary"]),
)
def test_a_value_that_does_not_fit_a_deselected_field_is_nowhere(
    path: tuple[str, ...],
    traces: list[bytes],
    workbench: Workbench,
    entry: Entry,
    all_selected: bytes,
) -> None:
    metadata(entry, *path)["selected"] = False
    with Sandbox(leads=100, faults=["types@1"]) as sandbox:
        run = succeed(workbench, sandbox, entry)
        assert run.ids == ids_of(sandbox)
    for trace in traces:
        assert trace in all_selected
        assert trace not in run.output
    left_out = [line for line in run.lines("WARNING") if "left out" in line]
    assert [line.split("'")[1] for line in left_out] == [path[0]]
    assert b"x_undocumented_flag" in run.output


def test_a_deselected_attribute_takes_no_other_with_it(workbench: Workbench) -> None:
    """Undeclared attributes and values that do not fit stay, and the log says so."""
    with Sandbox(leads=200, faults=["types@*"]) as sandbox:
        config = workbench.config(sandbox, typed_custom_attributes=True)
        found = run_tap("--discover", "--config", config)
        (typed,) = json.loads(found.output)["streams"]
        metadata(typed, "custom_attributes", "newsletter")["selected"] = False
        selected = workbench.sync(sandbox, typed_custom_attributes=True)
        run = succeed(workbench, sandbox, typed, typed_custom_attributes=True)
    assert b'"newsletter":' not in run.output
    assert b'"newsletter":"no"' in selected.output
    for whole in selected.records:
        (whole["custom_attributes"] or {}).pop("newsletter", None)
        rest = whole["additional_fields"] or {}
        if isinstance(attributes := rest.get("custom_attributes"), dict):
            attributes.pop("newsletter", None)
        elif "custom_attributes" in rest:
            del rest["custom_attributes"]  # a list: what is in it cannot be told apart
        whole["additional_fields"] = rest or None
    assert run.records == selected.records
    said = {line.split("'")[1]: line for line in run.lines("WARNING") if "lead(s)" in line}
    assert "left out, as you deselected" in said["custom_attributes.newsletter"]
    assert "kept unchanged" in said["custom_attributes.team_size"]
    assert "kept unchanged" in said["custom_attributes.trial"]
    assert "left out, as you deselected" in said["custom_attributes"]


def test_with_flattening_a_deselected_property_takes_no_other_with_it(
    workbench: Workbench, entry: Entry
) -> None:
    metadata(entry, "location_data", "city_name")["selected"] = False
    flattening = {"flattening_enabled": True, "flattening_max_depth": 1}
    with SimulatedApi(100, kind=Kind.ALL) as api:
        config = {"access_token": "t", "api_url": api.url, **flattening}
        catalog = workbench.file("catalog.json", {"streams": [entry]})
        run = run_tap("--config", workbench.file("config.json", config), "--catalog", catalog)
    assert run.code == 0, run.log
    assert len(run.records) == 100
    assert b"city_name" not in run.output
    rest = [json.loads(record["additional_fields"]) for record in run.records]
    assert {one["location_data"]["metro_code"] for one in rest} == {807}
    assert {record["location_data__latitude"] for record in run.records} == {53.3498}
    assert "left out" not in run.log


def test_the_log_does_not_say_kept_where_additional_fields_is_deselected(
    workbench: Workbench, entry: Entry
) -> None:
    metadata(entry, "additional_fields")["selected"] = False
    with Sandbox(leads=100, faults=["types@1"]) as sandbox:
        run = succeed(workbench, sandbox, entry)
    assert b"additional_fields" not in run.output
    assert any("'ai_summary'" in line for line in run.lines("WARNING"))
    assert "kept unchanged" not in run.log


@pytest.mark.parametrize("flattened", [False, True], ids=["nested", "flattened"])
@pytest.mark.parametrize("plan", [True, None], ids=["allow-list", "deny-list"])
def test_an_attribute_that_only_the_catalog_knows_stays_out(
    workbench: Workbench, leads_250: Sandbox, entry: Entry, plan: bool | None, flattened: bool
) -> None:
    """The schema has no such property, but a saved catalog may name it."""
    metadata(entry, "custom_attributes")["selected"] = True
    metadata(entry, "custom_attributes", "lead_score")["selected"] = plan
    metadata(entry, "custom_attributes", "preferred_language")["selected"] = False
    settings = {"flattening_enabled": True, "flattening_max_depth": 2} if flattened else {}
    run = succeed(workbench, leads_250, entry, **settings)
    attributes = [record["custom_attributes"] or {} for record in run.records]
    found = {
        name
        for held in attributes
        for name in (json.loads(held) if isinstance(held, str) else held)
    }
    assert "lead_score" in found
    assert "preferred_language" not in found
    assert (found == {"lead_score"}) is bool(plan)


# Catalogs that are refused


def only_excluded(entry: Entry) -> None:
    """What Meltano makes of rules with --exclude alone."""
    metadata(entry).update({"selected": False, "selected-by-default": None})
    metadata(entry, "email")["selected"] = False


REFUSED: dict[str, Callable[[Entry], None]] = {
    "deselected": merge(root={"selected": False}),
    "not-selected-by-default": merge(root={"selected": None, "selected-by-default": False}),
    "unsupported": merge(root={"selected": True, "inclusion": "unsupported"}),
    "only-excluded": only_excluded,
    "another-stream": merge(tap_stream_id="companies", stream="companies"),
}


@pytest.mark.parametrize("change", [*REFUSED.values(), None], ids=[*REFUSED, "no-stream"])
def test_a_catalog_that_does_not_select_the_stream_is_an_error(
    workbench: Workbench, leads_250: Sandbox, entry: Entry, change: Callable[[Entry], None] | None
) -> None:
    if change:
        change(entry)
    run = sync(workbench, leads_250, *([entry] if change else []))
    assert (run.code, run.output) == (1, b"")
    (error,) = run.lines("ERROR")
    assert "does not select the stream 'contacts'" in error
    assert "meltano select" in error
    assert "Traceback" not in run.log
    assert "  File " not in run.log


@cases(cut_off='{"streams": [', no_json="hush", list="[]", no_catalog='{"streams": [{"hush": 1}]}')
def test_one_line_names_a_file_that_is_no_catalog(
    content: str, workbench: Workbench, leads_250: Sandbox
) -> None:
    path = workbench.folder / "catalog.json"
    path.write_text(content)
    run = workbench.sync(leads_250, "--catalog", path)
    assert (run.code, run.output) == (1, b"")
    (error,) = run.lines("ERROR")
    assert "catalog" in error
    assert "hush" not in run.log
    assert "  File " not in run.log


# States


@cases(
    empty="{}",
    of_the_sync_before='{"bookmarks": {"contacts": {}}}',
    stale_bookmark='{"bookmarks": {"contacts": {"replication_key": "updated_at",'
    ' "replication_key_value": "hush"}}}',
    scroll_token='{"bookmarks": {"contacts": {"scroll_param": "hush"}}}',
    another_stream='{"bookmarks": {"hush": {"hush": 1}}}',
    bookmarks_as_list='{"bookmarks": ["hush"]}',
    another_shape='{"hush": {"hush": [1]}}',
    list='["hush"]',
    null="null",
    no_json='{"bookmarks": "hush',
)
def test_a_state_is_neither_used_nor_echoed(
    state: str, workbench: Workbench, leads_250: Sandbox, without_catalog: Run
) -> None:
    path = workbench.folder / "state.json"
    path.write_text(state)
    run = workbench.sync(leads_250, "--state", path)
    assert run.code == 0, run.log
    assert lasting(run) == lasting(without_catalog)
    assert "hush" not in run.log


def test_the_scrolls_token_never_reaches_the_state(
    without_catalog: Run, leads_250: Sandbox
) -> None:
    state = without_catalog.messages[-1]
    assert state == {"type": "STATE", "value": {"bookmarks": {"contacts": {}}}}
    tokens = {request.token for request in leads_250.workspace.history if request.token}
    assert tokens
    assert not any(token.encode() in without_catalog.output for token in tokens)
