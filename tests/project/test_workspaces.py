"""The list of workspaces: one entry is a Meltano plugin and an Airflow DAG.

What Airflow makes of it is in test_orchestrate.py.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from support.tap import Workbench, ids_of
from support.warehouse import Warehouse

from demo import meltano
from demo.airflow.workspaces import WORKSPACES, loaded, settings
from demo.meltano import ROOT
from demo.postgres import PostgresServer
from tap_leads.sandbox import Sandbox

LIST = ROOT / "orchestrate/workspaces.meltano.yml"
PLUGINS = {
    plugin["name"]: plugin for plugin in yaml.safe_load(LIST.read_text())["plugins"]["extractors"]
}
NAMES = [name for name in PLUGINS if name.startswith("tap-leads--")]
TOKENS = {"acme": 700, "globex": 500, "initech": 300}


def check(tmp_path: Path, text: str) -> tuple[int, list[str]]:
    """The check of a list; returns exit code and lines."""
    file = tmp_path / "workspaces.meltano.yml"
    file.write_text(text)
    command = [sys.executable, "-m", "orchestrate.check", str(file)]
    done = subprocess.run(command, capture_output=True, check=False, cwd=ROOT, timeout=60)
    return done.returncode, (done.stderr + done.stdout).decode().splitlines()


def entry(options: str, name: str = "tap-leads--bad") -> str:
    return f"  - {{name: {name}, inherit_from: tap-leads, annotations: {{airflow: {options}}}}}\n"


HEAD = "plugins:\n  extractors:\n"
GOOD = entry("{leads: 10, schedule: '0 1 * * *'}", "tap-leads--good")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param(entry("{leads: 4e6}"), ["tap-leads--bad: ", "leads"], id="leads"),
        pytest.param(entry("{leads: -1}"), ["tap-leads--bad: ", "leads"], id="negative"),
        pytest.param(entry("{hours: 24h}"), ["tap-leads--bad: ", "hours"], id="hours"),
        pytest.param(entry("{hours: .inf}"), ["tap-leads--bad: ", "hours"], id="no-limit"),
        pytest.param(entry("{hours: 0}"), ["tap-leads--bad: ", "hours"], id="no-time"),
        pytest.param(entry("{retries: true}"), ["tap-leads--bad: ", "retries"], id="retries"),
        pytest.param(entry("{retries: -1}"), ["tap-leads--bad: ", "retries"], id="no-try"),
        pytest.param(entry("{pool: 5}"), ["tap-leads--bad: ", "pool"], id="pool"),
        pytest.param(entry("{queue: ''}"), ["tap-leads--bad: ", "queue"], id="queue"),
        pytest.param(entry("{owner: [x]}"), ["tap-leads--bad: ", "owner"], id="owner"),
        pytest.param(entry("{executor_config: x}"), ["tap-leads--bad: ", "config"], id="executor"),
        pytest.param(entry("{lead: 5}"), ["tap-leads--bad: ", "`lead`"], id="unknown-key"),
        pytest.param(entry("{schedule: 0 25 * * *}"), ["tap-leads--bad: ", "cron"], id="cron"),
        pytest.param(entry("[leads]"), ["tap-leads--bad: ", "array"], id="list"),
        pytest.param(entry("{schedule: 0 0 31 2 *}"), ["tap-leads--bad: ", "cron"], id="never"),
        pytest.param(entry("{schedule: often}"), ["tap-leads--bad: ", "cron"], id="no-cron"),
        pytest.param(entry("").replace("{airflow: }", ""), ["bad: ", "annotations"], id="null"),
        pytest.param(entry("{}", "tap-leads--A_b"), ["tap-leads--A_b: ", "name"], id="name"),
        pytest.param(entry("{}", "tap-leads--a.b"), ["tap-leads--a.b: ", "name"], id="dot"),
        pytest.param(entry("{}", "tap-leads--a b"), ["tap-leads--a b: ", "name"], id="blank"),
        pytest.param(entry("{}", "5"), ["5: ", "name"], id="number"),
        pytest.param(entry("{leads: 5}", "tap-lead-x"), ["tap-lead-x: ", "name"], id="prefix"),
        pytest.param(GOOD, ["tap-leads--good: ", "twice"], id="name-twice"),
        pytest.param("  - {name: tap-leads--bad}\n", ["bad: ", "inherit_from"], id="no-parent"),
        pytest.param("  - {label: x}\n", ["entry 2: ", "name"], id="no-name"),
        pytest.param("  - acme\n", ["entry 2: ", "str"], id="text"),
        pytest.param("  -\n", ["entry 2: ", "null"], id="nothing"),
    ],
)
def test_a_wrong_entry_is_named_with_what_is_wrong_and_the_others_count(
    tmp_path: Path, wrong: str, said: list[str]
) -> None:
    code, [line, total] = check(tmp_path, HEAD + GOOD + wrong)
    assert code == 1
    assert all(words in line for words in said), line
    assert total.endswith("1 right, 1 wrong")


@pytest.mark.parametrize("empty", ["", "annotations: {}", "annotations: {airflow: }"])
def test_an_entry_without_options_is_right(tmp_path: Path, empty: str) -> None:
    text = f"{HEAD}  - name: tap-leads--plain\n    inherit_from: tap-leads\n    {empty}\n"
    assert check(tmp_path, text) == (0, ["workspaces.meltano.yml: 1 right, 0 wrong"])


@pytest.mark.parametrize(
    "text", ["plugins: [", "plugins:\n", "", "- x\n", "plugins: {extractors: }"]
)
def test_a_list_that_cannot_be_read_is_one_clear_failure(tmp_path: Path, text: str) -> None:
    code, lines = check(tmp_path, text)
    assert code == 1
    assert "workspaces.meltano.yml" in lines[0]
    assert not any("Traceback" in line for line in lines)


def test_the_list_of_this_project_is_right() -> None:
    command = [sys.executable, "-m", "orchestrate.check"]
    done = subprocess.run(command, capture_output=True, check=True, cwd=ROOT, timeout=60)
    assert done.stdout.decode() == f"workspaces.meltano.yml: {len(NAMES)} right, 0 wrong\n"


def test_every_entry_of_the_list_has_a_name_and_a_variable_of_its_own() -> None:
    assert all(re.fullmatch(r"tap-leads--[a-z0-9]+(-[a-z0-9]+)*", name) for name in NAMES)
    assert len(PLUGINS) == len(yaml.safe_load(LIST.read_text())["plugins"]["extractors"])
    assert {PLUGINS[name]["inherit_from"] for name in NAMES} <= {"tap-leads", "tap-leads-one-table"}
    assert set(NAMES) == set(WORKSPACES), "the demo shows the workspaces of the list"


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

    machine.sandbox.workspace.occupy(600)  # the first run waits before it scrolls
    with ThreadPoolExecutor() as pool:
        first = pool.submit(run, "meltano")
        deadline = time.monotonic() + 60
        running = "SELECT 1 FROM runs WHERE state = 'RUNNING'"
        while not machine.server.query(running) and time.monotonic() < deadline:
            time.sleep(0.1)
        second = run("another")
        machine.sandbox.workspace.release()
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
