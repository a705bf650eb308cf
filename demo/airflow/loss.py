"""Three workspaces on two machines, one of which is lost in the middle of a run."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from demo.airflow import START_SECONDS, wait_for
from demo.airflow.api import Run
from demo.airflow.executors import Executor
from demo.airflow.machine import Machine, checkout
from demo.airflow.server import AirflowServer
from demo.airflow.workspaces import WORKSPACES, connections, loaded, settings, workspace_list
from demo.check import compare
from demo.environments import installed
from demo.postgres import PostgresServer
from demo.table import table
from tap_leads.sandbox import Sandbox

LOST = next(iter(WORKSPACES))  # the largest, which starts first
PAGES_BEFORE_LOSS = 5
IDLE = 5.0
"""Seconds until the sandbox closes an unused scroll."""
SECONDS = 600
HEARTBEATS = {
    # By default, a run is lost after 300 s without a heartbeat, and Airflow looks every 10 s.
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "2",
    "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",  # for a slow machine
}
_HEADS = ("workspace", "tries: machine", "state", "leads", "schema", "rows", "complete")


@contextmanager
def running(
    executor: Executor,
    machines: Sequence[Machine],
    sandbox: Sandbox,
    server: PostgresServer,
    folder: Path,
) -> Iterator[AirflowServer]:
    """Runs Airflow with a worker on each machine.

    Args:
        executor: The executor that hands out the runs.
        machines: The machines, which are set up.
        sandbox: Serves the workspaces.
        server: Takes the leads and Meltano's state.
        folder: Takes all other files.
    """
    airflow = AirflowServer(
        folder / "airflow",
        installed(executor.pins) / "airflow",
        project=checkout(folder / "project", workspace_list()),
        env=HEARTBEATS | connections(dict(zip(WORKSPACES, sandbox.workspaces, strict=True))),
    )
    workers = airflow.workers | HEARTBEATS | settings(sandbox.url, server, folder)
    workers["TAP_LEADS_SCROLL_EXPIRY"] = str(int(IDLE))
    for name in ("MELTANO_SYS_DIR_ROOT", "XDG_STATE_HOME"):  # each machine has its own
        del workers[name]
    with ExitStack() as stack:
        both = stack.enter_context(executor.running(airflow.url, server))
        airflow.env |= both
        stack.enter_context(airflow)
        for machine in machines:
            stack.enter_context(machine.start(workers | both, executor.worker(machine.name)))
        airflow.api.wait_for_dags(WORKSPACES, START_SECONDS)
        for machine in machines:
            machine.wait_until_ready(executor.ready)
        yield airflow


def memory(airflow: AirflowServer, machines: Sequence[Machine]) -> str:
    """The memory of Airflow and of each machine."""
    used = [f"machine {machine.name} {machine.processes.memory()}" for machine in machines]
    return ", ".join([f"Airflow {airflow.processes.memory()}", *used])


def lose_one_midway(
    airflow: AirflowServer, machines: Sequence[Machine], sandbox: Sandbox, server: PostgresServer
) -> list[Run]:
    """Starts all workspaces, loses the machine of the largest, and waits for the runs' ends."""
    for name in WORKSPACES:
        airflow.api.trigger(name)
    airflow.api.set_pool("tap_leads", 4)
    scroll = sandbox.workspaces[f"{LOST}-token"]
    wait_for(
        lambda: len(scroll.history) >= PAGES_BEFORE_LOSS,
        lambda: f"{LOST} did not start.",
        SECONDS,
    )
    # Airflow may have given the run to both workers, and then refuses it to one. So the processes
    # tell which machine has it.
    [lost] = [machine for machine in machines if machine.processes.have_argument(LOST)]
    print(f"   memory with the runs: {memory(airflow, machines)}")
    print(f"5. Machine {lost.name} is lost: all its processes are killed, in the middle of {LOST}")
    lost.processes.kill()
    # Meltano refuses a workspace until its run has been silent for five minutes.
    server.query(
        "UPDATE runs SET last_heartbeat_at = last_heartbeat_at - interval '5 minutes'"
        " WHERE state = 'RUNNING'"
    )
    print("   Airflow and Meltano wait five minutes each for a lost run; here, 20 s and none")
    began = time.monotonic()
    runs = airflow.api.wait_for_runs(
        lambda runs: len(runs) >= len(WORKSPACES) and all(run.is_over for run in runs), SECONDS
    )
    print(f"6. All runs ended {time.monotonic() - began:.0f} s later\n")
    return runs


def report(
    runs: Sequence[Run], machines: Sequence[Machine], sandbox: Sandbox, server: PostgresServer
) -> int:
    """Compares the leads of each workspace with the rows in PostgreSQL; returns the exit code.

    Prints a line for each workspace with the machines that it ran on, and the logs of failed ones.
    """
    states = {run.dag: run.state for run in runs}
    tries = sorted(
        (dag, number, machine.name, log)
        for machine in machines
        for dag, number, log in machine.tries()
    )
    lines, code = [], 0
    for name, (_, schema) in WORKSPACES.items():
        workspace = sandbox.workspaces[f"{name}-token"]
        rows = loaded(server, schema, workspace.app_id)
        result = compare((lead["id"] for lead in workspace.leads()), rows)
        complete = "yes" if result.complete else str(result)
        state = states.get(name, "not started")
        ran = ", ".join(f"{number}: {machine}" for dag, number, machine, _ in tries if dag == name)
        lines.append([name, ran, state, workspace.count(), schema, len(rows), complete])
        if state != "success" or not result.complete:
            code = 1
            log = "".join(log for dag, _, _, log in tries if dag == name)
            print(f"What {name} logged:\n\n{log}", file=sys.stderr)
    print(table(_HEADS, lines))
    print("\nThe demo FAILED." if code else "\nEvery lead of every workspace has arrived.")
    return code
