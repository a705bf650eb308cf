"""The requests to Airflow's REST API that the demo and the tests need."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import requests

from demo.airflow import POLL, AirflowError, wait_for

TASK = "sync"
_RESPONSE_SECONDS = 60


@dataclass(frozen=True)
class Run:
    """The state of a DAG's run.

    Attributes:
        dag: The DAG.
        identity: The run's id.
        state: Airflow's name of the state.
        began: When the latest try began (ISO 8601).
        seconds: The duration of the latest try.
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


class AirflowApi:
    """The REST API of an Airflow server.

    Args:
        url: The address of the server.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()

    def log_in(self, user: str, password: str) -> bool:
        """Logs in; returns whether the server was there."""
        body = {"username": user, "password": password}
        try:
            response = self._session.post(f"{self._url}/auth/token", json=body, timeout=10)
            response.raise_for_status()
        except requests.RequestException:
            return False
        self._session.headers["Authorization"] = f"Bearer {response.json()['access_token']}"
        return True

    def _ask(self, method: str, path: str, **body: Any) -> Any:
        url = f"{self._url}/api/v2/{path}"
        response = self._session.request(method, url, timeout=_RESPONSE_SECONDS, **body)
        if not response.ok:
            raise AirflowError(f"{method} {path}: {response.status_code} {response.text[:500]}")
        return response.json()

    def import_errors(self) -> list[str]:
        """The errors of the files that Airflow could not import."""
        errors = self._ask("GET", "importErrors")["import_errors"]
        return [error["stack_trace"] for error in errors]

    def wait_for_dags(self, names: Collection[str], seconds: float) -> None:
        """Waits until Airflow has read these DAGs from their files.

        Raises:
            AirflowError: It has not.
        """

        def found() -> bool:
            return {dag["dag_id"] for dag in self._ask("GET", "dags")["dags"]} >= set(names)

        wait_for(found, lambda: "\n".join(["DAGs are missing.", *self.import_errors()]), seconds)

    def trigger(self, dag: str) -> str:
        """Starts a run by hand; returns its id."""
        run = self._ask("POST", f"dags/{dag}/dagRuns", json={"logical_date": None})
        return str(run["dag_run_id"])

    def set_pool(self, name: str, slots: int) -> None:
        """Makes a pool, or changes its slots, which limit the runs at once."""
        pool = {"name": name, "slots": slots, "include_deferred": False}
        action = {"action": "create", "action_on_existence": "overwrite", "entities": [pool]}
        self._ask("PATCH", "pools", json={"actions": [action]})

    def dag(self, dag: str) -> dict[str, Any]:
        """A DAG as Airflow read it, with its task."""
        details: dict[str, Any] = self._ask("GET", f"dags/{dag}/details")
        return details | {"task": self._ask("GET", f"dags/{dag}/tasks/{TASK}")}

    def runs(self) -> list[Run]:
        """All runs."""
        tasks = self._ask("GET", "dags/~/dagRuns/~/taskInstances?limit=100")["task_instances"]
        tried = {
            task["dag_run_id"]: (task["start_date"], task["duration"], task["try_number"])
            for task in tasks
        }
        return [
            Run(run["dag_id"], identity, run["state"], *tried.get(identity, ()))
            for run in self._ask("GET", "dags/~/dagRuns?limit=100")["dag_runs"]
            for identity in [run["dag_run_id"]]
        ]

    def wait_for_runs(self, until: Callable[[list[Run]], bool], seconds: float) -> list[Run]:
        """Waits until a condition is true of the runs, or the time is over; returns the runs."""
        deadline = time.monotonic() + seconds
        while not until(runs := self.runs()) and time.monotonic() < deadline:
            time.sleep(POLL)
        return runs
