"""Airflow for as long as a `with` statement lasts: scheduler, DAG processor, API server.

server = AirflowServer(a_folder, program, project=ROOT, env={...}, pools={"tap_leads": 2})
with server.running() as api:
    api.trigger("tap-leads--acme")
    api.wait_for_runs(lambda runs: all(run.is_over for run in runs), seconds=60)
"""

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from demo.airflow import AirflowError
from demo.airflow.api import TASK, AirflowApi, Run
from demo.airflow.processes import Processes, call, environment
from demo.airflow.waiting import wait_for
from demo.supervisor import HOST, free_port

START_SECONDS = 300
_USER = "demo"


class AirflowServer:
    """Airflow on this machine, with nothing but the DAGs of a project.

    Args:
        folder: Empty; takes its database and its logs.
        program: The program `airflow`.
        project: Its `orchestrate/dags` holds the DAGs.
        env: What it finds in its environment, besides that of this process.
        pools: The slots of each pool.

    Attributes:
        url: Where its API server listens.
        env: The environment, until it starts.
        workers: The environment of a worker on another machine: how to reach this server, and the
            secret that they share.
    """

    def __init__(
        self,
        folder: Path,
        program: Path,
        *,
        project: Path,
        env: Mapping[str, str],
        pools: Mapping[str, int],
    ) -> None:
        self._folder = folder
        self._pools = pools
        self._port = free_port()
        self.url = f"http://{HOST}:{self._port}"
        self._password = secrets.token_urlsafe(18)
        passwords = folder / "passwords.json"
        passwords.touch(mode=0o600)
        passwords.write_text(json.dumps({_USER: self._password}))
        self.workers = {
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(48),
            # Seconds that an Edge worker's request may take to arrive; a later one ends the worker.
            "AIRFLOW__API_AUTH__JWT_LEEWAY": "300",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        }
        self.env = environment() | self.workers | {
            "AIRFLOW": str(program),
            "AIRFLOW_HOME": str(folder),
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(project / "orchestrate/dags"),
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{_USER}:admin",
            **env,
        }  # fmt: skip

    @property
    def login(self) -> str:
        """How to log in to its user interface."""
        return f"{self.url}, user {_USER}, password {self._password}"

    @contextmanager
    def running(self) -> Iterator[AirflowApi]:
        """Runs it.

        Raises:
            AirflowError: It did not start.
        """
        call([self.env["AIRFLOW"], "db", "migrate"], self.env)
        listen = f"api-server --host {HOST} --port {self._port} --workers 1"
        self._processes = Processes([listen, "scheduler", "dag-processor"], self.env)
        try:
            api = AirflowApi(self.url)
            wait_for(lambda: self._log_in(api), self._failure, START_SECONDS)
            for name, slots in self._pools.items():
                api.make_pool(name, slots)
            yield api
        finally:
            self._processes.stop()

    def _log_in(self, api: AirflowApi) -> bool:
        if not self._processes.is_running:
            raise AirflowError(self._failure())
        return api.log_in(_USER, self._password)

    def _failure(self) -> str:
        log = (self._folder / "api-server.log").read_text(errors="replace")
        return f"The API server is not up:\n{log[-2000:]}"

    def megabytes(self) -> int:
        """The memory of all its processes; what they share counts once (PSS)."""
        return self._processes.megabytes()

    def log(self, run: Run) -> str:
        """What a run logged here, in all its tries."""
        folder = self._folder / f"logs/dag_id={run.dag}/run_id={run.identity}/task_id={TASK}"
        return "".join(path.read_text(errors="replace") for path in sorted(folder.glob("*.log")))
