"""What came of the runs: a line for each workspace."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from demo.airflow.api import Run
from demo.airflow.machine import Machine
from demo.airflow.workspaces import WORKSPACES, loaded
from demo.check import compare
from demo.postgres import PostgresServer
from demo.table import table
from tap_leads.sandbox import Sandbox

_HEADS = ("workspace", "tries: machine", "state", "leads", "table", "rows", "complete")


@dataclass(frozen=True)
class Report:
    """A table, and what failed.

    Attributes:
        text: The table.
        failed: The workspaces that are not complete.
    """

    text: str
    failed: Sequence[str]


def report(
    runs: Iterable[Run], machines: Iterable[Machine], sandbox: Sandbox, server: PostgresServer
) -> Report:
    """Compares the leads of each workspace with the rows in PostgreSQL, and names its machines."""
    states = {run.dag: run.state for run in runs}
    tries = sorted((*key, machine.name) for machine in machines for key in machine.tries())
    lines, failed = [], []
    for name, (_, schema) in WORKSPACES.items():
        workspace = sandbox.workspaces[f"{name}-token"]
        rows = loaded(server, schema, workspace.app_id)
        result = compare((lead["id"] for lead in workspace.leads()), rows)
        state = states.get(name, "not started")
        ran = ", ".join(f"{number}: {machine}" for dag, number, machine in tries if dag == name)
        complete = "yes" if result.complete else str(result)
        lines.append(
            [name, ran, state, workspace.count(), f"{schema}.contacts", len(rows), complete]
        )
        if state != "success" or not result.complete:
            failed.append(name)
    return Report(table(_HEADS, lines), failed)
