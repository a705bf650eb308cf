"""`python -m demo.airflow`: three workspaces on two machines, one of which is lost midway.

The machines are those of demo/airflow_machine.py. The workspaces show both ways to load several:
one has a schema of its own, two share a table. KEEP=1 in the environment keeps everything running
at the end.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from demo import meltano
from demo.airflow_executors import EXECUTORS, Executor
from demo.airflow_machine import Machine, checkout
from demo.airflow_server import CACHE, AirflowError, AirflowServer, Run, install
from demo.check import compare
from demo.meltano import ROOT
from demo.postgres import PostgresError, PostgresServer
from demo.table import table
from tap_leads.sandbox import Sandbox

# Extractor, leads, and the schema that they are loaded into.
WORKSPACES = {
    "tap-leads--acme": (2_500, "tap_leads__acme"),
    "tap-leads--globex": (1_200, "leads"),
    "tap-leads--initech": (300, "leads"),
}
LOST = "tap-leads--acme"  # the largest, which starts first
PAGES_BEFORE_LOSS = 5
LATENCY, IDLE = 0.5, 5.0  # seconds of a page; seconds that a scroll lives unused
SECONDS = 600
HEADS = ("workspace", "tries: machine", "state", "leads", "table", "rows", "complete")
HEARTBEATS = {
    # Airflow takes a run for lost after 300 s without a heartbeat, and looks every 10 s.
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "2",
    "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",  # for a slow machine
}


def main(arguments: Sequence[str]) -> int:
    """Runs the demo; the exit code is 0 only if every lead has arrived."""
    signal.signal(signal.SIGTERM, lambda signum, _: sys.exit(128 + signum))
    executor = EXECUTORS[arguments[0] if arguments else "edge"]
    try:
        print("1. Two machines with a checkout, the plugins and Airflow each", end=" ", flush=True)
        began = time.monotonic()
        machines = [Machine(name, workspaces(), executor.pins) for name in ("one", "two")]
        print(f"({time.monotonic() - began:.0f} s; the first time takes longer)")
        with (
            Sandbox(
                workspaces={f"{n}-token": leads for n, (leads, _) in WORKSPACES.items()},
                latency=LATENCY,
                idle_limit=IDLE,
            ) as box,
            PostgresServer() as server,
            TemporaryDirectory(prefix="demo-airflow-", dir=ROOT / ".cache") as folder,
        ):
            return Demo(executor, machines, box, server, Path(folder)).run()
    except (PostgresError, AirflowError) as error:
        print(f"\nThe demo FAILED. {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; the servers are stopped and nothing is left of them.")
        return 128 + signal.SIGINT


def workspaces() -> str:
    """The list of workspaces of this project, with pauses for a demo."""
    listed = (ROOT / "orchestrate/workspaces.meltano.yml").read_text()
    template = listed[: listed.index(f"  - name: {LOST}")]
    entries = [
        f"  - name: {name}\n"
        f"    inherit_from: {'tap-leads-one-table' if schema == 'leads' else 'tap-leads'}\n"
        f"    annotations: {{airflow: {{leads: {leads}, schedule: null, retry_minutes: 0.1}}}}\n"
        for name, (leads, schema) in WORKSPACES.items()
    ]
    return template + "".join(entries)


class Demo:
    """The demo, with everything that it needs."""

    def __init__(
        self,
        executor: Executor,
        machines: Sequence[Machine],
        sandbox: Sandbox,
        server: PostgresServer,
        folder: Path,
    ) -> None:
        self.executor = executor
        self.machines = machines
        self.sandbox = sandbox
        self.server = server
        self.folder = folder

    def run(self) -> int:
        """Loads the workspaces, loses a machine meanwhile; returns the exit code."""
        print(f"2. {len(WORKSPACES)} simulated Intercom workspaces at {self.sandbox.url}")
        address = f"{self.server.host}:{self.server.port}"
        print(f"3. PostgreSQL for the leads and for Meltano's state at {address}")
        tokens = dict(zip(WORKSPACES, self.sandbox.workspaces, strict=True))
        runs_need = settings(self.sandbox.url, self.server, self.folder)
        runs_need["TAP_LEADS_SCROLL_EXPIRY"] = str(int(IDLE))
        for name in ("MELTANO_SYS_DIR_ROOT", "XDG_STATE_HOME"):  # each machine has its own
            del runs_need[name]
        print("4. Airflow: scheduler, DAG processor, API server …", end=" ", flush=True)
        began = time.monotonic()
        with ExitStack() as stack:
            home = self.folder / "airflow"
            home.mkdir()
            airflow = AirflowServer(
                home,
                project=checkout(self.folder / "project", workspaces()),
                env=HEARTBEATS | connections(tokens),
                pools={"tap_leads": 0},
                program=install(self.executor.pins, CACHE / f"venv-{self.executor.pins}"),
            )
            both = stack.enter_context(self.executor.running(airflow.url, self.server))
            airflow.env |= both
            stack.enter_context(airflow)
            for machine in self.machines:
                stack.callback(machine.stop)
                env = airflow.workers | HEARTBEATS | both | runs_need
                machine.start(env, self.executor.worker(machine.name))
            airflow.wait_for_dags(WORKSPACES)
            wait_for(
                lambda: all(self.executor.ready in machine.log() for machine in self.machines),
                "The workers did not start.",
            )
            print(f"{time.monotonic() - began:.0f} s")
            runs = self._lose_one_midway(airflow)
            code = self._report(airflow, runs)
            if os.environ.get("KEEP"):
                self._keep(airflow)
            return code

    def _lose_one_midway(self, airflow: AirflowServer) -> list[Run]:
        for name in WORKSPACES:
            airflow.trigger(name)
        airflow.set_pool("tap_leads", 4)
        scroll = self.sandbox.workspaces[f"{LOST}-token"]
        wait_for(lambda: len(scroll.history) >= PAGES_BEFORE_LOSS, f"{LOST} did not start.")
        [lost] = [machine for machine in self.machines if (LOST, 1) in machine.tries()]
        print(f"   memory: Airflow {airflow.megabytes():,} MB, {self._memory()}")
        print(
            f"5. Machine {lost.name} is lost: all its processes are killed, in the middle of {LOST}"
        )
        lost.lose()
        # Meltano refuses a workspace until its run has been silent for five minutes.
        self.server.query(
            "UPDATE runs SET last_heartbeat_at = last_heartbeat_at - interval '5 minutes'"
            " WHERE state = 'RUNNING'"
        )
        print("   Airflow and Meltano wait five minutes each for a lost run; here, 30 s and none")
        began = time.monotonic()
        runs = airflow.wait(
            lambda runs: len(runs) >= len(WORKSPACES) and all(run.is_over for run in runs), SECONDS
        )
        print(f"6. All runs ended {time.monotonic() - began:.0f} s later\n")
        return runs

    def _memory(self) -> str:
        return ", ".join(
            f"machine {machine.name} {machine.megabytes():,} MB" for machine in self.machines
        )

    def _report(self, airflow: AirflowServer, runs: list[Run]) -> int:
        """Shows a line for each workspace; the exit code."""
        lines = []
        failed = len(runs) < len(WORKSPACES)
        tries = [
            (dag, number, machine.name, log)
            for machine in self.machines
            for (dag, number), log in machine.tries().items()
        ]
        for run in sorted(runs, key=lambda run: run.dag):
            _, schema = WORKSPACES[run.dag]
            workspace = self.sandbox.workspaces[f"{run.dag}-token"]
            rows = loaded(self.server, schema, workspace.app_id)
            result = compare((lead["id"] for lead in workspace.leads()), rows)
            of_it = sorted(each[1:] for each in tries if each[0] == run.dag)
            ran = ", ".join(f"{number}: {machine}" for number, machine, _ in of_it)
            cells = [
                workspace.count(),
                f"{schema}.contacts",
                len(rows),
                "yes" if result.complete else str(result),
            ]
            lines.append([run.dag, ran, run.state, *cells])
            if run.state != "success" or not result.complete:
                failed = True
                logs = airflow.log(run) + "".join(log for *_, log in of_it)
                print(f"What {run.dag} logged:\n\n{logs}", file=sys.stderr)
        print(table(HEADS, lines))
        print("\nThe demo FAILED." if failed else "\nEvery lead of every workspace has arrived.")
        return int(failed)

    def _keep(self, airflow: AirflowServer) -> None:
        print(f"\nAirflow's user interface: {airflow.login}")
        print(f"The tables: psql {self.server.url}")
        print("Ctrl-C ends everything.")
        signal.pause()


def wait_for(condition: Callable[[], bool], failure: str, seconds: float = SECONDS) -> None:
    """Waits for something.

    Raises:
        AirflowError: It did not happen in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AirflowError(failure)
        time.sleep(0.2)


