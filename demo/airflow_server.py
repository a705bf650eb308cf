"""A real Airflow for as long as a `with` statement lasts: scheduler, DAG processor, API server.

    with AirflowServer(a_folder, project=ROOT, env={...}, pools={"tap_leads": 2}) as airflow:
        airflow.trigger("tap-leads--acme")
        airflow.wait(lambda runs: all(run.is_over for run in runs), seconds=60)

It runs in an environment of its own, `.cache/airflow/…`, made when it is first needed: Airflow's
many requirements must not decide those of the tap.
"""

import json
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from demo.airflow_processes import Processes, environment
from demo.meltano import ROOT

CACHE = ROOT / ".cache/airflow"
_HOST = "127.0.0.1"
_USER = "demo"
_TASK = "sync"

SETUP_SECONDS = 600
START_SECONDS = 300
_POLL = 0.5


class AirflowError(Exception):
    """Airflow could not be set up or does not respond; the message says why."""


@dataclass(frozen=True)
class Run:
    """The state of a DAG's run.

    Attributes:
        dag: The DAG.
        identity: The run's id.
        state: As Airflow names it.
        began: When the latest try began (ISO 8601).
        seconds: How long that took.
        tries: How many tries began.
    """

    dag: str
    identity: str
    state: str
    began: str | None = None
    seconds: float | None = None
    tries: int = 0

    @property
    def is_over(self) -> bool:
        """Whether it ended."""
        return self.state in {"success", "failed"}


def install(pins: str = "airflow", venv: Path = CACHE / "venv-airflow") -> Path:
    """Makes an environment with Airflow, unless it is there and up to date.

    Args:
        pins: Names the file in requirements/.
        venv: The folder of the environment.

    Returns:
        The program `airflow`.

    Raises:
        AirflowError: A package could not be installed.
    """
    pinned = ROOT / f"requirements/{pins}.txt"
    stamp = venv / ".ready"
    if not stamp.exists() or stamp.read_text() != pinned.read_text():
        uv = [sys.executable, "-m", "uv"]
        call([*uv, "venv", "--quiet", "--clear", f"--python={sys.executable}", str(venv)])
        call([*uv, "pip", "sync", "--quiet", f"--python={venv}/bin/python", str(pinned)])
        stamp.write_text(pinned.read_text())
    return venv / "bin/airflow"


def call(command: Sequence[str], env: Mapping[str, str] | None = None) -> str:
    """Runs a command that sets something up; returns what it printed.

    Raises:
        AirflowError: It failed.
    """
    done = subprocess.run(
        command,
        check=False,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SETUP_SECONDS,
    )
    if done.returncode:
        raise AirflowError(f"{command[0]} failed:\n{done.stdout[-2000:]}")
    return done.stdout


