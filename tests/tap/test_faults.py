"""Whatever comes over the wire, a sync brings all leads or ends with a non-zero exit code."""

from __future__ import annotations

import os
import subprocess
from typing import Any

import pytest
from support.tap import Run, Workbench, command, environment, ids_of, run_tap

from tap_leads.sandbox import Sandbox

# Each row of the lifecycle's table, by what the sandbox does at which request to the scroll.
RESTARTED = [
    pytest.param("restart@1", id="restart-error-at-opening"),
    pytest.param("restart@3", id="restart-error"),
    pytest.param("lost@1", id="answer-lost-at-opening"),
    pytest.param("lost@2", id="answer-lost"),
    pytest.param("lost@4", id="answer-lost-at-the-end"),
    pytest.param("reset@3", id="connection-reset"),
    pytest.param("hang@2:30", id="hang"),
    pytest.param("cut@1", id="cut-off-at-opening"),
    pytest.param("cut@3", id="cut-off"),
    pytest.param("cut@4", id="cut-off-at-the-end"),
    pytest.param("expire@3", id="expired"),
    pytest.param("html502@2", id="proxy-error"),
    pytest.param("503@3", id="unavailable"),
    pytest.param("nojson@2", id="no-json"),
    pytest.param("empty-body@3", id="empty-body"),
    pytest.param("nolist@1", id="no-list-at-opening"),
    pytest.param("nolist@3", id="no-list"),
    pytest.param("null-list@2", id="null-list"),
    pytest.param("exists@3", id="scroll-exists-midway"),
    pytest.param("repeat@3", id="page-repeated"),
    pytest.param("false-end@3", id="error-list-with-an-empty-list"),
    pytest.param("wrong-key@3", id="leads-under-another-key"),
    pytest.param('body@3:{"contacts":[{"id":"1"}]}', id="leads-without-scroll-param"),
    pytest.param("html@3", id="html-with-status-200"),
    pytest.param("drip@2:0.4", id="body-drips"),
    pytest.param("drip-head@2:0.4", id="headers-drip"),
    pytest.param("bomb@2:100", id="body-unpacks-to-100-mb"),
    pytest.param("malformed@3:location", id="malformed-location"),
    pytest.param("malformed@3:location-bytes", id="location-that-is-not-utf-8"),
    pytest.param("malformed@3:chunk", id="negative-chunk-size"),
    pytest.param("malformed@3:status-line", id="malformed-status-line"),
]

# Of each class; what is not a certain refusal leaves open whether the page was served.
RESTARTED += [
    pytest.param(f"status@3:{status}", id=f"status-{status}")
    for status in (100, 204, 206, 304, 408, 409, 421, 425, 449, 499, 501, 504, 511, 599)
]


@pytest.mark.parametrize("fault", RESTARTED)
def test_a_broken_scroll_is_restarted_and_each_lead_is_sent_once(
    workbench: Workbench, fault: str
) -> None:
    with Sandbox(leads=250, idle_limit=1.0, faults=[fault]) as sandbox:
        run = workbench.sync(sandbox, request_timeout=1)
        assert run.code == 0, run.log
        assert run.ids == ids_of(sandbox)
        assert "restart 1 of 5" in run.log
        assert run.kinds == ["SCHEMA", "RECORD", "ACTIVATE_VERSION", "STATE"]


@pytest.mark.parametrize("fault", ["429@1", "429@3", "429@2-4", "429@4"])
def test_a_rate_limited_request_is_sent_again_in_the_same_scroll(
    workbench: Workbench, fault: str
) -> None:
    with Sandbox(leads=250, idle_limit=10.0, faults=[fault]) as sandbox:
        run = workbench.sync(sandbox)
        assert run.code == 0, run.log
        assert run.ids == ids_of(sandbox)
        assert sandbox.workspace.scrolls_opened == 1
        assert any("rate limit" in line for line in run.lines("WARNING"))


def test_another_open_scroll_is_waited_for(workbench: Workbench) -> None:
    with Sandbox(leads=250, idle_limit=1.0, faults=["exists@1:1.5"]) as sandbox:
        run = workbench.sync(sandbox)
        assert run.code == 0, run.log
        assert run.ids == ids_of(sandbox)
        assert "Another scroll is open" in run.lines("WARNING")[0]
        assert "restart" not in "".join(run.lines("WARNING"))


