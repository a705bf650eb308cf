"""Pages that are lost without a sign: no row of a lead that exists is deleted or missing."""

from __future__ import annotations

import uuid

import pytest
from support.tap import Workbench, ids_of
from support.warehouse import Warehouse

from demo.postgres import PostgresServer
from tap_leads.sandbox import Sandbox

UNCOUNTED = ["counts/403@*", "contacts/403@*"]

LOSSES = [
    pytest.param(["end@1", "counts/status@*:503"], id="opening-page-empty-counts-fail"),
    pytest.param(["end@1", "counts/429@*"], id="opening-page-empty-counts-rate-limited"),
    pytest.param(["end@1", "counts/403@*"], id="opening-page-empty-counts-refused"),
    pytest.param(["end@1", *UNCOUNTED], id="opening-page-empty-no-count"),
    pytest.param(["end@4", "counts/503@*"], id="empty-page-counts-fail"),
    pytest.param(["end@4", "counts/429@1"], id="empty-page-counts-rate-limited-once"),
    pytest.param(["end@4", "counts/429@2"], id="empty-page-counts-rate-limited-at-the-end"),
    pytest.param(["end@4", *UNCOUNTED], id="empty-page-no-count"),
    pytest.param(["stolen@3"], id="another-client-takes-a-page"),
    pytest.param(["stolen@8"], id="another-client-takes-the-last-page"),
    pytest.param(["stolen@3", "stolen@12"], id="another-client-takes-a-page-of-each-scroll"),
    pytest.param(["repeated-upstream@4"], id="a-proxy-repeats-a-request"),
    pytest.param(["repeated-upstream@1"], id="a-proxy-repeats-the-opening"),
    pytest.param(["short@3:97", "end@4"], id="empty-page-after-a-short-one"),
    pytest.param(["stolen@3", "counts/off@*:3"], id="a-page-taken-and-a-count-that-is-off"),
    pytest.param(["merge@5:5"], id="leads-merge"),
]


@pytest.fixture(scope="module")
def all_leads(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """What a sync without faults has loaded."""
    folder = tmp_path_factory.mktemp("all")
    loaded = Warehouse(postgres, f"test_{uuid.uuid4().hex}", folder)
    with Sandbox(leads=730) as sandbox:
        loaded.load(Workbench(folder).sync(sandbox), hard_delete=True)
    return loaded


@pytest.fixture
def loaded(all_leads: Warehouse) -> Warehouse:
    """The same in a schema of the test's own."""
    return all_leads.copy(f"test_{uuid.uuid4().hex}")


@pytest.mark.parametrize("faults", LOSSES)
def test_lost_leads_are_read_again_and_nothing_is_deleted(
    workbench: Workbench, loaded: Warehouse, faults: list[str]
) -> None:
    with Sandbox(leads=730, idle_limit=1.0, faults=faults) as sandbox:
        run = workbench.sync(sandbox, scroll_wait_timeout=3)
        assert run.code == 0, run.log
        loaded.load(run, hard_delete=True)
        assert set(ids_of(sandbox)) <= set(loaded.ids())
        assert set(ids_of(sandbox)) <= set(run.ids)
    assert len(run.ids) <= 730 + 10


@pytest.mark.parametrize(
    ("leads", "faults", "code"),
    [
        pytest.param(730, ["end@p8"], 1, id="two-scrolls-lack-4-percent"),
        pytest.param(730, ["end@p1"], 1, id="two-scrolls-are-empty"),
        pytest.param(250, ["end@p2", "counts/403@*"], 1, id="the-list-contradicts-two-scrolls"),
        pytest.param(730, ["end@p8", *UNCOUNTED], 0, id="two-scrolls-agree-and-no-count"),
        pytest.param(730, ["stolen@3", "add@6:3"], 0, id="new-leads-hide-a-page"),
    ],
)
def test_leads_that_two_scrolls_lack_are_never_deleted(
    workbench: Workbench, loaded: Warehouse, leads: int, faults: list[str], code: int
) -> None:
    with Sandbox(leads=leads, idle_limit=1.0, faults=faults) as sandbox:
        run = workbench.sync(sandbox)
        assert run.code == code, run.log
        assert "ACTIVATE_VERSION" not in run.kinds
        loaded.load(run, hard_delete=True)
        assert set(ids_of(sandbox)) <= set(loaded.ids())


@pytest.mark.parametrize("leads", [10_150, 30_150])
def test_a_page_among_many_is_missed_too(workbench: Workbench, leads: int) -> None:
    with Sandbox(leads=leads, idle_limit=1.0, faults=["stolen@50"], rate_limit=9_999) as sandbox:
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