def settings(url: str, server: PostgresServer, folder: Path, **others: str) -> dict[str, str]:
    """Makes Meltano's system database, and the environment that the runs need besides tokens.

    Args:
        url: Where the workspaces are served.
        server: Takes the leads and Meltano's state.
        folder: Takes what Meltano writes.
        others: More variables.
    """
    home = folder / "meltano"
    home.mkdir()
    env = meltano.target_settings(server) | {
        "TAP_LEADS_API_URL": url,
        "MELTANO_DATABASE_URI": server.url.replace("postgresql:", "postgresql+psycopg:", 1),
        **others,
    }
    del env["TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA"]  # the list of workspaces tells
    # The first use makes the tables of the system database, and several at once would fail.
    done = meltano.run("state", "list", folder=home, env=env)
    if done.returncode:
        raise AirflowError(f"Meltano failed:\n{done.stdout[-2000:]}")
    # As demo.meltano does for its own runs.
    return env | {"MELTANO_SYS_DIR_ROOT": str(home), "XDG_STATE_HOME": str(home)}


def connections(tokens: Mapping[str, str]) -> dict[str, str]:
    """The Airflow connections that hold each extractor's token, as variables."""
    return {
        f"AIRFLOW_CONN_{name.replace('-', '_').upper()}": json.dumps(
            {"conn_type": "generic", "password": token}
        )
        for name, token in tokens.items()
    }


def loaded(server: PostgresServer, schema: str, app_id: str) -> list[str]:
    """The ids in the destination; none if the run did not come as far as making the table."""
    [(there,)] = server.query("SELECT to_regclass(%s) IS NOT NULL", [f"{schema}.contacts"])
    if not there:
        return []
    sql = f"SELECT id FROM {schema}.contacts WHERE app_id = %s AND _sdc_deleted_at IS NULL"  # noqa: S608 - a name of this module's own
    return [identity for (identity,) in server.query(sql, [app_id])]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
