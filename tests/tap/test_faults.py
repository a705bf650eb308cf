"""Whatever a response is, a sync sends all leads or ends with a non-zero exit code."""

from __future__ import annotations

import os
import re
import subprocess
from collections import defaultdict
from typing import Any

from support.cases import cases
from support.tap import Run, Workbench, command, environment, ids_of, run_tap

from demo.meltano import ROOT
from tap_leads.sandbox import Sandbox

ROW = re.compile(r"^\| [^|]+ \| `([^|`]+)` \| [^|]+ \| `([^|]+)` \|$", re.MULTILINE)
LINES: defaultdict[str, list[str]] = defaultdict(list)
"""What the pages for users quote from the log, by the fault."""
for _page in ("README.md", "docs/operators.md"):
    for _fault, _line in ROW.findall((ROOT / _page).read_text()):
        LINES[_fault].append(_line)


def sync(
    workbench: Workbench,
    *faults: str,
    leads: int = 250,
    idle_limit: float = 1.0,
    **settings: Any,
) -> tuple[Run, Sandbox]:
    """Syncs a workspace in which these faults happen; a single one is logged as the pages say."""
    with Sandbox(leads=leads, idle_limit=idle_limit, faults=faults) as sandbox:
        run = workbench.sync(sandbox, **settings)
    if len(faults) == 1:
        restarts = f"restarted {settings.get('max_restarts', 5)} time(s)"
        for line in LINES.get(faults[0], ()):
            assert line.replace("restarted 5 time(s)", restarts) in run.log
    return run, sandbox


def error_of(run: Run) -> str:
    """The only ERROR line of a sync that failed as it should."""
    assert run.code == 1
    assert "Traceback" not in run.log
    assert not {"STATE", "ACTIVATE_VERSION"} & set(run.kinds)
    (error,) = run.lines("ERROR")
    return error


RESTARTED = [
    "restart@1",
    "restart@3",
    "lost@1",
    "lost@2",
    "lost@4",  # the page without leads, at the end
    "reset@3",
    "hang@2:30",
    "drip@2:0.4",
    "drip-head@2:0.4",
    "cut@1",
    "cut@2",
    "cut@4",
    "expire@3",
    "exists@3",
    "repeat@3",
    "503@3",
    "html502@2",
    "html@3",
    "nojson@2",
    "empty-body@3",
    "nolist@1",
    "nolist@3",
    "null-list@2",
    "wrong-key@3",
    "false-end@3",
    'body@3:{"contacts":[{"id":"1"}]}',  # without `scroll_param`
    "bomb@2:100",
    "malformed@3:location",
    "malformed@3:location-bytes",
    "malformed@3:chunk",
    "malformed@3:status-line",
    # A status that is no certain refusal leaves open whether the page was served.
    "status@3:100",
    "status@3:204",
    "status@3:304",
    "status@3:408",
]


@cases(*RESTARTED)
def test_a_broken_scroll_is_restarted_and_each_lead_is_sent_once(
    fault: str, workbench: Workbench
) -> None:
    run, sandbox = sync(workbench, fault, request_timeout=1)
    assert run.code == 0, run.log
    assert run.ids == ids_of(sandbox)
    assert "restart 1 of 5" in run.log
    assert run.kinds == ["SCHEMA", "RECORD", "ACTIVATE_VERSION", "STATE"]


SCROLLS = {
    # The rate limit and other scrolls only delay a request.
    "429@1": 1,
    "429@2-4": 1,
    "429@4": 1,
    "exists@1:1": 1,
    # Leads are missing, as the count shows.
    "end@1": 2,
    "end@3": 2,
    "stolen@2": 2,
    "repeated-upstream@3": 2,
    # A 404 in place of the page without leads, as seen once for companies (tap-intercom, pull
    # request 77). The count confirms the end, or a second scroll.
    "no-end@*": 1,
    "no-end@* counts/403@* contacts/403@*": 2,
    # Malformed text of one lead does not change how another one without a time is compared.
    "no-updated-at@* restart@3 surrogate@p1": 2,
    "exists@1:0.5 old-errors@1": 1,
    "bom@*": 1,
    # The scroll is in order.
    "counts/403@*": 1,
    "counts/number@*:253": 1,
    "types@2": 1,
}


