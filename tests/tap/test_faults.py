"""Whatever happens to the scroll, a sync is complete or it fails loudly; it is never short."""

from __future__ import annotations

import pytest
from support.tap import Workbench, ids_of

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
]


@pytest.mark.parametrize("fault", RESTARTED)
def test_a_broken_scroll_is_begun_anew_and_each_lead_goes_out_once(
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


def test_a_scroll_that_somebody_else_has_open_is_waited_for(workbench: Workbench) -> None:
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
]


@pytest.mark.parametrize(("fault", "remedy"), FATAL)
def test_what_waiting_cannot_mend_fails_at_once_and_says_what_to_do(
    workbench: Workbench, fault: str, remedy: str
) -> None:
    with Sandbox(leads=250, idle_limit=1.0, faults=[fault]) as sandbox:
        run = workbench.sync(sandbox)
    assert run.code == 1
    (error,) = run.lines("ERROR")
    assert remedy in error
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
    assert "begun anew 1 time(s)" in error
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


def test_not_found_after_a_short_page_is_the_end_when_a_second_scroll_confirms_it(
    workbench: Workbench,
) -> None:
    """Seen once for companies (tap-intercom, pull request 77): no empty page, but a 404."""
    with Sandbox(leads=250, idle_limit=1.0, faults=["no-end@*"]) as sandbox:
        run = workbench.sync(sandbox)
        assert run.code == 0, run.log
        assert run.ids == ids_of(sandbox)
        assert sandbox.workspace.scrolls_opened == 2
        assert "without an empty page" in run.lines("WARNING")[-1]


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
