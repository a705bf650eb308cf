"""The loader's settings in meltano.yml are fast, and load exactly what its defaults load.

`use_copy: true` and `validate_records: false` take a third of the time. What one load leaves is
compared with what the same messages leave with the loader's defaults: columns, types, every value,
and which rows are deleted or marked.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from typing import Any

import pytest
import yaml
from support.cases import cases
from support.tap import Run, Workbench
from support.warehouse import Warehouse

from demo.meltano import ROOT
from demo.postgres import PostgresServer
from proof.targets import extracts
from tap_leads.sandbox import Sandbox

DEFAULTS: dict[str, Any] = {"use_copy": False, "validate_records": True}
# Of the loader's own columns, those that differ from load to load.
OWN = "'{_sdc_received_at,_sdc_batched_at,_sdc_sequence,_sdc_sync_started_at,_sdc_deleted_at}'"

FAST = {"use_copy": True, "validate_records": False}


def same_rows(
    runs: Sequence[Run | extracts.Extract],
    warehouse: Warehouse,
    table: str = "contacts",
    **settings: object,
) -> list[tuple[Any, bool]]:
    """Checks that both ways to load leave the same; returns each row, and if it is deleted."""
    left = []
    values = f"to_jsonb({table}) - {OWN}::text[], _sdc_deleted_at IS NOT NULL"
    for how in (FAST, DEFAULTS):
        own = Warehouse.empty(warehouse.server, warehouse.folder)
        for run in runs:
            own.load(run.output, **settings, **how)
        rows = sorted(own.rows(values, table), key=lambda row: json.dumps(row, sort_keys=True))
        left.append((own.columns(), rows))
    assert left[0] == left[1]
    return left[0][1]


def test_the_project_uses_copy_and_leaves_the_check_to_the_tap() -> None:
    (loader, _) = yaml.safe_load((ROOT / "meltano.yml").read_text())["plugins"]["loaders"]
    values = {setting["name"]: setting.get("value") for setting in loader["settings"]}
    assert values.items() >= FAST.items()


@cases(*((way, False) for way in extracts.WAYS), ("default", True))
def test_values_types_and_deletes_are_the_same(way: str, hard: bool, warehouse: Warehouse) -> None:
    """Half of the leads are malformed; between the syncs, leads change, go and come."""
    rows = same_rows(extracts.two_syncs(way), warehouse, hard_delete=hard)
    gone = 0 if hard else extracts.DELETED
    assert len(rows) == extracts.LEADS - extracts.DELETED + extracts.ADDED + gone
    assert sum(deleted for _, deleted in rows) == gone


def test_a_repeated_load_is_the_same(warehouse: Warehouse) -> None:
    assert len(same_rows([extracts.leads("default")] * 2, warehouse)) == extracts.LEADS


def test_several_workspaces_in_one_table_are_the_same(warehouse: Warehouse) -> None:
    assert len(same_rows(extracts.two_workspaces("default"), warehouse)) == 2 * extracts.LEADS


def test_a_renamed_stream_is_the_same(workbench: Workbench, warehouse: Warehouse) -> None:
    maps = {"contacts": {"__alias__": "leads"}}
    with Sandbox(leads=300, idle_limit=1.0, faults=["types@*"]) as sandbox:
        first = workbench.sync(sandbox, stream_maps=maps)
        sandbox.workspace.delete(20)
        runs = [first, workbench.sync(sandbox, stream_maps=maps)]
    assert sum(deleted for _, deleted in same_rows(runs, warehouse, "leads")) == 20


@cases("401@6", "lost@6", "expire@6", "no-id@6")
def test_a_failed_sync_deletes_nothing(
    fault: str, workbench: Workbench, warehouse: Warehouse
) -> None:
    with Sandbox(leads=300, faults=[fault]) as sandbox:
        runs = [workbench.sync(sandbox), workbench.sync(sandbox, max_restarts=0)]
    assert [run.code for run in runs] == [0, 1]
    assert 0 < len(runs[1].records) < 300
    assert len(same_rows(runs, warehouse, hard_delete=True)) == 300


TYPES: dict[str, tuple[dict[str, object], object]] = {
    "string": ({"type": ["string", "null"]}, "text"),
    "integer": ({"type": ["integer", "null"]}, 2),
    "float": ({"type": ["number", "null"]}, 0.5),
    "boolean": ({"type": ["boolean", "null"]}, True),
    "date": ({"type": ["string", "null"], "format": "date-time"}, "2026-01-02T03:04:05Z"),
}
"""Intercom's type of an attribute -> its schema and a value."""


def sync_of(**kinds: str) -> bytes:
    """A sync of one lead that has an attribute of a type in each of these columns."""
    properties = {"id": {"type": "string"}} | {name: TYPES[kind][0] for name, kind in kinds.items()}
    record = {"id": "a"} | {name: TYPES[kind][1] for name, kind in kinds.items()}
    messages: list[dict[str, object]] = [
        {"type": "SCHEMA", "schema": {"properties": properties}, "key_properties": ["id"]},
        {"type": "RECORD", "record": record},
    ]
    lines = [json.dumps(message | {"stream": "contacts"}) for message in messages]
    return "\n".join(lines).encode()


@pytest.fixture(scope="module")
def each_type(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A lead that has an attribute of each type, in a column of that name."""
    warehouse = Warehouse.empty(postgres, tmp_path_factory.mktemp("types"))
    warehouse.load(sync_of(**{kind: kind for kind in TYPES}))
    return warehouse


@cases(
    ("string", "integer", ("2", "2")),
    ("string", "float", ("0.5", "0.5")),
    ("string", "boolean", ("t", "true")),
    ("float", "integer", (2, 2)),
    ("integer", "float", ("fails", 1)),
    ("integer", "string", ("fails", "fails")),
    ("boolean", "integer", ("fails", "fails")),
    ("string", "date", ("2026-01-02 03:04:05+00:00", "2026-01-02 03:04:05")),
    ("date", "string", ("fails", "fails")),
)
def test_an_attribute_that_changes_its_type(
    before: str, after: str, values: tuple[object, object], each_type: Warehouse
) -> None:
    """As docs/targets.md tells: the defaults round 0.5 to 1 and end well, COPY fails."""
    for how, value in zip((FAST, DEFAULTS), values, strict=True):
        copy = each_type.copy()
        try:
            copy.load(sync_of(**{before: after}), **how)
        except subprocess.CalledProcessError:
            assert value == "fails"
        else:
            assert copy.rows(f'to_jsonb("{before}")') == [(value,)]


def test_a_column_of_another_type_can_be_renamed(warehouse: Warehouse) -> None:
    """Then the next sync makes a new one."""
    warehouse.load(sync_of(attribute="integer"), **FAST)
    table = f'"{warehouse.schema}".contacts'
    warehouse.server.query(f"ALTER TABLE {table} RENAME COLUMN attribute TO attribute_old")
    warehouse.load(sync_of(attribute="string"), **FAST)
    assert warehouse.rows("attribute, attribute_old") == [("text", 2)]
