"""An Airflow server for a `with` statement: scheduler, DAG processor, API server.

with AirflowServer(a_folder, program, project=ROOT, env={...}) as server:
    server.api.trigger("tap-leads--acme")
    server.api.wait_for_runs(lambda runs: all(run.is_over for run in runs), seconds=60)
"""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from demo.airflow import START_SECONDS, AirflowError, wait_for
from demo.airflow.api import TASK, AirflowApi, Run
from demo.airflow.processes import Processes, call
from demo.meltano import environment
from demo.supervisor import HOST, free_port

_USER = "demo"


class AirflowServer:
    """Airflow on this machine, with the DAGs of a project and no others.

    It starts with no slots in the pool `tap_leads`, so that runs wait until `api.set_pool`.

    Args:
        folder: Where its database and its logs are; made here.
        program: The program `airflow`.
        project: The project; its DAGs are in `orchestrate/dags`.
        env: Variables to add to the environment.

    Attributes:
        url: The address of its API server.
        env: The environment; changes count until it starts.
        workers: The environment of a worker on another machine: the address of this server, and the
            shared secret.
        api: Its REST API.
        processes: Its processes.
    """

    processes: Processes

    def __init__(
        self, folder: Path, program: Path, *, project: Path, env: Mapping[str, str]
    ) -> None:
        self._folder = folder
        self._port = free_port()
        self.url = f"http://{HOST}:{self._port}"
        self.api = AirflowApi(self.url)
        self._password = secrets.token_urlsafe(18)
        folder.mkdir()
        passwords = folder / "passwords.json"
        passwords.touch(mode=0o600)
        passwords.write_text(json.dumps({_USER: self._password}))
        self.workers = {
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(48),
            # A request of an Edge worker that arrives after so many seconds ends the worker.
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

    def __enter__(self) -> Self:
        call([self.env["AIRFLOW"], "db", "migrate"], self.env)
        listen = f"api-server --host {HOST} --port {self._port} --workers 1"
        self.processes = Processes([listen, "scheduler", "dag-processor"], self.env)
        try:
            wait_for(self._log_in, self._failure, START_SECONDS)
            self.api.set_pool("tap_leads", 0)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.processes.__exit__()

    def _log_in(self) -> bool:
        if not self.processes.is_running:
            raise AirflowError(self._failure())
        return self.api.log_in(_USER, self._password)

    def _failure(self) -> str:
        log = (self._folder / "api-server.log").read_text(errors="replace")
        return f"The API server is not up:\n{log[-2000:]}"

    def log(self, run: Run) -> str:
        """The log of a run on this machine, with all its tries."""
        folder = self._folder / f"logs/dag_id={run.dag}/run_id={run.identity}/task_id={TASK}"
        return "".join(path.read_text(errors="replace") for path in sorted(folder.glob("*.log")))
