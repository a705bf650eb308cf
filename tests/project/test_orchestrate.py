"""Many workspaces through a real Airflow into a real PostgreSQL.

Two of four workspaces run at a time. One has a wrong token, another an Intercom that never
responds, and five more entries are wrong. This takes minutes, so only `.ci/run` does it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from support.cases import cases

from demo.airflow import START_SECONDS
from demo.airflow.api import Run
from demo.airflow.machine import checkout
from demo.airflow.server import AirflowServer
from demo.airflow.workspaces import connections, loaded, settings
from demo.environments import installed
from demo.postgres import PostgresServer
from tap_leads.sandbox import Sandbox

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(900)]

AT_ONCE = 2
LARGE, SMALL = "tap-leads--large", "tap-leads--small"
REFUSED, STUCK = "tap-leads--refused", "tap-leads--stuck"
LEADS = {LARGE: 3_000, SMALL: 300, REFUSED: 1_000, STUCK: 1}
TOKENS = {name: f"t0ken-of-{name}" for name in LEADS}
# Smallest first, so that the right order is not that of the list.
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
    annotations: {airflow: {leads: 1000, schedule: null, owner: growth, queue: small-ones}}
  - name: tap-leads--wrong
    inherit_from: tap-leads
    annotations: {airflow: {hours: "24h"}}
  - name: tap-leads--pod
    inherit_from: tap-leads
    annotations: {airflow: {executor_config: {pod_override: {spec: {}}}}}
  # Meltano would refuse the whole list because of each of these.
  - tap-leads--text
  - name: tap-leads--empty
    inherit_from: tap-leads
    annotations:
  - name: tap-leads--small
    inherit_from: tap-leads
  - name: tap-leads--large
    inherit_from: tap-leads
    load_schema: of_its_own
    annotations: {airflow: {leads: 3000, schedule: null}}
"""
ALERTING = """
def notify(context):
    with open({file!r}, "a") as file:
        print(context["dag"].dag_id, file=file)
"""


@pytest.fixture(scope="module")
def outcome(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer
) -> Iterator[SimpleNamespace]:
    """Runs all workspaces; the state after the end of the runs, and of Airflow."""
    folder = tmp_path_factory.mktemp("airflow")
    (folder / "tmp").mkdir()
    (folder / "alerting.py").write_text(ALERTING.format(file=str(folder / "alerts")))
    held = {TOKENS[name]: leads for name, leads in LEADS.items() if name != REFUSED}
    with Sandbox(workspaces=held) as box, Sandbox(faults=["hang@*"], token=TOKENS[STUCK]) as stuck:
        project = checkout(folder / "project", WORKSPACES.replace("STUCK", stuck.url))
        env = settings(box.url, postgres, folder) | connections(TOKENS)
        env |= {"PYTHONPATH": str(folder), "WORKSPACES_ON_FAILURE": "alerting:notify"}
        env |= {"MELTANO_PROJECT_ROOT": str(project), "TMPDIR": str(folder / "tmp")}
        program = installed("airflow") / "airflow"
        with AirflowServer(folder / "airflow", program, project=project, env=env) as airflow:
            api = airflow.api
            api.wait_for_dags(TOKENS, START_SECONDS)
            first = [api.trigger(name) for name in (STUCK, SMALL, REFUSED, LARGE)]
            again = api.trigger(STUCK)
            api.wait_for_runs(lambda runs: sum(run.state == "running" for run in runs) == 4, 120)
            api.set_pool("tap_leads", AT_ONCE)
            seen: list[psutil.Process] = []

            def is_stuck(runs: list[Run]) -> bool:
                seen[:] = [
                    process
                    for process in psutil.process_iter(["cmdline"])
                    if f"/run/{STUCK}/" in " ".join(process.info["cmdline"] or ())
                ]
                return bool(seen) or all(run.is_over for run in runs)

            twice = [run.state for run in api.wait_for_runs(is_stuck, 300) if run.dag == STUCK]
            api.set_pool("tap_leads", 0)  # all have started but the last
            ended = api.wait_for_runs(
                lambda runs: all(run.is_over for run in runs if run.identity != again), 300
            )
            runs = {run.dag: run for run in ended if run.identity in first}
            outcome = SimpleNamespace(
                folder=folder,
                sandbox=box,
                runs=runs,  # the first one of each workspace
                logs={dag: airflow.log(run) for dag, run in runs.items()},
                dags={name: api.dag(name) for name in TOKENS},
                import_errors=api.import_errors(),
                stuck_twice=sorted(twice),  # the states of its two runs, while one was running
                stuck=seen,  # its processes
                alive=psutil.wait_procs(seen, timeout=10)[1],  # those that survived the run
            )
        yield outcome


