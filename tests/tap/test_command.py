"""The command line: what it offers, what it sends, and what it never says."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest
from support.records import validator
from support.tap import Run, Workbench, command, environment, ids_of, run_tap

from tap_leads import __version__
from tap_leads.records.schema import LEAD_SCHEMA
from tap_leads.sandbox import Sandbox

SCRIPT = Path(sys.executable).with_name("tap-leads")


@contextmanager
def answering(*answers: tuple[int, Any]) -> Iterator[str]:
    """A server that gives these answers, one after the other, and then the last one for ever.

    Its count is that of all leads in these answers.
    """
    left = list(answers)
    pages = [
        answer["contacts"]
        for _, answer in answers
        if isinstance(answer, dict) and "contacts" in answer
    ]
    count = sum(len(page) for page in pages if page)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, content = 200, cast("Any", {"lead": {"count": count}})
            if self.path != "/counts":
                status, content = left.pop(0) if len(left) > 1 else left[0]
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def error_list(code: str, message: str = "") -> dict[str, Any]:
    """A refusal in Intercom's form."""
    return {"type": "error.list", "errors": [{"code": code, "message": message}]}


def sync_page(workbench: Workbench, *leads: dict[str, Any], **settings: Any) -> Run:
    """Syncs a workspace that holds just these leads."""
    pages = [(200, {"scroll_param": "t", "contacts": page}) for page in (leads, ())]
    with answering(*pages) as url:
        config = {"access_token": "good", "api_url": url, "scroll_expiry": 1, "max_restarts": 0}
        return run_tap("--config", workbench.file("config.json", config | settings))


def assert_valid(run: Run) -> None:
    """Checks each record by the schema that was sent for its stream."""
    validators, declared = {}, {}
    for message in run.messages:
        if message["type"] == "SCHEMA":
            validators[message["stream"]] = validator(message["schema"])
            declared[message["stream"]] = message["schema"]["properties"].keys()
            for key in message["key_properties"]:
                assert key in message["schema"]["properties"]
        elif message["type"] == "RECORD":
            validators[message["stream"]].validate(message["record"])
            sent = {name for name, value in message["record"].items() if value is not None}
            assert sent <= declared[message["stream"]], "undeclared fields are dropped by targets"


# What it offers


def test_discovery_needs_no_settings() -> None:
    run = run_tap("--discover")
    assert run.code == 0, run.log
    (entry,) = json.loads(run.output)["streams"]
    assert entry["tap_stream_id"] == entry["stream"] == "contacts"
    assert entry["key_properties"] == ["id"]
    assert entry["replication_method"] == "FULL_TABLE"
    assert "replication_key" not in entry
    assert entry["schema"] == LEAD_SCHEMA
    marks = {tuple(item["breadcrumb"]): item["metadata"] for item in entry["metadata"]}
    assert marks[()]["selected"] is True
    assert marks["properties", "id"]["inclusion"] == "automatic"
    others = {mark["inclusion"] for path, mark in marks.items() if path != ("properties", "id")}
    assert others == {"available"}


@pytest.mark.parametrize("config", [{}, {"access_token": "hush\nhush"}, {"max_restarts": "hush"}])
def test_discovery_does_not_mind_the_settings(workbench: Workbench, config: dict[str, Any]) -> None:
    run = run_tap("--discover", "--config", workbench.file("config.json", config))
    assert run.code == 0, run.log
    assert json.loads(run.output)["streams"]
    assert "hush" not in run.log


def test_discovery_sends_nothing(workbench: Workbench) -> None:
    with Sandbox(leads=1) as sandbox:
        run = run_tap("--discover", "--config", workbench.config(sandbox))
        assert run.code == 0, run.log
        assert sandbox.requests == 0


def test_the_version_is_the_packages() -> None:
    run = run_tap("--version")
    assert run.code == 0
    assert f"tap-leads v{__version__}" in run.output.decode()


def test_help_names_the_options() -> None:
    run = run_tap("--help")
    assert run.code == 0
    for option in ("--config", "--catalog", "--state", "--discover", "--test", "--about"):
        assert option in run.output.decode()


CAPABILITIES = [
    "catalog",
    "state",
    "discover",
    "activate-version",
    "test",
    "about",
    "stream-maps",
    "schema-flattening",
    "structured-logging",
]