FATAL = [
    pytest.param("401@1", "access_token", id="token-refused"),
    pytest.param("401@3", "access_token", id="token-revoked-midway"),
    pytest.param("403@1", "permission", id="scope-missing"),
    pytest.param("404@1", "api_version", id="wrong-path"),
    pytest.param("version@1", "api_version", id="wrong-version"),
    pytest.param("302@1", "redirect", id="redirected"),
    pytest.param("302@3", "redirect", id="redirected-midway"),
    pytest.param("no-id@2", "without an id", id="lead-without-id"),
    pytest.param("status@3:400", "api_url", id="bad-request"),
    pytest.param("status@3:451", "api_url", id="unavailable-for-legal-reasons"),
    pytest.param("status@1:410", "api_version", id="gone"),
]


@pytest.mark.parametrize(("fault", "advice"), FATAL)
def test_what_waiting_does_not_change_fails_at_once_and_says_what_to_do(
    workbench: Workbench, fault: str, advice: str
) -> None:
    with Sandbox(leads=250, idle_limit=1.0, faults=[fault]) as sandbox:
        run = workbench.sync(sandbox)
    assert run.code == 1
    (error,) = run.lines("ERROR")
    assert advice in error
    assert "Traceback" not in run.log
    assert not {"STATE", "ACTIVATE_VERSION"} & set(run.kinds)


@pytest.mark.parametrize("fault", ["restart@*", "lost@2+", "repeat@3+", "nojson@*", "cut@2+"])
def test_a_scroll_that_keeps_breaking_fails_after_max_restarts(
    workbench: Workbench, fault: str
) -> None:
    with Sandbox(leads=250, idle_limit=0.2, faults=[fault]) as sandbox:
        run = workbench.sync(sandbox, max_restarts=1)
    assert run.code == 1
    (error,) = run.lines("ERROR")
    assert "restarted 1 time(s)" in error
    assert not {"STATE", "ACTIVATE_VERSION"} & set(run.kinds)


def test_a_scroll_that_stays_taken_fails_after_scroll_wait_timeout(workbench: Workbench) -> None:
    with Sandbox(leads=250, faults=["exists@*"]) as sandbox:
        run = workbench.sync(sandbox, scroll_wait_timeout=2)
    assert run.code == 1
    (error,) = run.lines("ERROR")
    assert "scroll_wait_timeout" in error


def test_a_rate_limit_that_stays_used_up_fails_after_scroll_wait_timeout(
    workbench: Workbench,
) -> None:
    with Sandbox(leads=250, faults=["429@*"]) as sandbox:
        run = workbench.sync(sandbox, scroll_wait_timeout=2)
    assert run.code == 1
    (error,) = run.lines("ERROR")
    assert "rate limit" in error


@pytest.mark.parametrize(
    ("faults", "opened"),
    [
        pytest.param([], 1, id="the-count"),
        pytest.param(["counts/403@*", "contacts/403@*"], 2, id="a-second-scroll"),
    ],
)
def test_not_found_after_a_short_page_is_the_end_if_confirmed(
    workbench: Workbench, faults: list[str], opened: int
) -> None:
    """Seen once for companies (tap-intercom, pull request 77): no empty page, but a 404."""
    with Sandbox(leads=250, idle_limit=1.0, faults=["no-end@*", *faults]) as sandbox:
        run = workbench.sync(sandbox)
        assert run.code == 0, run.log
        assert run.ids == ids_of(sandbox)
        assert sandbox.workspace.scrolls_opened == opened


def test_not_found_after_a_full_page_is_never_the_end(workbench: Workbench) -> None:
    with Sandbox(leads=300, idle_limit=0.5, faults=["no-end@*"]) as sandbox:
        run = workbench.sync(sandbox, max_restarts=2)
    assert run.code == 1


def test_an_empty_workspace_is_a_complete_sync(workbench: Workbench) -> None:
    with Sandbox(leads=0) as sandbox:
        run = workbench.sync(sandbox)
    assert run.code == 0, run.log
    assert run.kinds == ["SCHEMA", "ACTIVATE_VERSION", "STATE"]


def test_the_token_of_the_next_page_may_change_or_not(workbench: Workbench) -> None:
    with Sandbox(leads=450, scroll_param="changing") as sandbox:
        run = workbench.sync(sandbox)
        assert run.code == 0, run.log
        assert run.ids == ids_of(sandbox)


def test_a_lead_that_changed_between_two_scrolls_goes_out_again(workbench: Workbench) -> None:
    with Sandbox(leads=250, idle_limit=1.0, faults=["restart@3", "update@4:20"]) as sandbox:
        run = workbench.sync(sandbox)
        newest = {lead["id"]: lead.get("name") for lead in sandbox.workspace.leads()}
    assert run.code == 0, run.log
    assert set(run.ids) == set(newest)
    versions = {(record["id"], record["updated_at"]) for record in run.records}
    assert len(versions) == len(run.records) > len(newest)
    last = {record["id"]: record["name"] for record in run.records}
    assert last == newest


