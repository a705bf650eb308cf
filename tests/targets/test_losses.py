"""Pages that are lost without a sign: no row of a lead that exists is deleted or missing."""

from __future__ import annotations

import pytest
from support.cases import cases
from support.tap import Workbench, ids_of
from support.warehouse import Warehouse

from demo.postgres import PostgresServer
from tap_leads.sandbox import Sandbox

UNCOUNTED = ["counts/403@*", "contacts/403@*"]


@pytest.fixture(scope="module")
def all_leads(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """What a sync without faults has loaded."""
    warehouse = Warehouse.empty(postgres, tmp_path_factory.mktemp("all"))
    with Sandbox(leads=730) as sandbox:
        warehouse.sync(sandbox)
    return warehouse


@cases(
    opening_page_empty_counts_fail=["end@1", "counts/status@*:503"],
    opening_page_empty_counts_rate_limited=["end@1", "counts/429@*"],
    opening_page_empty_counts_refused=["end@1", "counts/403@*"],
    opening_page_empty_no_count=["end@1", *UNCOUNTED],
    empty_page_counts_fail=["end@4", "counts/503@*"],
    empty_page_counts_rate_limited_once=["end@4", "counts/429@1"],
    empty_page_counts_rate_limited_at_the_end=["end@4", "counts/429@2"],
    empty_page_no_count=["end@4", *UNCOUNTED],
    another_client_takes_a_page=["stolen@3"],
    another_client_takes_the_last_page=["stolen@8"],
    another_client_takes_a_page_of_each_scroll=["stolen@3", "stolen@12"],
    a_proxy_repeats_a_request=["repeated-upstream@4"],
    a_proxy_repeats_the_opening=["repeated-upstream@1"],
    empty_page_after_a_short_one=["short@3:97", "end@4"],
    a_page_taken_and_a_count_that_is_off=["stolen@3", "counts/off@*:3"],
    leads_merge=["merge@5:5"],
)
def test_nothing_is_lost_and_nothing_deleted(faults: list[str], all_leads: Warehouse) -> None:
    loaded = all_leads.copy()
    with Sandbox(leads=730, idle_limit=1.0, faults=faults) as sandbox:
        run = loaded.sync(sandbox, scroll_wait_timeout=3)
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
    leads: int, faults: list[str], code: int, all_leads: Warehouse
) -> None:
    loaded = all_leads.copy()
    with Sandbox(leads=leads, idle_limit=1.0, faults=faults) as sandbox:
        run = loaded.sync(sandbox, code=code)
        assert "ACTIVATE_VERSION" not in run.kinds
        assert set(ids_of(sandbox)) <= set(loaded.ids())


def test_a_page_among_many_is_missed_too(workbench: Workbench) -> None:
    with Sandbox(leads=10_150, idle_limit=1.0, faults=["stolen@50"], rate_limit=9_999) as sandbox:
        run = workbench.sync(sandbox)
        assert run.code == 0, run.log
        assert sorted(run.ids) == sorted(ids_of(sandbox))
    assert run.kinds[-2:] == ["ACTIVATE_VERSION", "STATE"]


def test_two_scrolls_that_lack_1_percent_delete_nothing(workbench: Workbench) -> None:
    with Sandbox(leads=10_000, idle_limit=1.0, faults=["end@p100"]) as sandbox:
        run = workbench.sync(sandbox)
        assert run.code == 0, run.log
    assert len(run.ids) == 9_900
    assert run.kinds == ["SCHEMA", "RECORD", "STATE"]
    assert any("accepts this as the end" in line for line in run.lines("WARNING"))


def test_a_healthy_workspace_that_changes_is_read_once(workbench: Workbench) -> None:
    with Sandbox(leads=300, idle_limit=1.0, faults=["add@3:3"]) as sandbox:
        run = workbench.sync(sandbox, max_restarts=0)
        assert run.code == 0, run.log
        assert sorted(run.ids) == sorted(ids_of(sandbox))
        assert sandbox.workspace.scrolls_opened == 1
    assert "ACTIVATE_VERSION" in run.kinds
