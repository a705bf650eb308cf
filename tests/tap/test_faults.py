"""Whatever a response is, a sync sends all leads or ends with a non-zero exit code."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import Any

from support.cases import cases
from support.tap import Run, Workbench, ids_of, run_tap

from demo.meltano import ROOT
from tap_leads.sandbox import Sandbox

COMPLETE = ["SCHEMA", "RECORD", "ACTIVATE_VERSION", "STATE"]
SHORT = {"request_timeout": 1, "scroll_wait_timeout": 1}
ROW = re.compile(r"^\| [^|]+ \| `([^|`]+)` \| [^|]+ \| `([^|]+)` \|$", re.MULTILINE)
LINES: defaultdict[str, list[str]] = defaultdict(list)
"""What the pages for users quote from the log, by the fault."""
for _page in ("README.md", "docs/operators.md"):
    for _fault, _line in ROW.findall((ROOT / _page).read_text()):
        LINES[_fault].append(_line)


def sync(
    workbench: Workbench,
    faults: str,
    *arguments: str,
    leads: int = 250,
    idle_limit: float = 60.0,
    **settings: Any,
) -> tuple[Run, Sandbox]:
    """Syncs a workspace in which these faults happen; the log says what the pages quote."""
    with Sandbox(leads=leads, idle_limit=idle_limit, faults=faults.split()) as sandbox:
        run = workbench.sync(sandbox, *arguments, **settings)
    for line in LINES.get(faults, ()):
        restarts = f"restarted {settings.get('max_restarts', 5)} time(s)"
        assert line.replace("restarted 5 time(s)", restarts) in run.log
    return run, sandbox


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
def test_a_broken_scroll_is_restarted(fault: str, workbench: Workbench) -> None:
    run, sandbox = sync(workbench, fault, idle_limit=1.0, request_timeout=1)
    assert run.complete(sandbox).kinds == COMPLETE
    assert "restart 1 of 5" in run.log


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
def test_no_more_scrolls_are_opened_than_needed(faults: str, workbench: Workbench) -> None:
    # The second scroll must not wait long; the only one must not expire on a busy machine.
    run, sandbox = sync(workbench, faults, idle_limit=60.0 if SCROLLS[faults] == 1 else 2.0)
    assert (run.code, sorted(run.ids)) == (0, sorted(ids_of(sandbox))), run.log
    assert (sandbox.workspace.scrolls_opened, run.kinds[-1]) == (SCROLLS[faults], "STATE")


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
def test_what_waiting_does_not_change_fails_at_once(faults: str, workbench: Workbench) -> None:
    run, _ = sync(workbench, faults)
    assert FATAL[faults] in run.error
    assert "Waiting" not in run.log


LASTING = {
    "lost@2+": "the connection was lost",
    "nojson@*": "not a page of leads",
    "html@1+": "HTTP 200, text/html",
    "false-end@1+": "not a page of leads (HTTP 200, server_error)",
    "no-end@*": "Intercom did not find the scroll",  # after a full page, this is never the end
}


@cases(*LASTING)
def test_a_scroll_that_keeps_breaking_is_given_up(fault: str, workbench: Workbench) -> None:
    run, _ = sync(workbench, fault, leads=300, idle_limit=1.0, max_restarts=1)
    assert "restarted 1 time(s)" in run.error
    assert LASTING[fault] in run.error


@cases(("exists@*", "Another scroll is open"), ("429@*:0", "rate limit"))
def test_waiting_has_a_limit(fault: str, words: str, workbench: Workbench) -> None:
    run, _ = sync(workbench, fault, scroll_wait_timeout=2)
    assert words in run.error
    assert "'scroll_wait_timeout' allows 2 s" in run.error


def test_every_fault_that_the_pages_show_is_tried_here() -> None:
    assert len(LINES) >= 25
    assert LINES.keys() <= {*RESTARTED, *SCROLLS, *FATAL, *LASTING, "end@p2"}


def test_count_mismatch_decides_what_missing_leads_mean(workbench: Workbench) -> None:
    failed, _ = sync(workbench, "end@p2", idle_limit=1.0)
    assert "'count_mismatch'" in failed.error
    run, _ = sync(workbench, "end@p2 end@p2", idle_limit=1.0, count_mismatch="warn")
    assert (run.code, run.ids) == (0, failed.ids), run.log
    assert run.kinds == ["SCHEMA", "RECORD", "STATE"]
    accepted, deletes = run.lines("WARNING")[-2:]
    assert "accepts this as the end" in accepted
    assert "ACTIVATE_VERSION is not sent" in deletes
    assert "Intercom counts 250 leads, and 150 of them are missing" in deletes


def test_an_empty_workspace_is_a_complete_sync(workbench: Workbench) -> None:
    run, _ = sync(workbench, "", leads=0)
    assert (run.code, run.kinds) == (0, ["SCHEMA", "ACTIVATE_VERSION", "STATE"]), run.log


@cases(new_token_of_each_page={"scroll_param": "changing"}, cache_of_addresses={"cache": True})
def test_each_page_is_read_once(options: dict[str, Any], workbench: Workbench) -> None:
    with Sandbox(leads=450, **options) as sandbox:
        workbench.sync(sandbox).complete(sandbox)


@cases(("restart@3 update@4:20", True), ("restart@3 stale@4:50", False), ("move@2:40", True))
def test_a_lead_that_changes_meanwhile_ends_with_its_newest_version(
    faults: str, sent_again: bool, workbench: Workbench
) -> None:
    run, sandbox = sync(workbench, faults, idle_limit=1.0)
    assert run.code == 0, run.log
    newest = {lead["id"]: lead.get("name") for lead in sandbox.workspace.leads()}
    assert {record["id"]: record["name"] for record in run.records} == newest
    versions = {(record["id"], record["updated_at"]) for record in run.records}
    assert len(versions) == len(run.records)
    assert (len(run.records) > len(newest)) == sent_again


def test_a_response_that_never_ends_is_given_up_without_a_scroll_too(workbench: Workbench) -> None:
    """Each byte arrives within `request_timeout`, which alone would be no limit."""
    run, _ = sync(workbench, "contacts/drip-head@*:0.3", "--test", **SHORT)
    assert run.error


# Counts of leads

KNOWN = "Intercom's count of leads is known."
LISTED = "The number of leads in Intercom's list is known."
NO_COUNT = "was not a count of leads"
PERMISSION = "Give its app the permission *Read counts*"


@cases(
    both=("", {KNOWN, LISTED}),
    list=("counts/403@*", {LISTED, PERMISSION}),
    none=("counts/nojson@* contacts/number@2+:99999999999999", {NO_COUNT}),
)
def test_a_test_names_the_known_counts(faults: str, said: set[str], workbench: Workbench) -> None:
    run, _ = sync(workbench, faults, "--test")
    assert run.code == 0, run.log
    words = {KNOWN, LISTED, PERMISSION, NO_COUNT}
    assert {each for each in words if each in run.log} == said


@cases(
    unknown=('counts/403@* contacts/body@*:{"total_count":5}', "did not say how many leads"),
    bound=("counts/403@* contacts/limited@*", "250 leads at most"),
    more_than_1_percent=("counts/off@*:3", "3 of them are missing"),
)
def test_without_proof_nothing_is_deleted(faults: str, reason: str, workbench: Workbench) -> None:
    run, sandbox = sync(workbench, faults)
    assert run.complete(sandbox).kinds == ["SCHEMA", "RECORD", "STATE"]
    assert reason in run.lines("WARNING")[-1]


@cases("number@*:252", "drip@*:2", "status@*:500", "nojson@*", f"number@*:{10**4000}")
def test_no_failure_of_the_count_prevents_deletes(fault: str, workbench: Workbench) -> None:
    """A count that does not come delays the sync by seconds."""
    run, sandbox = sync(workbench, f"counts/{fault}", **SHORT)
    assert run.complete(sandbox).kinds == COMPLETE
    assert ("Intercom's count of leads is not known" in run.log) == (fault != "number@*:252")


# Types of attributes

TYPED = {"typed_custom_attributes": True}


def type_of_team_size(stream: dict[str, Any]) -> Any:
    """The type of an attribute in a message or catalog."""
    attributes = stream["schema"]["properties"]["custom_attributes"]
    return attributes["properties"]["team_size"]["type"]


@cases("429@1:0", "503@1", "lost@1", "hang@1", "cut@1")
def test_a_failed_request_for_the_definitions_is_repeated(fault: str, workbench: Workbench) -> None:
    run, sandbox = sync(workbench, f"data_attributes/{fault}", request_timeout=1, **TYPED)
    assert type_of_team_size(run.complete(sandbox).messages[0]) == ["integer", "null"]


@cases("1.3", "1.4")
def test_the_catalog_has_the_types_of_each_version(version: str, workbench: Workbench) -> None:
    """Versions before 1.4 have the definitions elsewhere."""
    run, _ = sync(workbench, "", "--discover", api_version=version, **TYPED)
    assert type_of_team_size(json.loads(run.output)["streams"][0]) == ["integer", "null"]


@cases(
    ("nojson@*", "was not definitions of attributes"),
    ('body@*:{"data_attributes":[1]}', "are not as documented"),
    ("503@*", "'scroll_wait_timeout' allows 1 s"),
    ("429@*", "'scroll_wait_timeout' allows 1 s"),
    ("403@*", "does not let this access token read attributes"),
    ("404@*", "did not find the attributes"),
)
def test_without_definitions_nothing_is_sent(fault: str, words: str, workbench: Workbench) -> None:
    run, _ = sync(workbench, f"data_attributes/{fault}", scroll_wait_timeout=1, **TYPED)
    assert words in run.refusal


def test_discovery_without_a_token_says_that_the_types_need_one(workbench: Workbench) -> None:
    run = run_tap("--discover", "--config", workbench.file("config.json", TYPED))
    assert "'access_token' is missing" in run.refusal
