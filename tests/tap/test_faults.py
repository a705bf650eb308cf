"""Whatever a response is, a sync sends all leads or ends with a non-zero exit code."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from support.cases import cases
from support.runs import the_error
from support.tap import Run, Workbench, ids_of

from demo.meltano import ROOT
from tap_leads.sandbox import Sandbox

ROW = re.compile(r"^\| [^|]+ \| `([^|`]+)` \| [^|]+ \| `([^|]+)` \|$", re.MULTILINE)
LINES: defaultdict[str, list[str]] = defaultdict(list)
"""What the pages for users quote from the log, by the fault."""
for _page in ("README.md", "docs/operators.md"):
    for _fault, _line in ROW.findall((ROOT / _page).read_text()):
        LINES[_fault].append(_line)


def sync(
    workbench: Workbench, faults: str, leads: int = 250, idle_limit: float = 1.0, **settings: Any
) -> tuple[Run, Sandbox]:
    """Syncs a workspace in which these faults happen; the log says what the pages quote."""
    with Sandbox(leads=leads, idle_limit=idle_limit, faults=faults.split()) as sandbox:
        run = workbench.sync(sandbox, **settings)
    for line in LINES.get(faults, ()):
        restarts = f"restarted {settings.get('max_restarts', 5)} time(s)"
        assert line.replace("restarted 5 time(s)", restarts) in run.log
    return run, sandbox


def error_of(run: Run) -> str:
    """The error of a sync that failed and changed no state."""
    assert not {"STATE", "ACTIVATE_VERSION"} & set(run.kinds)
    return the_error(run)


RESTARTED = [
    "restart@1",
    "restart@3",
    "lost@2",
    "lost@4",  # the page without leads, at the end
    "hang@2:30",
    "drip@2:0.4",
    "cut@2",
    "expire@3",
    "exists@3",
    "repeat@3",
    "html502@2",
    "nojson@2",
    "nolist@1",
    "bomb@2:100",
    "malformed@3:location",
    "malformed@3:status-line",
    # A status that is no certain refusal leaves open whether the page was served.
    "status@3:100",
    "status@3:408",
]


@cases(*RESTARTED)
def test_a_broken_scroll_is_restarted_and_each_lead_is_sent_once(
    fault: str, workbench: Workbench
) -> None:
    run, sandbox = sync(workbench, fault, request_timeout=1)
    assert (run.code, run.ids) == (0, ids_of(sandbox)), run.log
    assert "restart 1 of 5" in run.log
    assert run.kinds == ["SCHEMA", "RECORD", "ACTIVATE_VERSION", "STATE"]


SCROLLS = {
    # The rate limit and other scrolls only delay a request.
    "429@1": 1,
    "429@4:0": 1,
    "exists@1:1": 1,
    # Leads are missing, as the count shows.
    "end@1": 2,
    "end@3": 2,
    # A 404 in place of the page without leads, as seen once for companies (tap-intercom, pull
    # request 77). The count confirms the end.
    "no-end@*": 1,
    # Malformed text of one lead does not change how another one without a time is compared.
    "no-updated-at@* restart@3 surrogate@p1": 2,
    # The scroll is in order.
    "counts/403@*": 1,
    "counts/number@*:253": 1,
    "types@2": 1,
}


@cases(*SCROLLS)
def test_no_more_scrolls_are_opened_than_it_takes_to_send_each_lead_once(
    faults: str, workbench: Workbench
) -> None:
    # The second scroll must not wait long; the only one must not expire on a busy machine.
    run, sandbox = sync(workbench, faults, idle_limit=60.0 if SCROLLS[faults] == 1 else 2.0)
    assert (run.code, sorted(run.ids)) == (0, sorted(ids_of(sandbox))), run.log
    assert sandbox.workspace.scrolls_opened == SCROLLS[faults]
    assert "STATE" in run.kinds


FATAL = {
    "401@1": "access_token",
    "401@3": "access_token",
    "401@1 old-errors@1": "Intercom refused the access token",  # `type` in place of `code`
    "403@1": "permission",
    "403@1 html@1": "forbidden, but not by Intercom's API (HTTP 403, text/html)",
    "404@1": "api_version",
    "version@1": "api_version",
    "302@1": "redirect",
    "no-id@2": "without an id",
    "status@1:407": "HTTPS_PROXY",
    "status@3:400": "api_url",
}


@cases(*FATAL)
def test_what_waiting_does_not_change_fails_at_once_and_says_what_to_do(
    faults: str, workbench: Workbench
) -> None:
    run, _ = sync(workbench, faults, idle_limit=60.0)
    assert FATAL[faults] in error_of(run)
    assert "Waiting" not in run.log


LASTING = {
    "lost@2+": "the connection was lost",
    "nojson@*": "not a page of leads",
    "html@1+": "HTTP 200, text/html",
    "false-end@1+": "not a page of leads (HTTP 200, server_error)",
    "no-end@*": "Intercom did not find the scroll",  # after a full page, this is never the end
}


@cases(*LASTING)
def test_a_scroll_that_keeps_breaking_fails_after_max_restarts(
    fault: str, workbench: Workbench
) -> None:
    error = error_of(sync(workbench, fault, leads=300, max_restarts=1)[0])
    assert "restarted 1 time(s)" in error
    assert LASTING[fault] in error


@cases(("exists@*", "Another scroll is open"), ("429@*:0", "rate limit"))
def test_waiting_has_a_limit(fault: str, words: str, workbench: Workbench) -> None:
    error = error_of(sync(workbench, fault, scroll_wait_timeout=2)[0])
    assert words in error
    assert "'scroll_wait_timeout' allows 2 s" in error


def test_every_fault_that_the_pages_show_is_tried_here() -> None:
    assert len(LINES) >= 25
    assert LINES.keys() <= {*RESTARTED, *SCROLLS, *FATAL, *LASTING, "end@p2"}


def test_two_scrolls_that_contradict_the_count_fail_unless_a_warning_is_asked_for(
    workbench: Workbench,
) -> None:
    failed, _ = sync(workbench, "end@p2")
    assert "'count_mismatch'" in error_of(failed)
    run, _ = sync(workbench, "end@p2 end@p2", count_mismatch="warn")
    assert (run.code, run.ids) == (0, failed.ids), run.log
    assert run.kinds == ["SCHEMA", "RECORD", "STATE"]
    accepted, deletes = run.lines("WARNING")[-2:]
    assert "accepts this as the end" in accepted
    assert "ACTIVATE_VERSION is not sent" in deletes
    assert "Intercom counts 250 leads, and 150 of them are missing" in deletes


def test_an_empty_workspace_is_a_complete_sync(workbench: Workbench) -> None:
    run, _ = sync(workbench, "", leads=0)
    assert (run.code, run.kinds) == (0, ["SCHEMA", "ACTIVATE_VERSION", "STATE"]), run.log


@cases(
    the_token_of_each_page_is_new={"scroll_param": "changing"},
    a_cache_sends_the_same_page_to_the_same_address={"cache": True},
)
def test_each_page_is_read_once(options: dict[str, Any], workbench: Workbench) -> None:
    with Sandbox(leads=450, **options) as sandbox:
        run = workbench.sync(sandbox)
    assert (run.code, run.ids) == (0, ids_of(sandbox)), run.log


@cases(("restart@3 update@4:20", True), ("restart@3 stale@4:50", False), ("move@2:40", True))
def test_a_lead_that_changes_meanwhile_ends_with_its_newest_version(
    faults: str, sent_again: bool, workbench: Workbench
) -> None:
    run, sandbox = sync(workbench, faults)
    assert run.code == 0, run.log
    newest = {lead["id"]: lead.get("name") for lead in sandbox.workspace.leads()}
    assert {record["id"]: record["name"] for record in run.records} == newest
    versions = {(record["id"], record["updated_at"]) for record in run.records}
    assert len(versions) == len(run.records)
    assert (len(run.records) > len(newest)) == sent_again


def test_a_response_that_never_ends_is_given_up_without_a_scroll_too(workbench: Workbench) -> None:
    """Each byte arrives within `request_timeout`, which alone would be no limit."""
    with Sandbox(leads=5, faults=["contacts/drip-head@*:0.3"]) as sandbox:
        the_error(workbench.sync(sandbox, "--test", request_timeout=1, scroll_wait_timeout=1))
