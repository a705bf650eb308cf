"""A DAG for each workspace of ../workspaces.meltano.yml: `meltano run`, once a day.

One DAG each, as a workspace of twelve hours must hold up none but itself. What they share is the
pool `tap_leads`, whose slots are the runs at once; of those that wait, the largest starts first.
"""

import os
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from airflow.sdk import DAG, Connection, task

PROJECT = Path(os.environ.get("MELTANO_PROJECT_ROOT") or Path(__file__).resolve().parents[2])
LIST = PROJECT / "orchestrate/workspaces.meltano.yml"
PREFIX = "tap-leads--"
LOADER = "target-postgres"

START = datetime(2026, 1, 1, tzinfo=UTC)
# Longer than the minute that a scroll outlives its reader, and than the five that Meltano takes to
# see that a run was killed; until then it refuses another one of the same workspace.
RETRY_DELAY = timedelta(minutes=6)


def workspace(
    name: str,
    *,
    leads: int = 0,
    schedule: str | None = "@daily",
    hours: float = 24,
    retries: int = 3,
) -> None:
    """Makes the DAG of a workspace; Airflow finds it by itself.

    Args:
        name: Its extractor.
        leads: About how many leads it has.
        schedule: When it runs; None: by hand only. Runs that were missed are not made up for.
        hours: After so long, a run is ended with all its processes.
        retries: How often a run that failed is repeated.
    """
    connection = name.replace("-", "_")
    variable = f"{connection.upper()}_ACCESS_TOKEN"

    with DAG(
        name,
        schedule=schedule,
        start_date=START,
        catchup=False,
        max_active_runs=1,  # runs that are started by hand wait too
        tags=["tap-leads"],
    ):

        @task.bash(
            cwd=str(PROJECT),
            pool="tap_leads",
            priority_weight=leads,
            weight_rule="absolute",
            execution_timeout=timedelta(hours=hours),
            retries=retries,
            retry_delay=RETRY_DELAY,
            skip_on_exit_code=None,  # no exit code but 0 is anything other than a failure
            do_xcom_push=False,
        )
        def sync() -> str:
            # In the environment of this task's own process, and nowhere else: what a task is given
            # or returns, Airflow writes down.
            os.environ[variable] = Connection.get(connection).password
            # The tokens of other workspaces, and Airflow's own secrets, are not for the tap.
            forget = "unset ${!AIRFLOW_*} TAP_LEADS_ACCESS_TOKEN"
            run = shlex.join(["meltano", "run", "--no-install", name, LOADER])
            return f"{forget}; umask 077; exec {run}"

        sync()


for plugin in yaml.safe_load(LIST.read_text())["plugins"]["extractors"]:
    if plugin["name"].startswith(PREFIX):
        workspace(plugin["name"], **plugin.get("annotations", {}).get("airflow", {}))
