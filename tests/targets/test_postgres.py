"""After a sync, a real PostgreSQL has the leads that Intercom has."""

from __future__ import annotations

import json
from pathlib import Path

from support.cases import cases
from support.records import validator
from support.tap import Run, Workbench, ids_of
from support.warehouse import Warehouse

from demo import meltano
from tap_leads.sandbox import Sandbox

FLATTENED = {
    "flattening_enabled": True,
    "flattening_max_depth": 1,
    "typed_custom_attributes": True,
}


def test_meltano_loads_5000_leads_exactly_once(warehouse: Warehouse, tmp_path: Path) -> None:
    with Sandbox(leads=5_000) as sandbox:
        env = meltano.tap_settings(sandbox)
        env |= meltano.target_settings(warehouse.server, warehouse.schema)
        done = meltano.run("run", "tap-leads", "target-postgres", folder=tmp_path, env=env)
        assert done.returncode == 0, done.stdout
        assert warehouse.ids() == sorted(ids_of(sandbox))


def test_each_field_has_a_column_of_its_type(warehouse: Warehouse) -> None:
    with Sandbox(leads=100, faults=["types@*"]) as sandbox:
        run = warehouse.sync(sandbox, **FLATTENED)
    valid = validator(run.messages[0]["schema"])
    for record in run.records:
        valid.validate(record)
    expected = {
        "email": "text",
        "anonymous": "boolean",
        "session_count": "bigint",
        "created_at": "timestamp without time zone",
        "additional_fields": "text",
        "location_data__city_name": "text",
        "custom_attributes__team_size": "bigint",
    }
    assert warehouse.columns() | expected == warehouse.columns()


@cases(True, False)
def test_deleted_leads_are_deleted_unless_that_is_off(emit: bool, warehouse: Warehouse) -> None:
    with Sandbox(leads=300, idle_limit=1.0) as sandbox:
        held = ids_of(sandbox)
        warehouse.sync(sandbox, emit_activate_version_messages=emit)
        sandbox.workspace.delete(20)
        run = warehouse.sync(sandbox, emit_activate_version_messages=emit)
        left = ids_of(sandbox) if emit else held
    assert ("ACTIVATE_VERSION" in run.kinds) == emit
    assert [identity for (identity,) in warehouse.rows()] == sorted(left)


def test_versions_grow_from_sync_to_sync(workbench: Workbench) -> None:
    with Sandbox(leads=1) as sandbox:
        runs = [workbench.sync(sandbox) for _ in range(3)]
    versions = [run.messages[-2]["version"] for run in runs]
    assert versions == sorted(set(versions))
    assert [run.messages[1]["version"] for run in runs] == versions


QUESTION = "Which of these best describes your current role in the company you work for?"
CYRILLIC = "Каким образом вы узнали о нас в первый раз?"  # noqa: RUF001
FIRST = ["Plan", QUESTION, CYRILLIC, "team_size"]
LATER = [QUESTION + " (other)", CYRILLIC + " (другое)", "plan", "PLAN"]


def sync_attributes(warehouse: Warehouse, attributes: list[str]) -> tuple[Run, dict[str, str]]:
    """Syncs a workspace of one lead, which has these attributes, the oldest first.

    Returns:
        The run, and the value of each attribute -> the column that has it.
    """
    # Intercom does not document their order; here, the newest is first.
    definitions = [
        {"name": name, "data_type": "string", "custom": True, "created_at": number}
        for number, name in enumerate(attributes)
    ][::-1]
    lead = {"id": "1", "custom_attributes": {name: f"= {name}" for name in attributes}}
    page = {"type": "contact.list", "scroll_param": "s", "contacts": [lead]}
    faults = [
        f"data_attributes/body@*:{json.dumps({'data_attributes': definitions})}",
        f"body@1:{json.dumps(page)}",
        f"body@2:{json.dumps(page | {'contacts': []})}",
    ]
    with Sandbox(leads=1, faults=faults) as sandbox:
        run = warehouse.sync(sandbox, **FLATTENED)
    names = [name for name in warehouse.columns() if name.startswith("custom_attributes__")]
    quoted = ", ".join('"' + name.replace("%", "%%") + '"' for name in names)
    (row,) = warehouse.rows(quoted)
    return run, {value: name for name, value in zip(names, row, strict=True) if value is not None}


def test_long_and_similar_names_have_columns_that_stay(warehouse: Warehouse) -> None:
    """Each attribute has a column of its own, which stays when attributes are added."""
    run, before = sync_attributes(warehouse, FIRST)
    assert before.keys() == {f"= {name}" for name in FIRST}
    _, after = sync_attributes(warehouse, FIRST + LATER)
    assert after.keys() == {f"= {name}" for name in FIRST + LATER}
    assert after | before == after
    assert all(len(name.encode()) <= 63 for name in after.values())
    assert len({name.casefold() for name in after.values()}) == len(after)
    assert before["= Plan"] == "custom_attributes__Plan"
    column = before[f"= {CYRILLIC}"]
    (line,) = [line for line in run.lines("INFO") if CYRILLIC in line]
    assert column in line
    description = run.messages[0]["schema"]["properties"][column]["description"]
    assert f"custom_attributes__{CYRILLIC}" in description