@cases((LARGE, "of_its_own"), (SMALL, "tap_leads__small"))
def test_a_workspace_arrives_completely_whatever_happens_to_others(
    dag: str, schema: str, outcome: Any, postgres: PostgresServer
) -> None:
    assert outcome.runs[dag].state == "success", outcome.logs[dag]
    workspace = outcome.sandbox.workspaces[TOKENS[dag]]
    rows = loaded(postgres, schema, workspace.app_id)
    assert sorted(rows) == sorted(lead["id"] for lead in workspace.leads())


def test_a_wrong_token_fails_at_once(outcome: Any, postgres: PostgresServer) -> None:
    run = outcome.runs[REFUSED]
    assert (run.state, run.tries) == ("failed", 1)
    assert outcome.dags[REFUSED]["task"]["retries"] == 3
    assert "401" in outcome.logs[REFUSED]
    assert postgres.query("SELECT id FROM tap_leads__refused.contacts") == []


def test_no_token_is_written_down(outcome: Any, postgres: PostgresServer) -> None:
    """Neither in a log, nor in Airflow's database with its templates and XComs, nor by Meltano."""
    files = [path for path in outcome.folder.rglob("*") if path.is_file() and not path.is_symlink()]
    contents = {str(path.relative_to(outcome.folder)): path.read_bytes() for path in files}
    assert b"rendered_task_instance_fields" in contents["airflow/airflow.db"]
    assert sum(b"tap-leads--large" in content for content in contents.values()) > 2
    assert not list((outcome.folder / "tmp").rglob("*.json")), "files of the runs"
    assert [name for name, content in contents.items() if b"t0ken-of-" in content] == []
    tables = [postgres.query(f"SELECT * FROM {t}") for t in ("runs", "state", "plugin_settings")]
    assert "t0ken-of-" not in repr(tables)


def test_the_largest_start_first_and_no_more_than_the_pool_allows(outcome: Any) -> None:
    began = {dag: datetime.fromisoformat(run.began or "") for dag, run in outcome.runs.items()}
    lasted = {dag: timedelta(seconds=run.seconds or 0) for dag, run in outcome.runs.items()}
    by_size = sorted(LEADS, key=lambda dag: -LEADS[dag])
    assert max(began[dag] for dag in by_size[:2]) < began[SMALL] < began[STUCK]
    for moment in began.values():
        assert sum(began[dag] <= moment < began[dag] + lasted[dag] for dag in began) <= AT_ONCE


def test_a_run_that_takes_too_long_is_ended_with_all_its_processes(outcome: Any) -> None:
    """A run that is started by hand waits for the one before."""
    assert outcome.stuck_twice == ["queued", "running"]
    assert outcome.runs[STUCK].state == "failed"
    assert outcome.stuck
    assert outcome.alive == []


def test_a_wrong_entry_is_an_import_error_that_names_it_and_affects_no_other(outcome: Any) -> None:
    [error] = outcome.import_errors
    for words in (
        "tap-leads--wrong: ",
        "hours",
        "tap-leads--pod: `pod_override` needs",
        "entry 6: ",
        "tap-leads--empty: ",
        "tap-leads--small: its name is used twice",
    ):
        assert words in error
    assert not any(f"{name}: " in error for name in LEADS if name != SMALL)


def test_the_failure_callback_is_called_when_a_run_has_failed_for_good(outcome: Any) -> None:
    assert sorted((outcome.folder / "alerts").read_text().split()) == [REFUSED, STUCK]


def test_a_dag_has_the_options_of_its_entry_and_says_what_to_do_when_it_fails(outcome: Any) -> None:
    """A failed run is repeated after the idle minute and Meltano's five."""
    large, refused = outcome.dags[LARGE], outcome.dags[REFUSED]
    assert "tap_leads__large" in large["doc_md"], "the connection with the token"
    assert "When it fails" in large["doc_md"]
    assert (large["task"]["retries"], large["task"]["retry_delay"]["seconds"]) == (3, 360)
    assert refused["owners"] == ["growth"]
    assert (refused["task"]["queue"], large["task"]["queue"]) == ("small-ones", "default")