class AirflowServer:
    """Airflow on this machine, with nothing but the DAGs of a project.

    Args:
        folder: Empty; takes its database and its logs.
        project: Its `orchestrate/dags` holds the DAGs.
        env: What it finds in its environment, besides that of this process.
        pools: The slots of each pool.
        program: The program `airflow`; without one, it is installed.

    Attributes:
        env: The environment, until it starts.
        workers: The environment of a worker on another machine: how to reach this server, and the
            secret that they share.
    """

    def __init__(
        self,
        folder: Path,
        *,
        project: Path,
        env: Mapping[str, str],
        pools: Mapping[str, int],
        program: Path | None = None,
    ) -> None:
        self.folder = folder
        self._pools = pools
        self._port = _free_port()
        self._session = requests.Session()
        passwords = folder / "passwords.json"
        self.password = secrets.token_urlsafe(18)
        passwords.touch(mode=0o600)
        passwords.write_text(json.dumps({_USER: self.password}))
        self.workers = {
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(48),
            # Seconds that an Edge worker's request may take to arrive; a later one ends the worker.
            "AIRFLOW__API_AUTH__JWT_LEEWAY": "300",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        }
        self.env = environment() | self.workers | {
            "AIRFLOW": str(program or install()),
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
    def url(self) -> str:
        """Where its API server listens."""
        return f"http://{_HOST}:{self._port}"

    @property
    def login(self) -> str:
        """How to log in to its user interface."""
        return f"{self.url}, user {_USER}, password {self.password}"

    def __enter__(self) -> Self:
        call([self.env["AIRFLOW"], "db", "migrate"], self.env)
        api = f"api-server --host {_HOST} --port {self._port} --workers 1"
        self._processes = Processes([api, "scheduler", "dag-processor"], self.env)
        try:
            self._log_in()
            for name, slots in self._pools.items():
                pool = {"name": name, "slots": slots, "include_deferred": False}
                self._ask("POST", "api/v2/pools", json=pool)
        except BaseException:
            self._processes.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._processes.stop()

    def _log_in(self) -> None:
        body = {"username": _USER, "password": self.password}
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                response = self._session.post(f"{self.url}/auth/token", json=body, timeout=10)
                response.raise_for_status()
            except requests.RequestException:
                if time.monotonic() > deadline or not self._processes.is_running:
                    log = (self.folder / "api-server.log").read_text(errors="replace")
                    raise AirflowError(f"The API server is not up:\n{log[-2000:]}") from None
                time.sleep(_POLL)
            else:
                token = response.json()["access_token"]
                self._session.headers["Authorization"] = f"Bearer {token}"
                return

    def _ask(self, method: str, path: str, **body: Any) -> Any:
        response = self._session.request(method, f"{self.url}/{path}", timeout=30, **body)
        if not response.ok:
            raise AirflowError(f"{method} {path}: {response.status_code} {response.text[:500]}")
        return response.json()

    def import_errors(self) -> list[str]:
        """What Airflow says of the files that it could not import."""
        errors = self._ask("GET", "api/v2/importErrors")["import_errors"]
        return [error["stack_trace"] for error in errors]

    def wait_for_dags(self, names: Collection[str], seconds: float = START_SECONDS) -> list[str]:
        """Waits until these DAGs were read from their files; returns all that there are.

        Raises:
            AirflowError: They were not.
        """
        deadline = time.monotonic() + seconds
        while True:
            dags = [dag["dag_id"] for dag in self._ask("GET", "api/v2/dags")["dags"]]
            if set(dags) >= set(names):
                return sorted(dags)
            if time.monotonic() > deadline:
                errors = "\n".join(self.import_errors())
                raise AirflowError(f"Airflow found no other DAGs than {dags}. {errors}")
            time.sleep(_POLL)

    def trigger(self, dag: str) -> str:
        """Starts a run as a person does; returns its id."""
        run = self._ask("POST", f"api/v2/dags/{dag}/dagRuns", json={"logical_date": None})
        return str(run["dag_run_id"])

    def set_pool(self, name: str, slots: int) -> None:
        """Changes how many runs a pool lets in at once."""
        pool = {"pool": name, "slots": slots, "include_deferred": False}
        self._ask("PATCH", f"api/v2/pools/{name}", json=pool)

    def dag(self, dag: str) -> dict[str, Any]:
        """A DAG as Airflow read it, with its task."""
        details: dict[str, Any] = self._ask("GET", f"api/v2/dags/{dag}/details")
        return details | {"task": self._ask("GET", f"api/v2/dags/{dag}/tasks/{_TASK}")}

    def runs(self) -> list[Run]:
        """All runs."""
        everything = "api/v2/dags/~/dagRuns"
        tasks = self._ask("GET", f"{everything}/~/taskInstances?limit=100")["task_instances"]
        tried = {
            task["dag_run_id"]: (task["start_date"], task["duration"], task["try_number"])
            for task in tasks
        }
        runs = self._ask("GET", f"{everything}?limit=100")["dag_runs"]
        return [
            Run(run["dag_id"], identity, run["state"], *tried.get(identity, ()))
            for run in runs
            for identity in [run["dag_run_id"]]
        ]

    def wait(self, until: Callable[[list[Run]], bool], seconds: float) -> list[Run]:
        """Waits until the runs are as they should be, or so long; returns their states."""
        deadline = time.monotonic() + seconds
        while True:
            runs = self.runs()
            if until(runs) or time.monotonic() > deadline:
                return runs
            time.sleep(_POLL)

    def megabytes(self) -> int:
        """The memory of all its processes; what they share counts once (PSS)."""
        return self._processes.megabytes()

    def log(self, run: Run) -> str:
        """What a run logged, in all its tries."""
        folder = self.folder / f"logs/dag_id={run.dag}/run_id={run.identity}/task_id={_TASK}"
        return "".join(path.read_text(errors="replace") for path in sorted(folder.glob("*.log")))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port
