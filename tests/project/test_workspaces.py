"""The list of workspaces: one entry is a Meltano plugin and an Airflow DAG.

Airflow is not installed here, so that the DAG file meets a stand-in for it. The real one is in
tests/test_orchestrate.py.
"""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Self

import pytest
import yaml
from support.tap import Workbench, ids_of
from support.warehouse import Warehouse

from demo import meltano
from demo.airflow import WORKSPACES, loaded, settings
from demo.meltano import ROOT
from demo.postgres import PostgresServer
from orchestrate import scale
from tap_leads.sandbox import Sandbox

LIST = ROOT / "orchestrate/workspaces.meltano.yml"
PLUGINS = {
    plugin["name"]: plugin for plugin in yaml.safe_load(LIST.read_text())["plugins"]["extractors"]
}
NAMES = [name for name in PLUGINS if name.startswith("tap-leads--")]
TOKENS = {"acme": 700, "globex": 500, "initech": 300}


@dataclass
class FakeAirflow:
    """As much of Airflow as the DAG file touches; remembers what it was told."""

    dags: dict[str, dict[str, Any]] = field(default_factory=dict)
    tasks: dict[str, Callable[[], str]] = field(default_factory=dict)

    def module(self) -> ModuleType:
        """The stand-in for `airflow.sdk`."""
        airflow = self

        class Dag:
            def __init__(self, name: str, **settings: Any) -> None:
                self.name = name
                airflow.dags[name] = settings

            def __enter__(self) -> Self:
                airflow.dags["open"] = {"name": self.name}
                return self

            def __exit__(self, *_: object) -> None:
                del airflow.dags["open"]

        def bash(**settings: Any) -> Callable[[Callable[[], str]], Callable[[], None]]:
            def decorate(function: Callable[[], str]) -> Callable[[], None]:
                name = airflow.dags["open"]["name"]
                airflow.dags[name] |= settings
                return lambda: airflow.tasks.update({name: function})

            return decorate

        module = ModuleType("airflow.sdk")
        module.DAG = Dag  # type: ignore[attr-defined]
        module.task = SimpleNamespace(bash=bash)  # type: ignore[attr-defined]
        module.Connection = SimpleNamespace(  # type: ignore[attr-defined]
            get=lambda name: SimpleNamespace(password=f"the token of {name}")
        )
        return module


@pytest.fixture
def airflow(monkeypatch: pytest.MonkeyPatch) -> FakeAirflow:
    """What the DAG file made."""
    fake = FakeAirflow()
    monkeypatch.setitem(sys.modules, "airflow", ModuleType("airflow"))
    monkeypatch.setitem(sys.modules, "airflow.sdk", fake.module())
    monkeypatch.delenv("MELTANO_PROJECT_ROOT", raising=False)
    runpy.run_path(str(ROOT / "orchestrate/dags/workspaces.py"))
    return fake


def test_each_workspace_of_the_list_is_a_dag_and_nothing_else_is(airflow: FakeAirflow) -> None:
    assert list(airflow.dags) == list(airflow.tasks) == NAMES


def test_all_dags_share_a_pool_where_the_largest_is_first(airflow: FakeAirflow) -> None:
    assert {dag["pool"] for dag in airflow.dags.values()} == {"tap_leads"}
    assert airflow.dags["tap-leads--acme"]["priority_weight"] == 4_000_000
    assert airflow.dags["tap-leads--initech"]["priority_weight"] == 0


def test_runs_of_a_workspace_never_overlap_and_every_run_has_a_time_limit(
    airflow: FakeAirflow,
) -> None:
    for dag in airflow.dags.values():
        assert dag["max_active_runs"] == 1
        assert not dag["catchup"]
        assert dag["execution_timeout"].total_seconds() > 0
        assert dag["retry_delay"].total_seconds() > 300


