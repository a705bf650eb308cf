"""`python -m demo.airflow`: three workspaces on two machines, one of which is lost midway."""

import argparse
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from demo.airflow import AirflowError
from demo.airflow.executors import EXECUTORS, Executor
from demo.airflow.loss import IDLE, lose_one_midway, memory, report, running
from demo.airflow.machine import Machine
from demo.airflow.workspaces import WORKSPACES, workspace_list
from demo.environments import NotInstalledError, installed
from demo.meltano import ROOT
from demo.postgres import PostgresError, PostgresServer, programs
from tap_leads.sandbox import Sandbox

LATENCY = 0.5  # seconds per page


def main() -> int:
    """Runs the demo; the exit code is 0 only if every lead has arrived."""
    parser = argparse.ArgumentParser(prog="python -m demo.airflow", description="Run the demo.")
    parser.add_argument("--executor", choices=EXECUTORS, default="edge")
    parser.add_argument("--keep", action="store_true", help="leave everything running")
    arguments = parser.parse_args()
    # SIGTERM ends the demo as Ctrl-C does: the servers stop, and their files are removed.
    signal.signal(signal.SIGTERM, lambda signum, _: sys.exit(128 + signum))
    try:
        return demonstrate(EXECUTORS[arguments.executor], keep=arguments.keep)
    except (PostgresError, AirflowError, NotInstalledError) as error:
        print(f"\nThe demo FAILED. {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. The servers are stopped, and their files are removed.")
        return 128 + signal.SIGINT


def demonstrate(executor: Executor, *, keep: bool) -> int:
    """Loads the workspaces, and loses a machine meanwhile; returns the exit code."""
    machines = set_up(executor)
    with (
        Sandbox(
            workspaces={f"{name}-token": leads for name, (leads, _) in WORKSPACES.items()},
            latency=LATENCY,
            idle_limit=IDLE,
        ) as box,
        PostgresServer() as server,
        TemporaryDirectory(prefix="demo-airflow-", dir=ROOT / ".cache") as folder,
    ):
        print(f"2. {len(WORKSPACES)} simulated Intercom workspaces at {box.url}")
        address = f"{server.host}:{server.port}"
        print(f"3. PostgreSQL for the leads and for Meltano's state at {address}")
        print("4. Airflow: scheduler, DAG processor, API server …", end=" ", flush=True)
        began = time.monotonic()
        with running(executor, machines, box, server, Path(folder)) as airflow:
            print(f"{time.monotonic() - began:.0f} s")
            print(f"   memory: {memory(airflow, machines)}")
            runs = lose_one_midway(airflow, machines, box, server)
            code = report(runs, machines, box, server)
            if keep:
                leave_running(airflow.login, server)
            return code


def set_up(executor: Executor) -> list[Machine]:
    """Installs Airflow, and sets up the two machines."""
    print("1. Two machines with a checkout, the plugins and Airflow each")
    print("   The first time, this takes one to three minutes …", end=" ", flush=True)
    began = time.monotonic()
    installed(executor.pins)
    machines = [Machine(name, executor.pins) for name in ("one", "two")]
    for machine in machines:
        machine.set_up(workspace_list())
    print(f"{time.monotonic() - began:.0f} s")
    return machines


def leave_running(login: str, server: PostgresServer) -> None:
    """Says how to look at the results, and waits."""
    print(f"\nAirflow's user interface: {login}")
    print(f"The tables: {programs() / 'psql'} {server.url}")
    print("Ctrl-C ends everything.", flush=True)
    with suppress(KeyboardInterrupt):
        signal.pause()
    print("\nEverything is being stopped …")


if __name__ == "__main__":
    sys.exit(main())
