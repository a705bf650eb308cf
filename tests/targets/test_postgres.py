"""After a sync, a real PostgreSQL has the leads that Intercom has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.records import validator
from support.tap import Workbench, ids_of
from support.warehouse import Warehouse

from demo import meltano
from tap_leads.sandbox import Sandbox


def test_meltano_loads_5000_leads_exactly_once(warehouse: Warehouse, tmp_path: Path) -> None:
    with Sandbox(leads=5_000) as sandbox:
        env = meltano.tap_settings(sandbox)
        env |= meltano.target_settings(warehouse.server, warehouse.schema)
        done = meltano.run("run", "tap-leads", "target-postgres", folder=tmp_path, env=env)
        assert done.returncode == 0, done.stdout
        assert warehouse.ids() == sorted(ids_of(sandbox))


def test_each_field_has_a_column_of_its_type(workbench: Workbench, warehouse: Warehouse) -> None:
    flat: dict[str, Any] = {
        "flattening_enabled": True,
        "flattening_max_depth": 1,
        "typed_custom_attributes": True,
    }
    with Sandbox(leads=100, faults=["types@*"]) as sandbox:
        run = workbench.sync(sandbox, **flat)
    assert run.code == 0, run.log
    valid = validator(run.messages[0]["schema"])
    for record in run.records:
        valid.validate(record)
    warehouse.load(run.output)
    assert (
        warehouse.columns().items()
        >= {
            "email": "text",
            "anonymous": "boolean",
            "session_count": "bigint",
            "created_at": "timestamp without time zone",
            "additional_fields": "text",
            "location_data__city_name": "text",
            "custom_attributes__team_size": "bigint",
        }.items()
    )


def test_deleted_leads_are_deleted(workbench: Workbench, warehouse: Warehouse) -> None:
    with Sandbox(leads=300, idle_limit=1.0) as sandbox:
        warehouse.load(workbench.sync(sandbox).output, hard_delete=True)
        sandbox.workspace.delete(20)
        warehouse.load(workbench.sync(sandbox).output, hard_delete=True)
        assert [identity for (identity,) in warehouse.rows()] == sorted(ids_of(sandbox))


def test_without_activate_version_nothing_is_ever_deleted(
    workbench: Workbench, warehouse: Warehouse
) -> None:
    with Sandbox(leads=300) as sandbox:
        for _ in range(2):
            run = workbench.sync(sandbox, emit_activate_version_messages=False)
            assert "ACTIVATE_VERSION" not in run.kinds
            warehouse.load(run.output, hard_delete=True)
            sandbox.workspace.delete(20)
    assert len(warehouse.ids()) == 300


def test_versions_grow_from_sync_to_sync(workbench: Workbench) -> None:
    with Sandbox(leads=1) as sandbox:
        runs = [workbench.sync(sandbox) for _ in range(3)]
    versions = [run.messages[-2]["version"] for run in runs]
    assert versions == sorted(set(versions))
    assert [run.messages[1]["version"] for run in runs] == versions
