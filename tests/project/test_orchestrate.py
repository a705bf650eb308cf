"""Many workspaces through a real Airflow into a real PostgreSQL.

One night of four workspaces, two at a time: one has a wrong token, another an Intercom that never
answers. It is long, so that `make test` leaves it to `.ci/run`.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import psutil
import pytest

from demo.airflow import connections, loaded, settings
from demo.airflow_server import AirflowServer, Run
from demo.meltano import ROOT
from demo.postgres import PostgresServer
from tap_leads.sandbox import Sandbox

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(420)]

AT_ONCE = 2
LARGE, SMALL = "tap-leads--large", "tap-leads--small"
REFUSED, STUCK = "tap-leads--refused", "tap-leads--stuck"
LEADS = {LARGE: 3_000, SMALL: 300, REFUSED: 1_000, STUCK: 1}
# Smallest first, as Airflow shall not owe the right order to the list's.
WORKSPACES = """
plugins:
  extractors:
  - name: tap-leads--stuck
    inherit_from: tap-leads
    config: {api_url: STUCK}
    annotations: {airflow: {leads: 1, schedule: null, retries: 0, hours: 0.0125}}
  - name: tap-leads--small
    inherit_from: tap-leads
    annotations: {airflow: {leads: 300, schedule: null, retries: 0}}
  - name: tap-leads--refused
    inherit_from: tap-leads
    annotations: {airflow: {leads: 1000, schedule: null, retries: 0}}
  - name: tap-leads--large
    inherit_from: tap-leads
    load_schema: of_its_own
    annotations: {airflow: {leads: 3000, schedule: null}}
"""


@dataclass(frozen=True)
class Night:
    """What is left of it."""

    folder: Path
    sandbox: Sandbox
    server: PostgresServer
    tokens: dict[str, str]
    runs: dict[str, Run]
    logs: dict[str, str]
    task: dict[str, object]
    stuck_twice: list[str]
    seen: int
    left: int

    def loaded(self, dag: str, schema: str) -> list[str]:
        workspace = self.sandbox.workspaces[self.tokens[dag]]
        return sorted(loaded(self.server, schema, workspace.app_id))

    def leads(self, dag: str) -> list[str]:
        return sorted(lead["id"] for lead in self.sandbox.workspaces[self.tokens[dag]].leads())


def project(folder: Path, stuck: str) -> Path:
    """A Meltano project that differs from this one in its list of workspaces."""
    folder.mkdir()
    shutil.copy(ROOT / "meltano.yml", folder)
    shutil.copytree(ROOT / "orchestrate/dags", folder / "orchestrate/dags")
    listed = folder / "orchestrate/workspaces.meltano.yml"
    listed.write_text(WORKSPACES.replace("STUCK", stuck))
    return folder


def processes(words: str) -> list[psutil.Process]:
    """The processes with these words in their command."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if words in " ".join(process.info["cmdline"] or ())
    ]


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer) -> Iterator[Night]:
    """The night, told once."""
    folder = tmp_path_factory.mktemp("airflow")
    tokens = {name: f"t0ken-of-{name}" for name in LEADS}
    held = {tokens[name]: leads for name, leads in LEADS.items() if name != REFUSED}
    with Sandbox(workspaces=held) as box, Sandbox(faults=["hang@*"], token=tokens[STUCK]) as stuck:
        root = project(folder / "project", stuck.url)
        env = settings(box.url, postgres, folder, MELTANO_PROJECT_ROOT=str(root))
        env |= connections(tokens)
        (folder / "airflow").mkdir()
        dags, pools = root / "orchestrate/dags", {"tap_leads": 0}
        with AirflowServer(folder / "airflow", dags=dags, env=env, pools=pools) as airflow:
            airflow.wait_for_dags(tokens)
            task = airflow.task(LARGE)
            first = [airflow.trigger(name) for name in (STUCK, SMALL, REFUSED, LARGE)]
            again = airflow.trigger(STUCK)
            airflow.wait(lambda runs: sum(run.state == "running" for run in runs) == 4, 60)
            airflow.set_pool("tap_leads", AT_ONCE)
            seen: list[psutil.Process] = []

            def is_stuck(runs: list[Run]) -> bool:
                seen[:] = processes(f"{folder}/meltano/run/{STUCK}/")
                return bool(seen) or all(run.is_over for run in runs)

            stuck_twice = [run.state for run in airflow.wait(is_stuck, 120) if run.dag == STUCK]
            runs = airflow.wait(
                lambda runs: all(run.is_over for run in runs if run.identity != again), 120
            )
            deadline = time.monotonic() + 10
            while any(map(psutil.Process.is_running, seen)) and time.monotonic() < deadline:
                time.sleep(0.1)
            left = sum(map(psutil.Process.is_running, seen))
            told = {run.dag: run for run in runs if run.identity in first}
            logs = {dag: airflow.log(run) for dag, run in told.items()}
        yield Night(
            folder, box, postgres, tokens, told, logs, task, sorted(stuck_twice), len(seen), left
        )