def faulty(workbench: Workbench, *faults: str, **settings: Any) -> Run:
    """Syncs a workspace in which such faults come."""
    with Sandbox(leads=250, idle_limit=1.0, faults=list(faults)) as sandbox:
        return workbench.sync(sandbox, request_timeout=1, **settings)


@pytest.mark.parametrize(
    ("fault", "advice"),
    [
        pytest.param("401@1", "Intercom refused the access token", id="401"),
        pytest.param("403@1", "does not let this access token read leads", id="403"),
        pytest.param("version@1", "Set 'api_version' to 1.4", id="version"),
    ],
)
def test_older_error_bodies_say_the_same(workbench: Workbench, fault: str, advice: str) -> None:
    """They name the error in `type` in place of `code`."""
    run = faulty(workbench, fault, "old-errors@1")
    assert run.code == 1
    assert advice in run.lines("ERROR")[0]


def test_another_open_scroll_is_recognized_in_older_error_bodies(workbench: Workbench) -> None:
    run = faulty(workbench, "exists@1:0.5", "old-errors@1")
    assert run.code == 0, run.log
    assert "another scroll is open" in run.lines("WARNING")[0].lower()


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        pytest.param(["403@1", "html@1"], ["HTTP 403, text/html", "firewall"], id="firewall"),
        pytest.param(["status@1:407", "html@1"], ["HTTP 407", "HTTPS_PROXY"], id="proxy"),
        pytest.param(["html@1+"], ["HTTP 200, text/html"], id="html"),
        pytest.param(["false-end@1+"], ["HTTP 200", "not a page of leads"], id="error-list"),
    ],
)
def test_what_is_not_a_page_is_named_by_its_status_and_content_type(
    workbench: Workbench, faults: list[str], words: list[str]
) -> None:
    run = faulty(workbench, *faults, max_restarts=0)
    assert run.code == 1
    (error,) = run.lines("ERROR")
    assert all(word in error for word in words)


def test_a_byte_order_mark_is_not_an_error(workbench: Workbench) -> None:
    run = faulty(workbench, "bom@*")
    assert run.code == 0, run.log
    assert len(run.ids) == 250
    assert not run.lines("WARNING")


def test_no_request_is_answered_from_a_cache(workbench: Workbench) -> None:
    """A caching proxy would serve identical addresses from its memory."""
    with Sandbox(leads=950, cache=True) as sandbox:
        run = workbench.sync(sandbox)
        assert run.code == 0, run.log
        assert run.ids == ids_of(sandbox)


def test_an_end_that_comes_too_early_is_confirmed_by_a_second_scroll(workbench: Workbench) -> None:
    with Sandbox(leads=250, idle_limit=1.0, faults=["end@2"]) as sandbox:
        run = workbench.sync(sandbox)
        assert run.code == 0, run.log
        assert run.ids == ids_of(sandbox)
        assert sandbox.workspace.scrolls_opened == 2
    assert run.kinds == ["SCHEMA", "RECORD", "ACTIVATE_VERSION", "STATE"]


def test_an_empty_first_page_is_confirmed_where_intercom_counts_leads(workbench: Workbench) -> None:
    with Sandbox(leads=250, idle_limit=1.0, faults=["end@1"]) as sandbox:
        run = workbench.sync(sandbox)
        assert run.code == 0, run.log
        assert run.ids == ids_of(sandbox)


def test_two_scrolls_that_contradict_the_count_fail_unless_a_warning_is_asked_for(
    workbench: Workbench,
) -> None:
    failed = faulty(workbench, "end@p2")
    assert failed.code == 1
    assert len(failed.ids) == 100
    (error,) = failed.lines("ERROR")
    assert "100 leads, while Intercom counts 250" in error
    assert "'count_mismatch'" in error
    run = faulty(workbench, "end@p2", count_mismatch="warn")
    assert run.code == 0, run.log
    assert len(run.ids) == 100
    assert run.kinds == ["SCHEMA", "RECORD", "STATE"]
    accepted, deletes = run.lines("WARNING")[-2:]
    assert "accepts this as the end" in accepted
    assert "ACTIVATE_VERSION is not sent" in deletes
    assert "Intercom counts 250 leads, and 150 of them are missing" in deletes


