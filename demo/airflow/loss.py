"""Three workspaces on two machines, one of which is lost in the middle of a run."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from demo.airflow.api import AirflowApi, Run
from demo.airflow.executors import Executor
from demo.airflow.machine import Machine, checkout
from demo.airflow.report import report
from demo.airflow.server import START_SECONDS, AirflowServer
from demo.airflow.waiting import wait_for
from demo.airflow.workspaces import WORKSPACES, connections, settings, workspace_list
from demo.environments import installed
from demo.postgres import PostgresServer
from tap_leads.sandbox import Sandbox

LOST = next(iter(WORKSPACES))  # the largest, which starts first
PAGES_BEFORE_LOSS = 5
IDLE = 5.0
"""Seconds that a scroll of the sandbox lives unused."""
SECONDS = 600
HEARTBEATS = {
    # Airflow takes a run for lost after 300 s without a heartbeat, and looks every 10 s.
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "2",
    "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",  # for a slow machine
}


class Loss:
    """The loss of a machine, with everything that it needs.

    Args:
        executor: Which executor hands out the runs.
        machines: Two machines that are set up.
        sandbox: Serves the workspaces.
        server: Takes the leads and Meltano's state.
        folder: Takes all other files.
    """

    def __init__(
        self,
        executor: Executor,
        machines: Sequence[Machine],
        sandbox: Sandbox,
        server: PostgresServer,
        folder: Path,
    ) -> None:
        self._executor = executor
        self._machines = machines
        self._sandbox = sandbox
        self._server = server
        home = folder / "airflow"
        home.mkdir()
        self._airflow = AirflowServer(
            home,
            installed(executor.pins) / "airflow",
            project=checkout(folder / "project", workspace_list()),
            env=HEARTBEATS | connections(dict(zip(WORKSPACES, sandbox.workspaces, strict=True))),
            pools={"tap_leads": 0},
        )
        env = settings(sandbox.url, server, folder)
        for name in ("MELTANO_SYS_DIR_ROOT", "XDG_STATE_HOME"):  # each machine has its own
            del env[name]
        self._workers = self._airflow.workers | HEARTBEATS | env
        self._workers["TAP_LEADS_SCROLL_EXPIRY"] = str(int(IDLE))

    @property
    def login(self) -> str:
        """How to log in to Airflow's user interface."""
        return self._airflow.login

    @contextmanager
    def airflow(self) -> Iterator[AirflowApi]:
        """Runs Airflow with its workers."""
        with ExitStack() as stack:
            both = stack.enter_context(self._executor.running(self._airflow.url, self._server))
            self._airflow.env |= both
            api = stack.enter_context(self._airflow.running())
            for machine in self._machines:
                stack.callback(machine.stop)
                machine.start(self._workers | both, self._executor.worker(machine.name))
            api.wait_for_dags(WORKSPACES, START_SECONDS)
            for machine in self._machines:
                self._wait_until_ready(machine)
            yield api

    def _wait_until_ready(self, machine: Machine) -> None:
        wait_for(
            lambda: self._executor.ready in machine.log(),
            lambda: f"The worker is not ready:\n{machine.log()[-2000:]}",
            START_SECONDS,
        )

    def memory(self) -> str:
        """What Airflow and each machine use; what processes share counts once."""
        used = {"Airflow": self._airflow.megabytes()} | {
            f"machine {machine.name}": machine.megabytes() for machine in self._machines
        }
        return ", ".join(f"{name} {megabytes:,} MB" for name, megabytes in used.items())

    def lose_one_midway(self, api: AirflowApi) -> list[Run]:
        """Starts all workspaces, loses the machine of the largest, and waits for the runs' ends."""
        for name in WORKSPACES:
            api.trigger(name)
        api.set_pool("tap_leads", 4)
        scroll = self._sandbox.workspaces[f"{LOST}-token"]
        wait_for(
            lambda: len(scroll.history) >= PAGES_BEFORE_LOSS,
            lambda: f"{LOST} did not start.",
            SECONDS,
        )
        # By its processes: both workers may have got the run, which Airflow then refuses to one.
        [lost] = [machine for machine in self._machines if machine.is_running(LOST)]
        print(f"   memory with the runs: {self.memory()}")
        print(
            f"5. Machine {lost.name} is lost: all its processes are killed, in the middle of {LOST}"
        )
        lost.lose()
        # Meltano refuses a workspace until its run has been silent for five minutes.
        self._server.query(
            "UPDATE runs SET last_heartbeat_at = last_heartbeat_at - interval '5 minutes'"
            " WHERE state = 'RUNNING'"
        )
        print("   Airflow and Meltano wait five minutes each for a lost run; here, 20 s and none")
        began = time.monotonic()
        runs = api.wait_for_runs(
            lambda runs: len(runs) >= len(WORKSPACES) and all(run.is_over for run in runs), SECONDS
        )
        print(f"6. All runs ended {time.monotonic() - began:.0f} s later\n")
        return runs

    def report(self, runs: Sequence[Run]) -> int:
        """Shows what came of it; returns the exit code."""
        result = report(runs, self._machines, self._sandbox, self._server)
        for run in runs:
            if run.dag in result.failed:
                logs = [
                    log
                    for machine in self._machines
                    for (dag, _), log in sorted(machine.tries().items())
                    if dag == run.dag
                ]
                text = "".join([self._airflow.log(run), *logs])
                print(f"What {run.dag} logged:\n\n{text}", file=sys.stderr)
        print(result.text)
        if result.failed:
            print("\nThe demo FAILED.")
        else:
            print("\nEvery lead of every workspace has arrived.")
        return int(bool(result.failed))
