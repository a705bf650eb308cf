"""Pages that are lost without a sign: no row of a lead that exists is deleted or missing."""

from __future__ import annotations

import pytest
from support.cases import cases
from support.tap import Workbench, ids_of
from support.warehouse import Warehouse

from demo.postgres import PostgresServer
from tap_leads.sandbox import Sandbox

UNCOUNTED = ["counts/403@*", "contacts/403@*"]

LOSSES = {
    "opening-page-empty-counts-fail": ["end@1", "counts/status@*:503"],
    "opening-page-empty-counts-rate-limited": ["end@1", "counts/429@*"],
    "opening-page-empty-counts-refused": ["end@1", "counts/403@*"],
    "opening-page-empty-no-count": ["end@1", *UNCOUNTED],
    "empty-page-counts-fail": ["end@4", "counts/503@*"],
    "empty-page-counts-rate-limited-once": ["end@4", "counts/429@1"],
    "empty-page-counts-rate-limited-at-the-end": ["end@4", "counts/429@2"],
    "empty-page-no-count": ["end@4", *UNCOUNTED],
    "another-client-takes-a-page": ["stolen@3"],
    "another-client-takes-the-last-page": ["stolen@8"],
    "another-client-takes-a-page-of-each-scroll": ["stolen@3", "stolen@12"],
    "a-proxy-repeats-a-request": ["repeated-upstream@4"],
    "a-proxy-repeats-the-opening": ["repeated-upstream@1"],
    "empty-page-after-a-short-one": ["short@3:97", "end@4"],
    "a-page-taken-and-a-count-that-is-off": ["stolen@3", "counts/off@*:3"],
    "leads-merge": ["merge@5:5"],
}


@pytest.fixture(scope="module")
def all_leads(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """What a sync without faults has loaded."""
    folder = tmp_path_factory.mktemp("all")
    loaded = Warehouse.empty(postgres, folder)
    with Sandbox(leads=730) as sandbox:
        loaded.load(Workbench(folder).sync(sandbox).output, hard_delete=True)
    return loaded


@pytest.fixture
def loaded(all_leads: Warehouse) -> Warehouse:
    """The same in a schema of the test's own."""
    return all_leads.copy()


@cases(**LOSSES)
def test_lost_leads_are_read_again_and_nothing_is_deleted(
    faults: list[str], workbench: Workbench, loaded: Warehouse
) -> None:
    with Sandbox(leads=730, idle_limit=1.0, faults=faults) as sandbox:
        run = workbench.sync(sandbox, scroll_wait_timeout=3)
        assert run.code == 0, run.log
        loaded.load(run.output, hard_delete=True)
        assert set(ids_of(sandbox)) <= set(loaded.ids())
        assert set(ids_of(sandbox)) <= set(run.ids)
    assert len(run.ids) <= 730 + 10


@cases(
    two_scrolls_lack_4_percent=(730, ["end@p8"], 1),
    two_scrolls_are_empty=(730, ["end@p1"], 1),
    the_list_contradicts_two_scrolls=(250, ["end@p2", "counts/403@*"], 1),
    two_scrolls_agree_and_no_count=(730, ["end@p8", *UNCOUNTED], 0),
    new_leads_hide_a_page=(730, ["stolen@3", "add@6:3"], 0),
)
def test_leads_that_two_scrolls_lack_are_never_deleted(
    leads: int, faults: list[str], code: int, workbench: Workbench, loaded: Warehouse
) -> None:
    with Sandbox(leads=leads, idle_limit=1.0, faults=faults) as sandbox:
        run = workbench.sync(sandbox)
        assert run.code == code, run.log
        assert "ACTIVATE_VERSION" not in run.kinds
        loaded.load(run.output, hard_delete=True)
        assert set(ids_of(sandbox)) <= set(loaded.ids())


def test_a_page_among_many_is_missed_too(workbench: Workbench) -> None:
    with Sandbox(leads=10_150, idle_limit=1.0, faults=["stolen@50"], rate_limit=9_999) as sandbox:
        run = workbench.sync(sandbox)
        assert run.code == 0, run.log
        assert sorted(run.ids) == sorted(ids_of(sandbox))
    assert run.kinds[-2:] == ["ACTIVATE_VERSION", "STATE"]


def test_two_scrolls_that_lack_1_percent_are_accepted_without_deletes(
    workbench: Workbench,
) -> None:
    with Sandbox(leads=10_000, idle_limit=1.0, faults=["end@p100"]) as sandbox:
        run = workbench.sync(sandbox)
        assert run.code == 0, run.log
    assert len(run.ids) == 9_900
    assert run.kinds[-1] == "STATE"
    assert "ACTIVATE_VERSION" not in run.kinds
    assert any("accepts this as the end" in line for line in run.lines("WARNING"))


def test_a_healthy_workspace_that_changes_is_read_once(workbench: Workbench) -> None:
    with Sandbox(leads=300, idle_limit=1.0, faults=["add@3:3"]) as sandbox:
        run = workbench.sync(sandbox, max_restarts=0)
        assert run.code == 0, run.log
        assert sorted(run.ids) == sorted(ids_of(sandbox))
        assert sandbox.workspace.scrolls_opened == 1
    assert "ACTIVATE_VERSION" in run.kinds
