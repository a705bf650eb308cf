"""The command line: what it offers, what it sends, and what it never says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.cases import cases
from support.tap import Workbench, command, environment, ids_of, run_tap

from tap_leads import __version__
from tap_leads.records.schema import LEAD_SCHEMA
from tap_leads.sandbox import Sandbox

SCRIPT = Path(sys.executable).with_name("tap-leads")


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


@cases({}, {"access_token": "hush\nhush"}, {"max_restarts": "hush"})
def test_discovery_ignores_wrong_settings_and_sends_nothing(
    wrong: dict[str, Any], workbench: Workbench, leads_250: Sandbox
) -> None:
    before = leads_250.requests
    run = workbench.sync(leads_250, "--discover", **wrong)
    assert run.code == 0, run.log
    assert json.loads(run.output)["streams"]
    assert "hush" not in run.log
    assert leads_250.requests == before


@cases(
    (["--version"], [f"tap-leads v{__version__}"]),
    (["--help"], ["--config", "--catalog", "--state", "--discover", "--test", "--about"]),
    (
        ["--about"],
        [
            "stream-maps",
            "access_token (string, required), TAP_LEADS_ACCESS_TOKEN",
            "scroll_wait_timeout (integer, default 600), TAP_LEADS_SCROLL_WAIT_TIMEOUT",
            "region (string, default us), TAP_LEADS_REGION",
            "The version of Intercom's API",
        ],
    ),
    (["--about", "--format=markdown"], ["access_token", "scroll_wait_timeout", "stream-maps"]),
)
def test_a_text_about_the_tap_names_what_users_need(arguments: list[str], texts: list[str]) -> None:
    run = run_tap(*arguments)
    assert run.code == 0
    for text in texts:
        assert text in run.output.decode()
    assert b"batch" not in run.output


def test_about_as_json_names_capabilities_and_settings() -> None:
    run = run_tap("--about", "--format=json")
    assert run.code == 0
    about = json.loads(run.output)
    assert about["name"] == "tap-leads"
    assert about["version"] == __version__
    assert about["capabilities"] == [
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
    properties = about["settings"]["properties"]
    assert {"access_token", "region", "stream_maps", "flattening_enabled"} <= set(properties)
    assert properties["scroll_expiry"]["default"] == 60


def test_an_unknown_option_is_a_wrong_use() -> None:
    run = run_tap("--colour")
    assert run.code == 2
    assert "--colour" in run.log
    assert "Traceback" not in run.log


@cases("--discover", "--help")
def test_the_script_and_the_module_are_the_same(argument: str) -> None:
    outputs = {
        subprocess.run(
            [*start, argument], env=environment(), capture_output=True, check=True
        ).stdout
        for start in ([SCRIPT], command())
    } | {run_tap(argument).output}
    assert len({text.replace(b"python -m tap_leads", b"tap-leads") for text in outputs}) == 1


# The connection test


def test_a_test_succeeds_and_opens_no_scroll(workbench: Workbench) -> None:
    """Nothing can close a scroll: the sync after a test would have to wait a minute."""
    with Sandbox(leads=250) as sandbox:
        run = workbench.sync(sandbox, "--test")
        assert run.code == 0, run.log
        assert sandbox.workspace.scrolls_opened == 0
        assert sandbox.requests == 3  # and two for the counts
        assert "Intercom's count of leads is known." in run.lines("INFO")
        assert run.lines("INFO")[-1] == (
            "The test succeeded: Intercom accepts the access token and the API version, and sends "
            "leads. No scroll was opened."
        )
        assert run.ids == ids_of(sandbox)[:1]
        assert run.kinds == ["SCHEMA", "RECORD", "STATE"]
        assert workbench.sync(sandbox).code == 0


def test_a_test_of_an_empty_workspace_succeeds(workbench: Workbench) -> None:
    with Sandbox(leads=0) as sandbox:
        run = workbench.sync(sandbox, "--test")
    assert run.code == 0, run.log
    assert run.kinds == ["SCHEMA", "STATE"]


def test_a_test_of_the_schema_sends_nothing(workbench: Workbench, leads_250: Sandbox) -> None:
    before = leads_250.requests
    run = workbench.sync(leads_250, "--test=schema")
    assert run.code == 0, run.log
    assert leads_250.requests == before
    assert run.kinds == ["SCHEMA"]
    assert run.messages[0]["schema"]["properties"] == LEAD_SCHEMA["properties"]


def test_a_test_with_a_wrong_token_fails_and_says_what_to_check(
    workbench: Workbench, leads_250: Sandbox
) -> None:
    run = workbench.sync(leads_250, "--test", access_token="hush")
    assert run.code == 1
    (error,) = run.lines("ERROR")
    for words in ("'access_token'", "region 'us'", "HTTP 401"):
        assert words in error
    assert "hush" not in run.log


@cases(
    ("403@*", "permission"),
    ("version@*", "api_version"),
    ("404@*", "404"),
    ("302@*", "redirect"),
    ("status@*:500", "HTTP 500"),
    ("body@*:<html>hush</html>", "not a page"),
    ('body@*:{"type":"hush"}', "not a page"),
    ('body@*:{"contacts":[{"email":"hush"}]}', "without an id"),
)
@pytest.mark.timeout(20)
def test_a_test_that_fails_says_why_at_once(fault: str, advice: str, workbench: Workbench) -> None:
    with Sandbox(leads=5, faults=[f"contacts/{fault}"]) as sandbox:
        run = workbench.sync(sandbox, "--test", scroll_expiry=60)
    assert run.code == 1
    (error,) = run.lines("ERROR")
    assert advice in error
    assert "unexpected" not in error
    assert "hush" not in run.log
    assert not run.records


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


@cases("1.0", "1.1", "1.2", "1.3", "1.4")
def test_a_version_without_quotes_is_a_version(number: str, workbench: Workbench) -> None:
    with Sandbox(leads=1) as sandbox:
        run = workbench.sync(sandbox, "--test", api_version=float(number))
        assert run.code == 0, run.log
        assert {headers["Intercom-Version"] for headers in sandbox.headers_seen} == {number}


# What it leaves


def test_batches_are_not_made(workbench: Workbench, leads_250: Sandbox) -> None:
    target = workbench.folder / "batches"
    target.mkdir()
    batch = {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": target.as_uri()},
        "batch_size": 10,
    }
    run = workbench.sync(leads_250, batch_config=batch)
    assert run.code == 0, run.log
    assert run.ids == ids_of(leads_250)
    assert run.kinds == ["SCHEMA", "RECORD", "ACTIVATE_VERSION", "STATE"]
    assert run.lines("WARNING") == ["Setting 'batch_config' is not known, and is ignored."]
    assert list(target.iterdir()) == []


def test_the_folder_that_it_runs_in_stays_as_it_was(
    workbench: Workbench, leads_250: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workbench.folder)
    run = workbench.sync(leads_250)
    assert run.code == 0, run.log
    assert [path.name for path in workbench.folder.iterdir()] == ["config.json"]


# What it never says

MAPS = "stream_maps"
LOGGED_RUNS = {
    "good": ([], {}, 0),
    "restarted": (["restart@2"], {}, 0),
    "cut-off": (["cut@2"], {}, 0),
    "answer-lost": (["lost@3"], {}, 0),
    "rate-limited": (["429@1"], {}, 0),
    "another-scroll": (["exists@1:0.5"], {}, 0),
    "malformed-values": (["types@1"], {}, 0),
    "token-refused": (["401@1"], {}, 1),
    "token-revoked": (["401@2"], {}, 1),
    "redirected": (["302@2"], {}, 1),
    "expired": (["expire@2"], {"max_restarts": 0}, 1),
    "proxy-error": (["html502@2"], {"max_restarts": 0}, 1),
    "no-json": (["nojson@2"], {"max_restarts": 0}, 1),
    "cut-off-for-good": (["cut@2"], {"max_restarts": 0}, 1),
    "connection-reset": (["reset@2"], {"max_restarts": 0}, 1),
    "timeout": (["hang@2"], {"max_restarts": 0, "request_timeout": 1}, 1),
    "no-id": (["no-id@1"], {}, 1),
    "map-fails": ([], {MAPS: {"contacts": {"x": "int(email)"}}}, 1),
    "map-refused": ([], {MAPS: {"contacts": {"x": "email.hush"}}}, 1),
    "filter": ([], {MAPS: {"contacts": {"__filter__": "email"}}}, 0),
}


@cases(**LOGGED_RUNS)
def test_the_most_detailed_log_holds_no_secret_and_no_lead(
    faults: list[str], settings: dict[str, Any], code: int, workbench: Workbench
) -> None:
    with Sandbox(leads=250, idle_limit=0.5, faults=faults, token="hush-hush") as sandbox:
        run = workbench.sync(sandbox, environment={"LOGLEVEL": "DEBUG"}, **settings)
        requests = sandbox.workspace.history
        secrets = {request.token for request in requests if request.token} | {"hush-hush"}
        for lead in sandbox.workspace.leads():
            secrets |= {lead["id"], lead["pseudonym"], lead.get("email") or lead["id"]}
    assert run.code == code, run.log
    assert "DEBUG" in run.log
    assert not [secret for secret in secrets if secret in run.log]
    assert len(requests) > 1 or code, "no scroll_param was ever sent"
