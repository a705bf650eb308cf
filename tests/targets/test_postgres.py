"""After a sync, a real PostgreSQL has the leads that Intercom has."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.cases import cases
from support.tap import Workbench, ids_of
from support.warehouse import Warehouse

from demo import meltano
from tap_leads.sandbox import Sandbox


def meltano_run(sandbox: Sandbox, warehouse: Warehouse, folder: Path, **settings: str) -> int:
    """`meltano run tap-leads target-postgres`; the exit code."""
    env = meltano.tap_settings(sandbox) | settings
    env |= meltano.target_settings(warehouse.server, warehouse.schema)
    folder.mkdir()
    done = meltano.run("run", "tap-leads", "target-postgres", folder=folder, env=env)
    return done.returncode


def test_meltano_loads_25000_leads_exactly_once(warehouse: Warehouse, tmp_path: Path) -> None:
    with Sandbox(leads=25_000) as sandbox:
        code = meltano_run(sandbox, warehouse, tmp_path / "meltano")
        assert code == 0
        assert warehouse.ids() == sorted(ids_of(sandbox))


def test_meltano_reports_a_sync_that_failed(warehouse: Warehouse, tmp_path: Path) -> None:
    with Sandbox(leads=300, faults=["401@3"]) as sandbox:
        assert meltano_run(sandbox, warehouse, tmp_path / "meltano") != 0


def test_malformed_leads_arrive_too_each_with_what_did_not_fit(
    workbench: Workbench, warehouse: Warehouse
) -> None:
    with Sandbox(leads=1_000, faults=["types@*"]) as sandbox:
        warehouse.load(workbench.sync(sandbox))
        assert warehouse.ids() == sorted(ids_of(sandbox))
    kept = [names for (names,) in warehouse.rows("additional_fields") if names]
    assert len(kept) > 100
    assert {"companies", "last_request_at"} <= {name for names in kept for name in names}


def test_each_field_arrives_in_a_column_of_its_type(
    workbench: Workbench, warehouse: Warehouse
) -> None:
    with Sandbox(leads=100) as sandbox:
        warehouse.load(workbench.sync(sandbox))
        (lead,) = [lead for lead in sandbox.workspace.leads() if lead["id"] == warehouse.ids()[0]]
    columns = (
        "email, anonymous, session_count, extract(epoch FROM created_at)::bigint,"
        " location_data, companies, custom_attributes"
    )
    names = (
        "email", "anonymous", "session_count", "created_at",
        "location_data", "companies", "custom_attributes",
    )  # fmt: skip
    assert warehouse.rows(columns)[0] == tuple(lead[name] for name in names)


@pytest.mark.parametrize("hard", [False, True], ids=["soft", "hard"])
def test_deleted_leads_are_marked_or_deleted(
    workbench: Workbench, warehouse: Warehouse, hard: bool
) -> None:
    with Sandbox(leads=300, idle_limit=1.0) as sandbox:
        warehouse.load(workbench.sync(sandbox), hard_delete=hard)
        sandbox.workspace.delete(20)
        warehouse.load(workbench.sync(sandbox), hard_delete=hard)
        assert warehouse.ids() == sorted(ids_of(sandbox))
    assert len(warehouse.rows()) == (280 if hard else 300)


@cases("401@6", "lost@6", "expire@6", "no-id@6")
def test_a_sync_that_fails_midway_deletes_nothing(
    fault: str, workbench: Workbench, warehouse: Warehouse
) -> None:
    with Sandbox(leads=300, faults=[fault]) as sandbox:
        before = workbench.sync(sandbox)
        assert before.code == 0
        warehouse.load(before, hard_delete=True)
        failed = workbench.sync(sandbox, max_restarts=0)
        assert failed.code == 1
        assert 0 < len(failed.records) < 300
        warehouse.load(failed, hard_delete=True)
        assert warehouse.ids() == sorted(ids_of(sandbox))


def test_a_renamed_stream_has_a_table_of_its_name(
    workbench: Workbench, warehouse: Warehouse
) -> None:
    maps = {"contacts": {"__alias__": "leads"}}
    with Sandbox(leads=300, idle_limit=1.0) as sandbox:
        warehouse.load(workbench.sync(sandbox, stream_maps=maps))
        sandbox.workspace.delete(20)
        warehouse.load(workbench.sync(sandbox, stream_maps=maps))
        assert warehouse.ids("leads") == sorted(ids_of(sandbox))


def test_without_activate_version_nothing_is_ever_deleted(
    workbench: Workbench, warehouse: Warehouse
) -> None:
    with Sandbox(leads=300) as sandbox:
        for _ in range(2):
            run = workbench.sync(sandbox, emit_activate_version_messages=False)
            assert "ACTIVATE_VERSION" not in run.kinds
            warehouse.load(run, hard_delete=True)
            sandbox.workspace.delete(20)
    assert len(warehouse.ids()) == 300


def test_versions_grow_from_sync_to_sync(workbench: Workbench) -> None:
    with Sandbox(leads=1) as sandbox:
        runs = [workbench.sync(sandbox) for _ in range(3)]
    versions = [run.messages[-2]["version"] for run in runs]
    assert versions == sorted(set(versions))
    assert [run.messages[1]["version"] for run in runs] == versions


def test_flattened_leads_arrive_in_columns(workbench: Workbench, warehouse: Warehouse) -> None:
    with Sandbox(leads=300) as sandbox:
        run = workbench.sync(sandbox, flattening_enabled=True, flattening_max_depth=1)
        assert run.code == 0, run.log
        warehouse.load(run)
        cities = {
            lead["id"]: (lead.get("location_data") or {}).get("city_name")
            for lead in sandbox.workspace.leads()
        }
    assert dict(warehouse.rows("id, location_data__city_name")) == cities