def test_a_run_finds_its_own_token_and_no_other_secret(
    airflow: FakeAirflow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = tmp_path / "meltano"
    fake.write_text("#!/bin/sh\nenv; echo $@\n")
    fake.chmod(0o755)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    os.environ["PATH"] = f"{tmp_path}:{os.environ['PATH']}"
    os.environ["AIRFLOW_CONN_TAP_LEADS__GLOBEX"] = "a secret"
    os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = "a secret"
    os.environ["TAP_LEADS_ACCESS_TOKEN"] = "a secret"
    command = airflow.tasks["tap-leads--acme"]()
    assert "token of" not in command
    said = subprocess.run(
        ["bash", "-c", command], capture_output=True, check=True, env=os.environ, timeout=10
    ).stdout.decode()
    assert "TAP_LEADS__ACME_ACCESS_TOKEN=the token of tap_leads__acme\n" in said
    assert "a secret" not in said
    assert said.endswith("run --no-install tap-leads--acme target-postgres\n")


def test_every_entry_of_the_list_has_a_name_and_a_variable_of_its_own() -> None:
    assert all(re.fullmatch(r"tap-leads--[a-z0-9]+(-[a-z0-9]+)*", name) for name in NAMES)
    assert len(PLUGINS) == len(yaml.safe_load(LIST.read_text())["plugins"]["extractors"])
    assert {PLUGINS[name]["inherit_from"] for name in NAMES} <= {"tap-leads", "tap-leads-one-table"}
    assert set(NAMES) == set(WORKSPACES), "the demo shows the workspaces of the list"


def test_the_readmes_sums_are_those_of_the_script() -> None:
    readme = (ROOT / "orchestrate/README.md").read_text().splitlines()
    [command] = [line for line in readme if "orchestrate.scale 1" in line]
    given = command.split("`")[1].split()[3:]
    workspaces = [leads for text in given for leads in scale.sizes(text)]
    assert len(workspaces) == 200
    lines = "\n".join(scale.paper(workspaces, window=24)).splitlines()
    assert [line for line in lines if line and f"    {line}" not in readme] == []


def test_workers_are_enough_when_the_last_workspace_is_in_by_then() -> None:
    assert scale.makespan([5, 4, 3, 3, 3], 2) == 10
    assert scale.makespan([5, 4, 3, 3, 3], 3) == 7
    assert scale.enough([5, 4, 3, 3, 3], 7) == 3
    assert scale.enough([5, 4, 3, 3, 3], 5) == 5
    assert scale.enough([5, 4, 3, 3, 3], 4) is None


@dataclass(frozen=True)
class Machine:
    """Three workspaces that share ids, and what `meltano run` needs to load them."""

    sandbox: Sandbox
    server: PostgresServer
    folder: Path
    env: dict[str, str]

    def leads(self, name: str) -> list[str]:
        return sorted(lead["id"] for lead in self.sandbox.workspaces[name].leads())

    def rows(self, name: str, schema: str) -> list[str]:
        return sorted(loaded(self.server, schema, self.sandbox.workspaces[name].app_id))


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with PostgresServer() as server, Sandbox(workspaces=TOKENS, latency=0.05) as sandbox:
        env = settings(sandbox.url, server, tmp_path)
        env |= {f"TAP_LEADS__{name.upper()}_ACCESS_TOKEN": name for name in TOKENS}
        yield Machine(sandbox, server, tmp_path, env)


def test_the_readmes_xargs_loads_every_workspace_at_once(machine: Machine) -> None:
    """One with a schema of its own, and two that share ids in one table."""
    readme = (ROOT / "orchestrate/README.md").read_text()
    [command] = re.findall(r"^```sh\n(sed -n [^`]*xargs -P [^`]*)```", readme, re.MULTILINE)
    own = {name: value for name, value in os.environ.items() if not name.startswith("TAP_LEADS_")}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    # As the README says: loaders that make the same table at the same time get in each other's way.
    alone = "meltano run --no-install tap-leads--globex target-postgres"
    done = subprocess.run(
        ["bash", "-c", f"{alone} && {command}"],
        capture_output=True,
        check=False,
        cwd=ROOT,
        env=own | machine.env | {"PATH": path},
        timeout=150,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert machine.rows("acme", "tap_leads__acme") == machine.leads("acme")
    assert machine.rows("globex", "leads") == machine.leads("globex")
    assert machine.rows("initech", "leads") == machine.leads("initech")
    assert set(machine.leads("initech")) < set(machine.leads("globex"))


def test_a_second_run_of_a_workspace_is_refused_also_from_another_machine(
    machine: Machine,
) -> None:
    """All that the two share is Meltano's system database."""

    def run(home: str) -> subprocess.CompletedProcess[str]:
        folder = machine.folder / home
        folder.mkdir(exist_ok=True)
        env = machine.env | {"MELTANO_SYS_DIR_ROOT": str(folder), "TAP_LEADS_SCROLL_EXPIRY": "1"}
        return meltano.run("run", "tap-leads--acme", "target-postgres", folder=folder, env=env)

    machine.sandbox.workspace.occupy(12)  # the first run waits before it scrolls
    with ThreadPoolExecutor() as pool:
        first = pool.submit(run, "meltano")
        deadline = time.monotonic() + 60
        running = "SELECT 1 FROM runs WHERE state = 'RUNNING'"
        while not machine.server.query(running) and time.monotonic() < deadline:
            time.sleep(0.1)
        second = run("another")
    assert second.returncode != 0
    assert "already running" in second.stdout
    assert first.result().returncode == 0, first.result().stdout
    assert machine.rows("acme", "tap_leads__acme") == machine.leads("acme")


def test_workspaces_that_share_ids_and_a_table_neither_replace_nor_delete_each_others_leads(
    workbench: Workbench, warehouse: Warehouse
) -> None:
    in_one_table = PLUGINS["tap-leads-one-table"]["config"]
    with Sandbox(workspaces={"large": 250, "small": 120}, idle_limit=1.0) as sandbox:
        for token in ("large", "small", "large"):
            run = workbench.sync(sandbox, access_token=token, **in_one_table)
            assert run.code == 0, run.log
            warehouse.load(run)
        expected = [
            (workspace.app_id, lead["id"])
            for workspace in sandbox.workspaces.values()
            for lead in workspace.leads()
        ]
        assert len({identity for _, identity in expected}) == len(ids_of(sandbox)) == 250
    rows = warehouse.rows("app_id, id, _sdc_deleted_at")
    assert sorted((app, identity) for app, identity, _ in rows) == sorted(expected)
    assert {deleted for *_, deleted in rows} == {None}