def test_about_as_json_names_capabilities_and_settings() -> None:
    run = run_tap("--about", "--format=json")
    assert run.code == 0
    about = json.loads(run.output)
    assert about["name"] == "tap-leads"
    assert about["version"] == __version__
    assert about["capabilities"] == CAPABILITIES
    properties = about["settings"]["properties"]
    assert "batch_config" not in properties
    assert {"access_token", "region", "stream_maps", "flattening_enabled"} <= set(properties)
    assert properties["scroll_expiry"]["default"] == 60


@pytest.mark.parametrize("arguments", [[], ["--format=markdown"]], ids=["text", "markdown"])
def test_about_as_text_names_each_setting(arguments: list[str]) -> None:
    run = run_tap("--about", *arguments)
    assert run.code == 0
    text = run.output.decode()
    for name in ("tap-leads", "access_token", "scroll_wait_timeout", "stream-maps"):
        assert name in text
    assert "batch" not in text


def test_an_unknown_option_is_a_wrong_use() -> None:
    run = run_tap("--colour")
    assert run.code == 2
    assert "--colour" in run.log
    assert "Traceback" not in run.log


@pytest.mark.parametrize("arguments", [["--discover"], ["--version"], ["--about"], ["--help"]])
def test_the_script_and_the_module_are_the_same(arguments: list[str]) -> None:
    outputs = {
        subprocess.run(
            start, env=environment(), capture_output=True, check=True, timeout=60
        ).stdout.replace(b"python -m tap_leads", b"tap-leads")
        for start in ([str(SCRIPT), *arguments], command(*arguments))
    }
    outputs.add(run_tap(*arguments).output.replace(b"python -m tap_leads", b"tap-leads"))
    assert len(outputs) == 1


# The connection test


def test_a_test_succeeds_and_opens_no_scroll(workbench: Workbench) -> None:
    """Nothing can close a scroll: the sync after a test would have to wait a minute."""
    with Sandbox(leads=250) as sandbox:
        run = workbench.sync(sandbox, "--test")
        assert run.code == 0, run.log
        assert sandbox.workspace.scrolls_opened == 0
        assert sandbox.requests == 3  # and two for the counts
        assert "Intercom's count of leads is known." in run.lines("INFO")
        assert run.ids == ids_of(sandbox)[:1]
        assert run.kinds == ["SCHEMA", "RECORD", "STATE"]
        assert workbench.sync(sandbox).code == 0


def test_a_test_of_an_empty_workspace_succeeds(workbench: Workbench) -> None:
    with Sandbox(leads=0) as sandbox:
        run = workbench.sync(sandbox, "--test")
    assert run.code == 0, run.log
    assert run.kinds == ["SCHEMA", "STATE"]


def test_a_test_of_the_schema_sends_nothing(workbench: Workbench) -> None:
    with Sandbox(leads=250) as sandbox:
        run = workbench.sync(sandbox, "--test=schema")
        assert run.code == 0, run.log
        assert sandbox.requests == 0
    assert run.kinds == ["SCHEMA"]
    assert run.messages[0]["schema"]["properties"] == LEAD_SCHEMA["properties"]


def test_a_test_with_a_wrong_token_fails_and_says_what_to_check(workbench: Workbench) -> None:
    with Sandbox(leads=5) as sandbox:
        run = workbench.sync(sandbox, "--test", access_token="hush")
    assert run.code == 1
    (error,) = run.lines("ERROR")
    assert "'access_token'" in error
    assert "region 'us'" in error
    assert "HTTP 401" in error
    assert "hush" not in run.log


@pytest.mark.parametrize(
    ("status", "content", "advice"),
    [
        pytest.param(403, error_list("forbidden"), "permission", id="scope-missing"),
        pytest.param(403, error_list("api_plan_restricted"), "plan", id="plan-without-api"),
        pytest.param(400, error_list("intercom_version_invalid"), "api_version", id="version"),
        pytest.param(404, error_list("not_found"), "", id="path"),
        pytest.param(302, b"", "redirect", id="redirect"),
        pytest.param(500, error_list("server_error"), "HTTP 500", id="server-error"),
        pytest.param(200, b"<html>hush</html>", "not a page", id="no-json"),
        pytest.param(200, {"type": "hush"}, "not a page", id="no-list"),
        pytest.param(200, {"contacts": [{"email": "hush"}]}, "without an id", id="no-id"),
    ],
)
@pytest.mark.timeout(20)
def test_a_test_that_fails_says_why_at_once(
    workbench: Workbench, status: int, content: Any, advice: str
) -> None:
    with answering((status, content)) as url:
        config = {"access_token": "hush", "api_url": url}
        run = run_tap("--test", "--config", workbench.file("config.json", config))
    assert run.code == 1
    (error,) = run.lines("ERROR")
    assert advice in error
    assert "unexpected" not in error
    assert "hush" not in run.log
    assert not run.records


