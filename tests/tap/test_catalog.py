"""A catalog selects fields, and changes nothing else; a state changes nothing at all."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
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
    """The catalog's one stream, to be changed at will."""
    (entry,) = json.loads(discovered)["streams"]
    return dict(entry)


def metadata(entry: Entry, *path: str) -> dict[str, Any]:
    """The metadata of a field of the stream, or of the stream itself."""
    breadcrumb = [step for name in path for step in ("properties", name)]
    for item in entry["metadata"]:
        if item["breadcrumb"] == breadcrumb:
            found: dict[str, Any] = item["metadata"]
            return found
    raise KeyError(path)


def sync(workbench: Workbench, sandbox: Sandbox, entry: Entry, **settings: Any) -> Run:
    """Syncs by a catalog of this stream."""
    catalog = workbench.file("catalog.json", {"streams": [entry]})
    return workbench.sync(sandbox, "--catalog", catalog, **settings)


def lasting(run: Run) -> list[dict[str, Any]]:
    """The messages of a run, without what passes with the time."""
    passing = ("version", "time_extracted")
    return [{k: v for k, v in message.items() if k not in passing} for message in run.messages]


@pytest.fixture(scope="session")
def without_catalog(leads_250: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A sync without a catalog."""
    run = Workbench(tmp_path_factory.mktemp("without-catalog")).sync(leads_250)
    assert run.code == 0, run.log
    return run


def as_it_is(_: Entry) -> None:
    """Nothing."""


def incremental(entry: Entry) -> None:
    entry.update(replication_method="INCREMENTAL", replication_key="updated_at")


def incremental_in_the_metadata(entry: Entry) -> None:
    metadata(entry).update(
        {
            "forced-replication-method": "INCREMENTAL",
            "replication-key": "updated_at",
            "valid-replication-keys": ["updated_at"],
        }
    )
    del entry["replication_method"]


def log_based(entry: Entry) -> None:
    entry["replication_method"] = "LOG_BASED"


def replication_key_alone(entry: Entry) -> None:
    entry["replication_key"] = "updated_at"


def no_key(entry: Entry) -> None:
    entry["key_properties"] = []
    metadata(entry)["table-key-properties"] = []


def key_missing(entry: Entry) -> None:
    del entry["key_properties"]
    metadata(entry).pop("table-key-properties", None)


def another_key(entry: Entry) -> None:
    entry["key_properties"] = ["email"]
    metadata(entry)["table-key-properties"] = ["email"]


def key_deselected(entry: Entry) -> None:
    metadata(entry, "id").update({"selected": False, "inclusion": "available"})


def key_unsupported(entry: Entry) -> None:
    metadata(entry, "id").update({"inclusion": "unsupported"})


def key_without_metadata(entry: Entry) -> None:
    entry["metadata"] = [m for m in entry["metadata"] if m["breadcrumb"] != ["properties", "id"]]


def fields_missing(entry: Entry) -> None:
    entry["schema"] = {"type": "object", "properties": {"id": {"type": "string"}}}


def fields_of_another_version(entry: Entry) -> None:
    entry["schema"]["properties"]["fax"] = {"type": ["string", "null"]}


def no_schema(entry: Entry) -> None:
    del entry["schema"]


def other_types(entry: Entry) -> None:
    properties = entry["schema"]["properties"]
    properties["created_at"] = {"type": "integer"}
    properties["custom_attributes"] = {"type": "string"}
    properties["location_data"] = {"type": "object", "properties": {}}
    entry["schema"]["additionalProperties"] = False


def renamed(entry: Entry) -> None:
    entry["stream"] = "leads"


def stream_unnamed(entry: Entry) -> None:
    del entry["stream"]


def no_metadata_of_fields(entry: Entry) -> None:
    entry["metadata"] = [{"breadcrumb": [], "metadata": {"selected": True}}]


@pytest.mark.parametrize(
    "change",
    [
        as_it_is,
        incremental,
        incremental_in_the_metadata,
        log_based,
        replication_key_alone,
        no_key,
        key_missing,
        another_key,
        key_deselected,
        key_unsupported,
        key_without_metadata,
        fields_missing,
        fields_of_another_version,
        no_schema,
        other_types,
        renamed,
        stream_unnamed,
        no_metadata_of_fields,
    ],
)
def test_a_catalog_that_selects_all_changes_no_message(
    workbench: Workbench,
    leads_250: Sandbox,
    without_catalog: Run,
    entry: Entry,
    change: Callable[[Entry], None],
) -> None:
    metadata(entry)["selected"] = True
    change(entry)
    run = sync(workbench, leads_250, entry)
    assert run.code == 0, run.log
    assert lasting(run) == lasting(without_catalog)
    assert run.messages[0]["key_properties"] == ["id"]
    assert run.ids == ids_of(leads_250)


def test_what_was_discovered_can_be_given_back_as_it_is(
    workbench: Workbench, leads_250: Sandbox, without_catalog: Run, discovered: str
) -> None:
    catalog = workbench.file("catalog.json", json.loads(discovered))
    run = workbench.sync(leads_250, "--catalog", catalog)
    assert run.code == 0, run.log
    assert lasting(run) == lasting(without_catalog)


def test_a_deselected_field_is_in_no_message(
    workbench: Workbench, leads_250: Sandbox, without_catalog: Run, entry: Entry
) -> None:
    metadata(entry, "email")["selected"] = False
    metadata(entry, "custom_attributes")["selected"] = False
    run = sync(workbench, leads_250, entry)
    assert run.code == 0, run.log
    expected = copy.deepcopy(lasting(without_catalog))
    for message in expected:
        for holder in (message.get("schema", {}).get("properties"), message.get("record")):
            if holder:
                del holder["email"], holder["custom_attributes"]
    assert lasting(run) == expected
    assert b'"email":' in without_catalog.output
    assert b'"email":' not in run.output


def test_a_deselected_nested_field_is_in_no_message(
    workbench: Workbench, leads_250: Sandbox, without_catalog: Run, entry: Entry
) -> None:
    metadata(entry, "location_data", "city_name")["selected"] = False
    run = sync(workbench, leads_250, entry)
    assert run.code == 0, run.log
    assert b"city_name" in without_catalog.output
    assert b"city_name" not in run.output
    assert "country_name" in run.messages[0]["schema"]["properties"]["location_data"]["properties"]
    assert any((record["location_data"] or {}).get("country_name") for record in run.records)


@pytest.mark.parametrize("inclusion", ["available", "unsupported"])
def test_a_deselected_list_is_in_no_message(
    workbench: Workbench, leads_250: Sandbox, entry: Entry, inclusion: str
) -> None:
    metadata(entry, "companies", "companies").update(
        {"selected": inclusion == "unsupported", "inclusion": inclusion}
    )
    run = sync(workbench, leads_250, entry)
    assert run.code == 0, run.log
    assert b"company_id" not in run.output
    assert all(set(record["companies"] or {}) <= {"type"} for record in run.records)


@pytest.mark.parametrize(
    ("path", "traces"),
    [
        pytest.param(("session_count",), [b"session_count"], id="integer"),
        pytest.param(("name",), [b'"name":{"first"', b"Hopper"], id="text"),
        pytest.param(("signed_up_at",), [b"signed_up_at"], id="time"),
        pytest.param(("location_data",), [b"location_data"], id="object"),
        pytest.param(
            ("location_data", "city_name"), [b"city_name", b'"location_data":"'], id="nested"
        ),
        pytest.param(("custom_attributes",), [b"custom_attributes"], id="open-object"),
        pytest.param(("companies", "companies"), [b"company_id"], id="list"),
    ],
)
def test_a_value_that_does_not_fit_a_deselected_field_is_nowhere(
    workbench: Workbench, entry: Entry, path: tuple[str, ...], traces: list[bytes]
) -> None:
    metadata(entry, *path)["selected"] = False
    with Sandbox(leads=100, faults=["types@1"]) as sandbox:
        run = sync(workbench, sandbox, entry)
        assert run.code == 0, run.log
        assert run.ids == ids_of(sandbox)
    for trace in traces:
        assert trace not in run.output
    left_out = [line for line in run.lines("WARNING") if "left out" in line]
    assert [line.split("'")[1] for line in left_out] == [path[0]]
    assert any(record["additional_fields"] for record in run.records)


def test_the_same_values_are_there_when_the_fields_are_selected(workbench: Workbench) -> None:
    with Sandbox(leads=100, faults=["types@1"]) as sandbox:
        run = workbench.sync(sandbox)
    for trace in (b'"name":{"first"', b"Hopper", b'"location_data":"', b"company_id"):
        assert trace in run.output


def test_an_unknown_field_can_be_deselected_by_its_name(workbench: Workbench, entry: Entry) -> None:
    breadcrumb = ["properties", "ai_summary"]
    entry["metadata"].append({"breadcrumb": breadcrumb, "metadata": {"selected": False}})
    with Sandbox(leads=100, faults=["types@1"]) as sandbox:
        run = sync(workbench, sandbox, entry)
    assert run.code == 0, run.log
    assert b"ai_summary" not in run.output
    assert b"x_undocumented_flag" in run.output


def test_a_deselected_attribute_takes_no_other_with_it(workbench: Workbench) -> None:
    """Undeclared attributes and values that do not fit stay, and the log is right about both."""
    with Sandbox(leads=200, faults=["types@*"]) as sandbox:
        config = workbench.config(sandbox, typed_custom_attributes=True)
        found = run_tap("--discover", "--config", config)
        (typed,) = json.loads(found.output)["streams"]
        metadata(typed, "custom_attributes", "newsletter")["selected"] = False
        selected = workbench.sync(sandbox, typed_custom_attributes=True)
        run = sync(workbench, sandbox, typed, typed_custom_attributes=True)
    assert run.code == 0, run.log
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
        run = sync(workbench, sandbox, entry)
    assert run.code == 0, run.log
    assert b"additional_fields" not in run.output
    assert any("'ai_summary'" in line for line in run.lines("WARNING"))
    assert "kept unchanged" not in run.log


def deselected(entry: Entry) -> None:
    metadata(entry)["selected"] = False


def not_selected_by_default(entry: Entry) -> None:
    metadata(entry).update({"selected": None, "selected-by-default": False})


def unsupported(entry: Entry) -> None:
    metadata(entry).update({"selected": True, "inclusion": "unsupported"})


def only_excluded(entry: Entry) -> None:
    """What Meltano makes of rules with --exclude alone."""
    metadata(entry).update({"selected": False, "selected-by-default": None})
    metadata(entry, "email")["selected"] = False


def of_another_stream(entry: Entry) -> None:
    entry["tap_stream_id"] = entry["stream"] = "companies"


@pytest.mark.parametrize(
    "change",
    [deselected, not_selected_by_default, unsupported, only_excluded, of_another_stream],
)
def test_a_catalog_that_does_not_select_the_stream_is_an_error(
    workbench: Workbench, leads_250: Sandbox, entry: Entry, change: Callable[[Entry], None]
) -> None:
    change(entry)
    run = sync(workbench, leads_250, entry)
    assert run.code == 1
    assert run.output == b""
    (error,) = run.lines("ERROR")
    assert "does not select the stream 'contacts'" in error
    assert "meltano select" in error
    assert "Traceback" not in run.log
    assert "  File " not in run.log


def test_a_catalog_without_streams_is_the_same_error(
    workbench: Workbench, leads_250: Sandbox
) -> None:
    catalog = workbench.file("catalog.json", {"streams": []})
    run = workbench.sync(leads_250, "--catalog", catalog)
    assert (run.code, run.output) == (1, b"")
    assert "does not select" in run.lines("ERROR")[0]


def test_a_catalog_without_any_metadata_selects_all_as_the_sdk_has_it(
    workbench: Workbench, leads_250: Sandbox, without_catalog: Run, entry: Entry
) -> None:
    entry["metadata"] = []
    run = sync(workbench, leads_250, entry)
    assert run.code == 0, run.log
    assert lasting(run) == lasting(without_catalog)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param('{"streams": [', id="cut-off"),
        pytest.param("hush", id="no-json"),
        pytest.param("[]", id="list"),
        pytest.param('{"streams": [{"hush": 1}]}', id="no-catalog"),
    ],
)
def test_a_file_that_is_no_catalog_is_said_so_in_one_line(
    workbench: Workbench, leads_250: Sandbox, content: str
) -> None:
    path = workbench.folder / "catalog.json"
    path.write_text(content)
    run = workbench.sync(leads_250, "--catalog", path)
    assert (run.code, run.output) == (1, b"")
    (error,) = run.lines("ERROR")
    assert "catalog" in error
    assert "hush" not in run.log
    assert "  File " not in run.log


@pytest.mark.parametrize(
    "state",
    [
        pytest.param({}, id="empty"),
        pytest.param(
            {
                "bookmarks": {
                    "contacts": {
                        "replication_key": "updated_at",
                        "replication_key_value": "2187-01-01T00:00:00Z",
                    }
                }
            },
            id="stale-bookmark",
        ),
        pytest.param(
            {"bookmarks": {"contacts": {"scroll_param": "hush-1", "starting": "hush-2"}}},
            id="scroll-token",
        ),
        pytest.param({"bookmarks": {"hush-1": {"hush-2": 1}}}, id="another-stream"),
        pytest.param({"bookmarks": ["hush-1"]}, id="bookmarks-as-list"),
        pytest.param({"hush-1": {"hush-2": [1]}}, id="another-shape"),
        pytest.param(["hush-1"], id="list"),
        pytest.param(None, id="null"),
    ],
)
def test_a_state_is_neither_used_nor_echoed(
    workbench: Workbench, leads_250: Sandbox, without_catalog: Run, state: Any
) -> None:
    run = workbench.sync(leads_250, "--state", workbench.file("state.json", state))
    assert run.code == 0, run.log
    assert lasting(run) == lasting(without_catalog)
    assert "hush" not in run.log
    assert "2187-01" not in run.log


def test_the_scrolls_token_never_reaches_the_state(
    without_catalog: Run, leads_250: Sandbox
) -> None:
    state = without_catalog.messages[-1]
    assert state == {"type": "STATE", "value": {"bookmarks": {"contacts": {}}}}
    tokens = {request.token for request in leads_250.workspace.history if request.token}
    assert tokens
    assert not any(token.encode() in without_catalog.output for token in tokens)


def test_the_state_that_a_sync_wrote_changes_nothing_in_the_next(
    workbench: Workbench, leads_250: Sandbox, without_catalog: Run
) -> None:
    state = without_catalog.messages[-1]["value"]
    run = workbench.sync(leads_250, "--state", workbench.file("state.json", state))
    assert run.code == 0, run.log
    assert lasting(run) == lasting(without_catalog)


def test_a_state_that_is_none_is_ignored_like_any_other(
    workbench: Workbench, leads_250: Sandbox
) -> None:
    path = workbench.folder / "state.json"
    path.write_text('{"bookmarks": "hush')
    run = workbench.sync(leads_250, "--state", path)
    assert run.code == 0, run.log
    assert b"hush" not in run.output
    assert "hush" not in run.log


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


@pytest.mark.parametrize("flattened", [False, True], ids=["nested", "flattened"])
@pytest.mark.parametrize("plan", [True, None], ids=["allow-list", "deny-list"])
def test_an_attribute_that_only_the_catalog_knows_stays_out(
    workbench: Workbench, leads_250: Sandbox, entry: Entry, plan: bool | None, flattened: bool
) -> None:
    """The schema has no such property, but a saved catalog may name it."""
    metadata(entry, "custom_attributes")["selected"] = True
    named: dict[str, dict[str, Any]] = {
        "lead_score": {"selected": plan} if plan else {},
        "preferred_language": {"selected": False},
    }
    entry["metadata"] += [
        {
            "breadcrumb": ["properties", "custom_attributes", "properties", name],
            "metadata": {"inclusion": "available", **marks},
        }
        for name, marks in named.items()
    ]
    settings = {"flattening_enabled": True, "flattening_max_depth": 2} if flattened else {}
    run = sync(workbench, leads_250, entry, **settings)
    assert run.code == 0, run.log
    attributes = [record["custom_attributes"] or {} for record in run.records]
    found = {
        name
        for held in attributes
        for name in (json.loads(held) if isinstance(held, str) else held)
    }
    assert "lead_score" in found
    assert "preferred_language" not in found
    assert (found == {"lead_score"}) is bool(plan)
