"""A real Airflow for as long as a `with` statement lasts: scheduler, DAG processor, API server.

    with AirflowServer(a_folder, dags=Path("orchestrate/dags"), env={...}) as airflow:
        airflow.trigger("tap-leads--acme")
        airflow.wait(lambda runs: all(run.is_over for run in runs), seconds=60)

It runs in an environment of its own, `.cache/airflow/venv`, made when it is first needed: Airflow's
many requirements must not rule those of the tap.
"""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
import requests

from demo.meltano import ROOT

_REQUIREMENTS = ROOT / "requirements/airflow.txt"
_HOME = ROOT / ".cache/airflow"
_PROGRAM = _HOME / "venv/bin/airflow"
_HOST = "127.0.0.1"
_USER = "demo"
_TASK = "sync"

SETUP_SECONDS = 600
START_SECONDS = 180
STOP_SECONDS = 5
_POLL = 0.5

# As with Meltano, what the user has set must not mix with the settings of a trial.
_FOREIGN = ("AIRFLOW_", "MELTANO_", "TAP_LEADS_", "TARGET_")

# The three end when standard input does, so that nothing outlives a parent that was killed. A
# scheduler that is told to end waits for its runs, but not for ever here.
_KEEPER = """
finish() {
  trap '' TERM EXIT
  kill 0
  for _ in {1..20}; do [ -n "$(jobs -r)" ] || exit; sleep 0.5; done
  kill -9 0
}
trap finish TERM EXIT
for part in "api-server --host $HOST --port $PORT --workers 1" scheduler dag-processor; do
  "$AIRFLOW" $part >"$AIRFLOW_HOME/${part%% *}.log" 2>&1 </dev/null &
done
read -r
"""


class AirflowError(Exception):
    """Airflow could not be set up or does not answer; the message says why."""


@dataclass(frozen=True)
class Run:
    """How a DAG's run stands."""

    dag: str
    identity: str
    state: str
    began: str | None
    seconds: float | None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in {"success", "failed"}


def install() -> None:
    """Makes Airflow's environment, unless it is there and up to date.

    Raises:
        AirflowError: A package could not be installed.
    """
    stamp = _HOME / ".ready"
    pins = _REQUIREMENTS.read_text()
    if stamp.exists() and stamp.read_text() == pins:
        return
    uv = [sys.executable, "-m", "uv"]
    _call([*uv, "venv", "--quiet", "--clear", f"--python={sys.executable}", f"{_HOME}/venv"])
    _call([*uv, "pip", "sync", "--quiet", f"--python={_HOME}/venv/bin/python", str(_REQUIREMENTS)])
    stamp.write_text(pins)


def _call(command: Sequence[str], env: Mapping[str, str] | None = None) -> None:
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