def test_a_test_does_not_take_another_version_of_the_api(workbench: Workbench) -> None:
    with Sandbox(leads=5) as sandbox:
        run = workbench.sync(sandbox, "--test", api_version="2.14")
    assert run.code == 1
    assert "1.4" in run.lines("ERROR")[0]


# The requests


def test_each_request_carries_the_headers_over_one_connection(workbench: Workbench) -> None:
    with Sandbox(leads=450) as sandbox:
        run = workbench.sync(sandbox, api_version="1.2")
        assert run.code == 0, run.log
        assert sandbox.requests == 8  # six for the scroll, and two for the counts
        assert sandbox.connections == 2  # one of them before the scroll
        for headers in sandbox.headers_seen:
            assert headers["Authorization"] == "right"
            assert headers["Accept"] == "application/json"
            assert headers["Intercom-Version"] == "1.2"
            assert headers["User-Agent"] == f"tap-leads/{__version__}"


def test_a_redirect_is_not_followed(workbench: Workbench) -> None:
    with Sandbox(leads=5, faults=["302@*"]) as sandbox:
        run = workbench.sync(sandbox)
        assert run.code == 1
        assert sandbox.requests == 2  # one for the count


# Stream maps, flattening, batches


@pytest.fixture
def dirty() -> Iterator[Sandbox]:
    """A sandbox whose leads carry every kind of malformed value."""
    with Sandbox(leads=100, idle_limit=1.0, faults=["types@1"]) as sandbox:
        yield sandbox


def mapped(workbench: Workbench, sandbox: Sandbox, **maps: Any) -> Run:
    """Syncs with these maps of the stream, and checks what comes."""
    run = workbench.sync(sandbox, stream_maps={"contacts": maps})
    assert run.code == 0, run.log
    assert_valid(run)
    return run


def test_every_record_fits_the_schema_whatever_was_sent(
    workbench: Workbench, dirty: Sandbox
) -> None:
    run = workbench.sync(dirty)
    assert run.code == 0, run.log
    assert run.ids == ids_of(dirty)
    assert_valid(run)
    assert sum(record["additional_fields"] is not None for record in run.records) > 10


def test_a_map_can_drop_fields_and_their_misfits_too(workbench: Workbench, dirty: Sandbox) -> None:
    run = mapped(workbench, dirty, session_count=None, name=None, location_data=None)
    for name in (b"session_count", b"location_data", b"Hopper"):
        assert name not in run.output
    assert run.ids == ids_of(dirty)


def test_a_map_can_hash_a_field_and_its_misfits_do_not_show(
    workbench: Workbench, dirty: Sandbox
) -> None:
    run = mapped(workbench, dirty, name="md5(name) if name else None")
    names = [record["name"] for record in run.records if record["name"]]
    assert names
    assert all(len(name) == 32 for name in names)
    assert not any("name" in (record["additional_fields"] or {}) for record in run.records)


def test_a_map_can_rename_a_field_and_the_stream(workbench: Workbench, dirty: Sandbox) -> None:
    maps = {"lead_name": "name", "name": None, "__alias__": "leads"}
    run = mapped(workbench, dirty, **maps)
    streams = {message["stream"] for message in run.messages if "stream" in message}
    assert streams == {"leads"}
    assert run.kinds == ["SCHEMA", "RECORD", "ACTIVATE_VERSION", "STATE"]
    assert any(record["lead_name"] for record in run.records)
    assert not any("name" in record for record in run.records)
    assert b'"first"' not in run.output


def test_a_map_can_filter_leads(workbench: Workbench, dirty: Sandbox) -> None:
    run = mapped(workbench, dirty, __filter__="email is not None")
    assert 0 < len(run.records) < 100
    assert all(record["email"] for record in run.records)