@cases(*SCROLLS)
def test_no_more_scrolls_are_opened_than_it_takes_to_send_each_lead_once(
    faults: str, workbench: Workbench
) -> None:
    idle_limit = 10.0 if faults.startswith("429") else 2.0
    run, sandbox = sync(workbench, *faults.split(), idle_limit=idle_limit)
    assert run.code == 0, run.log
    assert sorted(run.ids) == sorted(ids_of(sandbox))
    assert sandbox.workspace.scrolls_opened == SCROLLS[faults]
    assert "STATE" in run.kinds


FATAL = {
    "401@1": "access_token",
    "401@3": "access_token",
    "403@1": "permission",
    "404@1": "api_version",
    "version@1": "api_version",
    "302@1": "redirect",
    "302@3": "redirect",
    "302@1:300": "redirect",  # with a body of 300 MB
    "no-id@2": "without an id",
    "status@1:407": "HTTPS_PROXY",
    "status@1:410": "api_version",
    "status@3:400": "api_url",
    "status@3:451": "api_url",
    # A page of a firewall or a proxy is named by its status and media type.
    "403@1 html@1": "forbidden, but not by Intercom's API (HTTP 403, text/html)",
    "status@1:407 html@1": "HTTP 407",
    # Older bodies name the error in `type` in place of `code`.
    "401@1 old-errors@1": "Intercom refused the access token",
    "403@1 old-errors@1": "does not let this access token read leads",
    "version@1 old-errors@1": "Set 'api_version' to 1.4",
}


@cases(*FATAL)
def test_what_waiting_does_not_change_fails_at_once_and_says_what_to_do(
    faults: str, workbench: Workbench
) -> None:
    run, _ = sync(workbench, *faults.split())
    assert FATAL[faults] in error_of(run)
    assert "Waiting" not in run.log


LASTING = {
    "restart@*": "Intercom failed",
    "lost@2+": "the connection was lost",
    "cut@2+": "the connection was lost",
    "repeat@3+": "the scroll repeated a page",
    "nojson@*": "not a page of leads",
    "html@1+": "HTTP 200, text/html",
    "false-end@1+": "not a page of leads (HTTP 200, server_error)",
}


@cases(*LASTING)
def test_a_scroll_that_keeps_breaking_fails_after_max_restarts(
    fault: str, workbench: Workbench
) -> None:
    run, _ = sync(workbench, fault, idle_limit=2.0, scroll_expiry=2, max_restarts=1)
    error = error_of(run)
    assert "restarted 1 time(s)" in error
    assert LASTING[fault] in error


def test_not_found_after_a_full_page_is_never_the_end(workbench: Workbench) -> None:
    run, _ = sync(workbench, "no-end@*", leads=300, idle_limit=2.0, max_restarts=1)
    assert "Intercom did not find the scroll" in error_of(run)


@cases(
    another_scroll=(["exists@*"], "Another scroll is open"),
    rate_limit=(["429@*"], "rate limit"),
    restarts_too=(["restart@2,5,8,11", "exists@3,4,6,7,9,10"], "Another scroll is open"),
)
def test_waiting_has_one_limit_whatever_happens_in_between(
    faults: list[str], words: str, workbench: Workbench
) -> None:
    run, _ = sync(workbench, *faults, scroll_wait_timeout=2, max_restarts=20)
    error = error_of(run)
    assert words in error
    assert "'scroll_wait_timeout' allows 2 s" in error


def test_every_fault_that_the_pages_show_is_tried_here() -> None:
    assert len(LINES) >= 25
    assert LINES.keys() <= {*RESTARTED, *SCROLLS, *FATAL, *LASTING, "end@p2"}