class AirflowServer:
    """Airflow with its LocalExecutor on this machine, with nothing but the given DAGs.

    Args:
        folder: Empty; takes its database and its logs.
        dags: The folder with the DAGs.
        env: What the runs find in their environment, besides that of this process.
        pools: The slots of each pool.
    """

    def __init__(
        self, folder: Path, *, dags: Path, env: Mapping[str, str], pools: Mapping[str, int]
    ) -> None:
        self.folder = folder
        self._pools = pools
        self._port = _free_port()
        self._session = requests.Session()
        passwords = folder / "passwords.json"
        self._password = secrets.token_urlsafe(18)
        passwords.touch(mode=0o600)
        passwords.write_text(json.dumps({_USER: self._password}))
        own = {k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN)}
        self._env = own | {
            "AIRFLOW": str(_PROGRAM),
            "HOST": _HOST,
            "PORT": str(self._port),
            "AIRFLOW_HOME": str(folder),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(48),
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{_USER}:admin",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            # Where Meltano is.
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            **env,
        }  # fmt: skip

    @property
    def url(self) -> str:
        """Where its API server listens."""
        return f"http://{_HOST}:{self._port}"

    def __enter__(self) -> Self:
        install()
        _call([str(_PROGRAM), "db", "migrate"], self._env)
        self._keeper = subprocess.Popen(
            ["/bin/bash", "-c", _KEEPER],
            env=self._env,
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            self._log_in()
            for name, slots in self._pools.items():
                pool = {"name": name, "slots": slots, "include_deferred": False}
                self._ask("POST", "pools", json=pool)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def _log_in(self) -> None:
        body = {"username": _USER, "password": self._password}
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                answer = self._session.post(f"{self.url}/auth/token", json=body, timeout=10)
                answer.raise_for_status()
            except requests.RequestException:
                if time.monotonic() > deadline or self._keeper.poll() is not None:
                    log = (self.folder / "api-server.log").read_text(errors="replace")
                    raise AirflowError(f"The API server does not answer:\n{log[-2000:]}") from None
                time.sleep(_POLL)
            else:
                token = answer.json()["access_token"]
                self._session.headers["Authorization"] = f"Bearer {token}"
                return

    def _stop(self) -> None:
        # Runs have process groups of their own.
        processes = psutil.Process(self._keeper.pid).children(recursive=True)
        self._keeper.communicate()
        _, alive = psutil.wait_procs(processes, timeout=STOP_SECONDS)
        for process in alive:
            process.kill()

    def _ask(self, method: str, path: str, **body: Any) -> Any:
        answer = self._session.request(method, f"{self.url}/api/v2/{path}", timeout=30, **body)
        if not answer.ok:
            raise AirflowError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json()

    def wait_for_dags(self, names: Collection[str], seconds: float = START_SECONDS) -> list[str]:
        """Waits until these DAGs were read from their files; tells which there are.

        Raises:
            AirflowError: They were not, or a file could not be read.
        """
        deadline = time.monotonic() + seconds
        while True:
            dags = [dag["dag_id"] for dag in self._ask("GET", "dags")["dags"]]
            errors = self._ask("GET", "importErrors")["import_errors"]
            if errors:
                raise AirflowError(errors[0]["stack_trace"])
            if set(dags) >= set(names):
                return sorted(dags)
            if time.monotonic() > deadline:
                raise AirflowError(f"Airflow found no other DAGs than {dags}.")
            time.sleep(_POLL)

    def trigger(self, dag: str) -> str:
        """Starts a run as a person does; returns its id."""
        run = self._ask("POST", f"dags/{dag}/dagRuns", json={"logical_date": None})
        return str(run["dag_run_id"])

    def set_pool(self, name: str, slots: int) -> None:
        """Changes how many runs a pool lets in at once."""
        pool = {"pool": name, "slots": slots, "include_deferred": False}
        self._ask("PATCH", f"pools/{name}", json=pool)

    def task(self, dag: str) -> dict[str, Any]:
        """How Airflow understood a DAG's task."""
        task: dict[str, Any] = self._ask("GET", f"dags/{dag}/tasks/{_TASK}")
        return task

    def runs(self) -> list[Run]:
        """All runs."""
        tasks = self._ask("GET", "dags/~/dagRuns/~/taskInstances?limit=100")["task_instances"]
        began = {task["dag_run_id"]: (task["start_date"], task["duration"]) for task in tasks}
        runs = self._ask("GET", "dags/~/dagRuns?limit=100")["dag_runs"]
        return [
            Run(run["dag_id"], identity, run["state"], *began.get(identity, (None, None)))
            for run in runs
            for identity in [run["dag_run_id"]]
        ]

    def wait(self, until: Callable[[list[Run]], bool], seconds: float) -> list[Run]:
        """Waits until the runs are as they should be, or so long; tells how they stand."""
        deadline = time.monotonic() + seconds
        while True:
            runs = self.runs()
            if until(runs) or time.monotonic() > deadline:
                return runs
            time.sleep(_POLL)

    def megabytes(self) -> int:
        """The memory of all its processes; what they share counts once (PSS)."""
        size = 0
        for process in psutil.Process(self._keeper.pid).children(recursive=True):
            with suppress(psutil.Error):  # it has ended meanwhile
                size += process.memory_full_info().pss
        return size >> 20

    def log(self, run: Run) -> str:
        """What a run logged."""
        folder = self.folder / f"logs/dag_id={run.dag}/run_id={run.identity}/task_id={_TASK}"
        return "".join(path.read_text(errors="replace") for path in sorted(folder.glob("*.log")))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port