def test_a_map_can_choose_another_key(workbench: Workbench, dirty: Sandbox) -> None:
    run = mapped(workbench, dirty, key="app_id + '-' + id", __key_properties__=["key"])
    assert run.messages[0]["key_properties"] == ["key"]
    assert all(record["key"] == f"{record['app_id']}-{record['id']}" for record in run.records)


def test_a_map_can_leave_all_but_a_few_fields_out(workbench: Workbench, dirty: Sandbox) -> None:
    run = mapped(workbench, dirty, id="id", email="email", __else__=None)
    assert all(set(record) == {"id", "email"} for record in run.records)
    assert "kept unchanged" not in run.log


def test_a_map_can_send_a_second_stream(workbench: Workbench, dirty: Sandbox) -> None:
    emails = {"__source__": "contacts", "id": "id", "email": "email", "__else__": None}
    maps = {"emails": emails}
    run = workbench.sync(dirty, stream_maps=maps)
    assert run.code == 0, run.log
    assert_valid(run)
    streams = [message.get("stream") for message in run.messages]
    assert {streams.count("contacts"), streams.count("emails")} == {102}


@pytest.mark.parametrize(
    "maps",
    [
        pytest.param({"x": "name.hush"}, id="no-such-attribute"),
        pytest.param({"x": "hush"}, id="no-such-field"),
        pytest.param({"x": "))("}, id="no-expression"),
        pytest.param({"x": "int(email)"}, id="no-number"),
        pytest.param({"x": "1 / 0"}, id="division-by-zero"),
        pytest.param({"id": None}, id="key-dropped"),
        pytest.param({"__key_properties__": ["hush"]}, id="no-such-key"),
        pytest.param({"x": 5}, id="number"),
        pytest.param({"__else__": "hush"}, id="no-such-rule"),
    ],
)
def test_a_map_that_fails_ends_the_sync_without_a_leads_data(
    workbench: Workbench, leads_250: Sandbox, maps: dict[str, Any]
) -> None:
    run = workbench.sync(leads_250, stream_maps={"contacts": maps})
    assert run.code == 1
    (error,) = run.lines("ERROR")
    assert "stream map" in error.replace("_", " ")
    assert not {"STATE", "ACTIVATE_VERSION"} & set(run.kinds)
    assert not [email for email in emails(leads_250) if email in run.log]


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_flattening_makes_columns_of_fields_and_leaves_open_objects_whole(
    workbench: Workbench, dirty: Sandbox, depth: int
) -> None:
    run = workbench.sync(dirty, flattening_enabled=True, flattening_max_depth=depth)
    assert run.code == 0, run.log
    assert_valid(run)
    properties = run.messages[0]["schema"]["properties"]
    assert "location_data__city_name" in properties
    assert "location_data" not in properties
    for name in ("custom_attributes", "additional_fields"):
        assert "string" in properties[name]["type"]
        assert not [other for other in properties if other.startswith(f"{name}__")]
        texts = [record[name] for record in run.records if record[name] is not None]
        assert texts
        assert all(isinstance(json.loads(text), dict) for text in texts)
    assert any(record.get("location_data__city_name") for record in run.records)


def test_flattening_keeps_numbers_exact(workbench: Workbench) -> None:
    attributes = {"score": 0.1, "count": 2**70, "list": [1.5]}
    lead = {"id": "1", "custom_attributes": attributes}
    run = sync_page(workbench, lead, flattening_enabled=True, flattening_max_depth=1)
    assert run.code == 0, run.log
    assert json.loads(run.records[0]["custom_attributes"]) == attributes


def test_flattening_leaves_no_value_without_a_column(workbench: Workbench) -> None:
    """A target drops what the schema does not name, silently."""
    lead = {"id": "1", "location_data": {"city_name": "Köln", "moon": {"phase": "full"}}}
    run = sync_page(workbench, lead, flattening_enabled=True, flattening_max_depth=1)
    assert run.code == 0, run.log
    assert "full" in json.dumps(run.records)
    assert_valid(run)