def test_two_scrolls_that_contradict_the_count_fail_unless_a_warning_is_asked_for(
    workbench: Workbench,
) -> None:
    failed, _ = sync(workbench, "end@p2")
    assert len(failed.ids) == 100
    error = error_of(failed)
    assert "100 leads, while Intercom counts 250" in error
    assert "'count_mismatch'" in error
    with Sandbox(leads=250, idle_limit=1.0, faults=["end@p2"]) as sandbox:
        run = workbench.sync(sandbox, count_mismatch="warn")
    assert run.code == 0, run.log
    assert len(run.ids) == 100
    assert run.kinds == ["SCHEMA", "RECORD", "STATE"]
    accepted, deletes = run.lines("WARNING")[-2:]
    assert "accepts this as the end" in accepted
    assert "ACTIVATE_VERSION is not sent" in deletes
    assert "Intercom counts 250 leads, and 150 of them are missing" in deletes


def test_an_empty_workspace_is_a_complete_sync(workbench: Workbench) -> None:
    run, _ = sync(workbench, leads=0)
    assert run.code == 0, run.log
    assert run.kinds == ["SCHEMA", "ACTIVATE_VERSION", "STATE"]


def test_the_token_of_the_next_page_may_change(workbench: Workbench) -> None:
    with Sandbox(leads=450, scroll_param="changing") as sandbox:
        run = workbench.sync(sandbox)
    assert run.code == 0, run.log
    assert run.ids == ids_of(sandbox)


def test_no_page_is_taken_from_a_cache(workbench: Workbench) -> None:
    """A caching proxy would send identical addresses the same page."""
    with Sandbox(leads=950, cache=True) as sandbox:
        run = workbench.sync(sandbox)
    assert run.code == 0, run.log
    assert run.ids == ids_of(sandbox)


@cases("update@4:20", "stale@4:50")
def test_a_lead_that_changed_between_two_scrolls_ends_with_its_newest_version(
    fault: str, workbench: Workbench
) -> None:
    run, sandbox = sync(workbench, "restart@3", fault)
    assert run.code == 0, run.log
    newest = {lead["id"]: lead.get("name") for lead in sandbox.workspace.leads()}
    assert {record["id"]: record["name"] for record in run.records} == newest
    versions = {(record["id"], record["updated_at"]) for record in run.records}
    assert len(versions) == len(run.records)
    assert (len(run.records) > len(newest)) == fault.startswith("update")


def test_edited_leads_at_the_end_of_the_scroll_do_not_break_it(workbench: Workbench) -> None:
    run, sandbox = sync(workbench, "move@2:40", leads=200, idle_limit=10.0)
    assert run.code == 0, run.log
    assert sandbox.workspace.scrolls_opened == 1
    assert set(run.ids) == set(ids_of(sandbox))
    assert len(run.ids) == 240


@cases(
    (["--test"], "contacts/drip@*:0.3"),
    (["--test"], "contacts/drip-head@*:0.3"),
    (["--discover"], "data_attributes/drip@*:0.3"),
)
def test_a_response_that_never_ends_is_given_up_without_a_scroll_too(
    arguments: list[str], fault: str, workbench: Workbench
) -> None:
    """Each byte arrives within `request_timeout`, which alone would be no limit."""
    with Sandbox(leads=5, faults=[fault]) as sandbox:
        config = workbench.config(
            sandbox, request_timeout=1, scroll_wait_timeout=2, typed_custom_attributes=True
        )
        run = run_tap("--config", config, *arguments)
    assert run.code == 1, run.log
    assert "Traceback" not in run.log


def test_a_large_body_does_not_fill_the_memory(workbench: Workbench) -> None:
    """A gzip body of less than a megabyte unpacks to 800 MB."""
    with Sandbox(leads=250, idle_limit=1.0, faults=["bomb@2:800"]) as sandbox:
        config = workbench.config(sandbox)
        with subprocess.Popen(
            command("--config", config), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env=environment(),
        ) as tap:  # fmt: skip
            assert tap.stderr
            log = tap.stderr.read().decode()
            _, status, usage = os.wait4(tap.pid, 0)
            tap.returncode = os.waitstatus_to_exitcode(status)
    assert tap.returncode == 0, log
    assert "too large for a page" in log
    assert usage.ru_maxrss < 400 * 1024  # KiB: some copies of the 64 MiB that it may have