@pytest.mark.parametrize(
    ("count", "deletes"),
    [
        pytest.param("252", True, id="a-little-more"),
        pytest.param("253", False, id="more-than-one-in-a-hundred"),
        pytest.param("0", True, id="fewer"),
        pytest.param("9" * 4000, True, id="4000-digits"),
        pytest.param("-5", True, id="negative"),
    ],
)
def test_only_a_count_that_makes_sense_forbids_to_delete(
    workbench: Workbench, count: str, deletes: bool
) -> None:
    run = faulty(workbench, f"counts/number@*:{count}")
    assert run.code == 0, run.log
    assert len(run.ids) == 250
    assert ("ACTIVATE_VERSION" in run.kinds) == deletes


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param("counts/drip@*:2", id="drips"),
        pytest.param("counts/hang@*", id="hangs"),
        pytest.param("counts/lost@*", id="lost"),
        pytest.param("counts/status@*:500", id="fails"),
        pytest.param("counts/malformed@*:chunk", id="malformed"),
        pytest.param("counts/bomb@*:100", id="bomb"),
        pytest.param('counts/body@*:{"lead":{"count":"many"}}', id="text"),
        pytest.param('counts/body@*:{"lead":[]}', id="list"),
        pytest.param("counts/nojson@*", id="not-json"),
    ],
)
def test_a_count_that_does_not_come_costs_seconds_and_never_the_sync(
    workbench: Workbench, fault: str
) -> None:
    with Sandbox(leads=250, faults=[fault]) as sandbox:
        run = workbench.sync(sandbox, scroll_wait_timeout=1, request_timeout=1)
        assert run.code == 0, run.log
    assert run.kinds == ["SCHEMA", "RECORD", "ACTIVATE_VERSION", "STATE"]
    assert "Intercom's count of leads is not known" in run.log


def test_an_older_version_never_follows_a_newer_one(workbench: Workbench) -> None:
    with Sandbox(leads=250, idle_limit=1.0, faults=["restart@3", "stale@4:50"]) as sandbox:
        run = workbench.sync(sandbox)
        assert run.code == 0, run.log
        assert run.ids == ids_of(sandbox)
        names = {lead["id"]: lead.get("name") for lead in sandbox.workspace.leads()}
    assert {record["id"]: record["name"] for record in run.records} == names


def test_a_lead_without_a_time_of_change_is_sent_once_whatever_is_beside_it(
    workbench: Workbench,
) -> None:
    """Its content is compared as decoded: another lead's malformed text must not matter."""
    faults = ["no-updated-at@*", "restart@3", "surrogate@p1"]
    with Sandbox(leads=250, idle_limit=1.0, faults=faults) as sandbox:
        run = workbench.sync(sandbox)
        assert run.code == 0, run.log
        assert run.ids == ids_of(sandbox)


def test_edited_leads_at_the_end_of_the_scroll_do_not_break_it(workbench: Workbench) -> None:
    with Sandbox(leads=200, idle_limit=1.0, faults=["move@2:40"]) as sandbox:
        run = workbench.sync(sandbox)
        assert run.code == 0, run.log
        assert sandbox.workspace.scrolls_opened == 1
        assert set(run.ids) == set(ids_of(sandbox))
    assert len(run.ids) == 240


@pytest.mark.parametrize("what", ["date", "reset", "header"])
def test_malformed_headers_of_a_rate_limit_mean_a_whole_window(
    workbench: Workbench, what: str
) -> None:
    with Sandbox(leads=150, faults=["429@2", f"malformed@2:{what}"]) as sandbox:
        run = workbench.sync(sandbox)
        assert run.code == 0, run.log
        assert run.ids == ids_of(sandbox)
        assert sandbox.workspace.scrolls_opened == 1


def test_waiting_for_other_scrolls_has_one_limit_whatever_comes_between(
    workbench: Workbench,
) -> None:
    faults = ["restart@2,5,8,11", "exists@3,4,6,7,9,10"]
    run = faulty(workbench, *faults, scroll_wait_timeout=3, max_restarts=20)
    assert run.code == 1
    assert "'scroll_wait_timeout' allows 3 s" in run.lines("ERROR")[0]


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        pytest.param(["--test"], "contacts/drip@*:0.3", id="test"),
        pytest.param(["--test"], "contacts/drip-head@*:0.3", id="test-headers"),
        pytest.param(["--discover"], "data_attributes/drip@*:0.3", id="discover"),
    ],
)
def test_a_response_that_never_ends_is_given_up_everywhere(
    workbench: Workbench, arguments: list[str], fault: str
) -> None:
    """Each byte comes within `request_timeout`, which alone would therefore be no limit."""
    with Sandbox(leads=5, faults=[fault]) as sandbox:
        config = workbench.config(
            sandbox, request_timeout=1, scroll_wait_timeout=2, typed_custom_attributes=True
        )
        run = run_tap("--config", config, *arguments)  # which has a limit of its own
    assert run.code == 1, run.log
    assert "Traceback" not in run.log


def test_a_large_body_does_not_fill_the_memory(workbench: Workbench) -> None:
    """A gzip body of less than a megabyte that unpacks to 800 MB."""
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
