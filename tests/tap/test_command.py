"""The command line: what it offers, what it sends, and what it never says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.cases import cases
from support.programs import BIN, output
from support.tap import Workbench, command, environment, ids_of, run_tap

from tap_leads import __version__
from tap_leads.records.schema import LEAD_SCHEMA
from tap_leads.sandbox import Sandbox

# What it offers


def test_discovery_needs_no_settings() -> None:
    run = run_tap("--discover")
    assert run.code == 0, run.log
    (entry,) = json.loads(run.output)["streams"]
    marks = {tuple(item["breadcrumb"]): item["metadata"] for item in entry.pop("metadata")}
    assert entry == {
        **dict.fromkeys(("tap_stream_id", "stream"), "contacts"),
        "key_properties": ["id"],
        "replication_method": "FULL_TABLE",
        "schema": LEAD_SCHEMA,
    }
    assert marks[()]["selected"] is True
    assert marks.pop(("properties", "id"))["inclusion"] == "automatic"
    assert {mark["inclusion"] for mark in marks.values()} == {"available"}


@cases(
    ("--version", [f"tap-leads v{__version__}"]),
    ("--help", ["--config", "--catalog", "--state", "--discover", "--test", "--about"]),
    (
        "--about",
        [
            "access_token (string, required), TAP_LEADS_ACCESS_TOKEN",
            "scroll_wait_timeout (integer, default 600), TAP_LEADS_SCROLL_WAIT_TIMEOUT",
            "The version of Intercom's API",
        ],
    ),
)
def test_a_text_about_the_tap_names_what_users_need(option: str, texts: list[str]) -> None:
    run = run_tap(option)
    assert run.code == 0
    assert all(text in run.output.decode() for text in texts)
    assert b"batch" not in run.output


def test_about_as_json_names_capabilities_and_settings() -> None:
    run = run_tap("--about", "--format=json")
    about = json.loads(run.output)
    assert (run.code, about["name"], about["version"]) == (0, "tap-leads", __version__)
    assert about["capabilities"] == [
        *("catalog", "state", "discover", "activate-version", "test", "about", "stream-maps"),
        *("schema-flattening", "structured-logging"),
    ]
    assert about["settings"]["properties"]["scroll_expiry"]["default"] == 60


def test_an_unknown_option_is_a_wrong_use() -> None:
    run = run_tap("--colour")
    assert (run.code, run.output) == (2, b"")
    assert "option '--colour'" in run.log


def test_the_script_and_the_module_are_the_same() -> None:
    starts = ([BIN / "tap-leads"], command())
    assert len({output(*start, "--discover", env=environment()) for start in starts}) == 1


# The connection test


def test_a_test_succeeds_and_opens_no_scroll(workbench: Workbench) -> None:
    """Nothing can close a scroll: the sync after a test would have to wait a minute."""
    with Sandbox(leads=250) as sandbox:
        run = workbench.sync(sandbox, "--test")
    assert (run.code, sandbox.workspace.scrolls_opened) == (0, 0), run.log
    assert sandbox.requests == 3  # and two for the counts
    assert "Intercom's count of leads is known." in run.lines("INFO")
    assert run.lines("INFO")[-1] == (
        "The test succeeded: Intercom accepts the access token and the API version, and sends "
        "leads. No scroll was opened."
    )
    assert (run.ids, run.kinds) == (ids_of(sandbox)[:1], ["SCHEMA", "RECORD", "STATE"])


def test_a_test_of_an_empty_workspace_succeeds(workbench: Workbench) -> None:
    with Sandbox(leads=0) as sandbox:
        run = workbench.sync(sandbox, "--test")
    assert (run.code, run.kinds) == (0, ["SCHEMA", "STATE"])


@cases(
    ("--discover", {"access_token": "hush\nhush", "max_restarts": "hush"}, b'"streams"'),
    ("--test=schema", {}, b'"SCHEMA"'),
)
def test_discovery_and_the_schema_send_no_request(
    option: str, settings: Any, expected: bytes, workbench: Workbench, leads_250: Sandbox
) -> None:
    """Discovery ignores wrong settings too."""
    before = leads_250.requests
    run = workbench.sync(leads_250, option, **settings)
    assert (run.code, leads_250.requests) == (0, before)
    assert expected in run.output
    assert b"RECORD" not in run.output
    assert "hush" not in run.log


@cases(
    ("401@*", ["'access_token'", "region 'us'", "HTTP 401"]),
    ("403@*", ["permission"]),
    ("version@*", ["api_version"]),
    ("302@*", ["redirect"]),
    ("status@*:500", ["HTTP 500"]),
    ("body@*:<html>hush</html>", ["not a page"]),
    ('body@*:{"contacts":[{"email":"hush"}]}', ["without an id"]),
)
@pytest.mark.timeout(20)
def test_a_failed_test_says_why_at_once(fault: str, words: list[str], workbench: Workbench) -> None:
    with Sandbox(leads=5, faults=[f"contacts/{fault}"], token="hush") as sandbox:
        run = workbench.sync(sandbox, "--test", scroll_expiry=60)
    assert all(word in run.error for word in words)
    assert "unexpected" not in run.error
    assert (sandbox.requests, run.records) == (1, [])  # a redirect is not followed


# What it leaves


def test_nothing_but_messages_is_written(
    workbench: Workbench, leads_250: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of BATCH messages would hold deselected fields."""
    monkeypatch.chdir(workbench.folder)
    encoding = {"format": "jsonl", "compression": "gzip"}
    storage = {"root": workbench.folder.as_uri()}
    batch = {"encoding": encoding, "storage": storage, "batch_size": 10}
    run = workbench.sync(leads_250, batch_config=batch).complete(leads_250)
    assert run.kinds == ["SCHEMA", "RECORD", "ACTIVATE_VERSION", "STATE"]
    assert run.lines("WARNING") == ["Setting 'batch_config' is not known, and is ignored."]
    assert [path.name for path in workbench.folder.iterdir()] == ["config.json"]


# What it never says


@cases(
    good=([], {}, 0),
    restarted=(["restart@2"], {}, 0),
    lost=(["lost@3"], {}, 0),
    malformed_values=(["429@1:0", "types@2"], {}, 0),
    another_scroll=(["exists@1:0.5"], {}, 0),
    token_revoked=(["401@2"], {}, 1),
    redirected=(["302@2"], {}, 1),
    expired=(["expire@2"], {"max_restarts": 0}, 1),
    proxy_error=(["html502@2"], {"max_restarts": 0}, 1),
    no_json=(["nojson@2"], {"max_restarts": 0}, 1),
    connection_reset=(["reset@2"], {"max_restarts": 0}, 1),
    timeout=(["hang@2"], {"max_restarts": 0, "request_timeout": 1}, 1),
    no_id=(["no-id@1"], {}, 1),
    map_that_fails=([], {"stream_maps": {"contacts": {"x": "int(email)"}}}, 1),
    wrong_map=([], {"stream_maps": {"contacts": {"x": "email.hush"}}}, 1),
    filter=([], {"stream_maps": {"contacts": {"__filter__": "email"}}}, 0),
)
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