@pytest.mark.parametrize(("dag", "schema"), [(LARGE, "of_its_own"), (SMALL, "tap_leads__small")])
def test_a_workspace_arrives_completely_whatever_becomes_of_others(
    night: Night, dag: str, schema: str
) -> None:
    assert night.runs[dag].state == "success", night.logs[dag]
    assert night.loaded(dag, schema) == night.leads(dag)


def test_a_wrong_token_fails_its_own_workspace_and_says_so(night: Night) -> None:
    assert night.runs[REFUSED].state == "failed"
    assert "401" in night.logs[REFUSED]
    assert night.server.query("SELECT id FROM tap_leads__refused.contacts") == []


def test_no_token_is_written_down(night: Night) -> None:
    """Neither in a log, nor in Airflow's database with its templates and XComs, nor by Meltano."""
    files = [path for path in night.folder.rglob("*") if path.is_file() and not path.is_symlink()]
    contents = {str(path.relative_to(night.folder)): path.read_bytes() for path in files}
    assert b"rendered_task_instance_fields" in contents["airflow/airflow.db"]
    assert sum(b"meltano run --no-install" in content for content in contents.values()) > 4
    assert [name for name, content in contents.items() if b"t0ken-of-" in content] == []
    for table in ("runs", "state", "plugin_settings"):
        rows = night.server.query(f"SELECT * FROM {table}")
        assert "t0ken-of-" not in repr(rows)


def test_the_largest_start_first_and_no_more_than_the_pool_lets_in(night: Night) -> None:
    began = {dag: datetime.fromisoformat(run.began or "") for dag, run in night.runs.items()}
    lasted = {dag: timedelta(seconds=run.seconds or 0) for dag, run in night.runs.items()}
    by_size = sorted(LEADS, key=lambda dag: -LEADS[dag])
    assert max(began[dag] for dag in by_size[:2]) < began[SMALL] < began[STUCK]
    for moment in began.values():
        assert sum(began[dag] <= moment < began[dag] + lasted[dag] for dag in began) <= AT_ONCE


def test_a_run_that_takes_too_long_is_ended_with_all_its_processes(night: Night) -> None:
    assert night.runs[STUCK].state == "failed"
    assert night.seen > 0
    assert night.left == 0


def test_a_run_that_is_started_by_hand_waits_for_the_one_before(night: Night) -> None:
    assert night.stuck_twice == ["queued", "running"]


def test_a_failed_run_is_repeated_after_the_idle_minute_and_meltanos_five(night: Night) -> None:
    assert night.task["retries"] == 3
    assert night.task["retry_delay"] == {
        "__type": "TimeDelta",
        "days": 0,
        "seconds": 360,
        "microseconds": 0,
    }
