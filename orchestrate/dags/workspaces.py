"""A DAG for each workspace of ../workspaces.meltano.yml: `meltano run`, once a day.

Each workspace has its own DAG, so that a long run delays no other workspace. All share a pool,
whose slots limit the runs at once. Of the runs that wait, the largest starts first. Wrong entries
get no DAG; problems.py names them.
"""

import json
import os
import pkgutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
from airflow.sdk import DAG, BaseOperator, Connection, Context
from airflow.sdk.exceptions import AirflowException, AirflowFailException

PROJECT = Path(os.environ.get("MELTANO_PROJECT_ROOT") or Path(__file__).resolve().parents[2])
sys.path.append(str(PROJECT))

from orchestrate.run import REFUSED  # noqa: E402 - found in the project
from orchestrate.workspaces import Workspace, entries_of, read  # noqa: E402

LIST = PROJECT / "orchestrate/workspaces.meltano.yml"
RUN = PROJECT / "orchestrate/run.py"
LOADER = "target-postgres"
START = datetime(2026, 1, 1, tzinfo=UTC)
ON_FAILURE = os.environ.get("WORKSPACES_ON_FAILURE")
"""A function, as `module:name`. Its argument is Airflow's context of a run that failed for good."""

ABOUT = """
Reads all leads of the Intercom workspace `{name}` and loads them with `{loader}`. Each run reads
every lead, because Intercom's scroll has no filter.

**Access token**: the password of the Airflow connection `{connection}`.

**When it fails**, the task's log names the cause in the last lines before Meltano's.

- *Intercom refused the access token*, or *does not let this access token read leads*: there is no
  retry. Put a valid token into the connection, then clear the task.
- Any other failure: there are {retries} retries, {pause:g} minutes apart. If all fail, clear the
  task later to run it again. Leads that were loaded before stay. Every run starts with the first
  lead, and leads are marked as deleted only after a complete run.
- *already running*: the machine of the run before was lost. Meltano accepts a new run after five
  minutes.
"""


class Sync(BaseOperator):
    """Runs a workspace; its token is the only secret of Airflow that the run gets."""

    def __init__(self, *, workspace: Workspace, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._workspace = workspace
        self._process: subprocess.Popen[bytes] | None = None

    def execute(self, context: Context) -> None:  # noqa: ARG002 - Airflow's signature
        """Runs it; its output goes into the task's log."""
        command = [sys.executable, str(RUN), self._workspace.name, LOADER, *airflow_processes()]
        self._process = subprocess.Popen(
            command, cwd=PROJECT, env=self._environment(), stdin=subprocess.DEVNULL
        )
        try:
            code = self._process.wait()
        finally:
            self.on_kill()
        if code == REFUSED:
            raise AirflowFailException("Intercom refused the access token, so there is no retry.")
        if code:
            raise AirflowException(f"The run failed with exit code {code}.")

    def on_kill(self) -> None:
        """Ends the run, if it has not ended."""
        if self._process:
            self._process.terminate()

    def _environment(self) -> dict[str, str]:
        token = Connection.get(self._workspace.connection).password
        if not token:
            raise AirflowFailException(
                f"The connection {self._workspace.connection} has no password. Put the access "
                "token there."
            )
        foreign = ("AIRFLOW_", "TAP_LEADS_ACCESS_TOKEN")
        env = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        # Meltano gets no other entry, because one wrong entry would make it refuse the whole list.
        entries = {"plugins": {"extractors": entries_of(LIST, self._workspace.name)}}
        return env | {
            self._workspace.variable: token,
            "WORKSPACE_ENTRIES": json.dumps(entries, default=str),
        }


def airflow_processes() -> list[str]:
    """The ids of this task's process, of its supervisor and of the worker: the run ends with them.

    On systems other than Linux there are none, because their end cannot be watched.
    """
    if not hasattr(os, "pidfd_open"):
        return []
    above = psutil.Process().parents()[:2]
    return [str(os.getpid()), *(str(process.pid) for process in above)]


def make_dag(workspace: Workspace) -> None:
    """Makes the DAG of a workspace, which Airflow finds in this module."""
    name, options = workspace.name, workspace.options

    with DAG(
        name,
        schedule=options.schedule,
        start_date=START,
        catchup=False,
        max_active_runs=1,  # also for runs that are started by hand
        tags=["tap-leads"],
        doc_md=ABOUT.format(
            name=name,
            loader=LOADER,
            connection=workspace.connection,
            retries=options.retries,
            pause=options.retry_minutes,
        ),
    ):
        Sync(
            task_id="sync",
            workspace=workspace,
            pool=options.pool,
            priority_weight=options.leads,
            weight_rule="absolute",
            execution_timeout=timedelta(hours=options.hours),
            retries=options.retries,
            retry_delay=timedelta(minutes=options.retry_minutes),
            owner=options.owner,
            executor_config=options.for_executor(),
            on_failure_callback=pkgutil.resolve_name(ON_FAILURE) if ON_FAILURE else None,
            **({"queue": options.queue} if options.queue else {}),
        )


for each in read(LIST)[0]:
    make_dag(each)