def test_batches_are_not_made(workbench: Workbench) -> None:
    target = workbench.folder / "batches"
    target.mkdir()
    batch = {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": target.as_uri()},
        "batch_size": 10,
    }
    with Sandbox(leads=250) as sandbox:
        run = workbench.sync(sandbox, batch_config=batch)
        assert run.code == 0, run.log
        assert run.ids == ids_of(sandbox)
    assert run.kinds == ["SCHEMA", "RECORD", "ACTIVATE_VERSION", "STATE"]
    assert run.lines("WARNING") == ["Setting 'batch_config' is not known, and is ignored."]
    assert list(target.iterdir()) == []


# What it never says


def emails(sandbox: Sandbox) -> list[str]:
    """The e-mail addresses of a sandbox's leads."""
    return [lead["email"] for lead in sandbox.workspace.leads() if lead.get("email")]


LOGGED_RUNS = [
    pytest.param([], {}, 0, id="good"),
    pytest.param(["restart@2"], {}, 0, id="restarted"),
    pytest.param(["cut@2"], {}, 0, id="cut-off"),
    pytest.param(["lost@3"], {}, 0, id="answer-lost"),
    pytest.param(["429@1"], {}, 0, id="rate-limited"),
    pytest.param(["exists@1:0.5"], {}, 0, id="another-scroll"),
    pytest.param(["types@1"], {}, 0, id="malformed-values"),
    pytest.param(["401@1"], {}, 1, id="token-refused"),
    pytest.param(["401@2"], {}, 1, id="token-revoked"),
    pytest.param(["302@2"], {}, 1, id="redirected"),
    pytest.param(["expire@2"], {"max_restarts": 0}, 1, id="expired"),
    pytest.param(["html502@2"], {"max_restarts": 0}, 1, id="proxy-error"),
    pytest.param(["nojson@2"], {"max_restarts": 0}, 1, id="no-json"),
    pytest.param(["cut@2"], {"max_restarts": 0}, 1, id="cut-off-for-good"),
    pytest.param(["reset@2"], {"max_restarts": 0}, 1, id="connection-reset"),
    pytest.param(["hang@2"], {"max_restarts": 0, "request_timeout": 1}, 1, id="timeout"),
    pytest.param(["no-id@1"], {}, 1, id="no-id"),
    pytest.param([], {"stream_maps": {"contacts": {"x": "int(email)"}}}, 1, id="map-fails"),
    pytest.param([], {"stream_maps": {"contacts": {"x": "email.hush"}}}, 1, id="map-refused"),
    pytest.param([], {"stream_maps": {"contacts": {"__filter__": "email"}}}, 0, id="filter"),
]


@pytest.mark.parametrize(("faults", "settings", "code"), LOGGED_RUNS)
def test_the_most_detailed_log_holds_no_secret_and_no_lead(
    workbench: Workbench, faults: list[str], settings: dict[str, Any], code: int
) -> None:
    with Sandbox(leads=250, idle_limit=0.5, faults=faults, token="hush-hush") as sandbox:
        run = workbench.sync(sandbox, environment={"LOGLEVEL": "DEBUG"}, **settings)
        requests = sandbox.workspace.history
        secrets = {request.token for request in requests if request.token} | {"hush-hush"}
        secrets |= set(emails(sandbox)) | set(ids_of(sandbox))
        secrets |= {lead["pseudonym"] for lead in sandbox.workspace.leads()}
    assert run.code == code, run.log
    assert "DEBUG" in run.log
    assert not [secret for secret in secrets if secret in run.log]
    assert len(requests) > 1 or code, "no scroll_param was ever sent"


@pytest.mark.parametrize("level", ["WARNING", "ERROR"])
def test_a_quiet_log_is_empty_after_a_good_run(workbench: Workbench, level: str) -> None:
    with Sandbox(leads=5) as sandbox:
        run = workbench.sync(sandbox, environment={"LOGLEVEL": level})
    assert run.code == 0
    assert run.log == ""


def test_the_folder_that_it_runs_in_stays_as_it_was(workbench: Workbench) -> None:
    with Sandbox(leads=250) as sandbox:
        config = workbench.config(sandbox)
        before = sorted(Path(workbench.folder).rglob("*"))
        subprocess.run(
            [SCRIPT, "--config", config],
            cwd=workbench.folder,
            env=environment(),
            capture_output=True,
            check=True,
            timeout=60,
        )
    assert sorted(Path(workbench.folder).rglob("*")) == before
