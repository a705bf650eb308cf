"""`python -m demo.airflow`: three made-up workspaces, through Airflow, into a real PostgreSQL.

The workspaces are those of ../orchestrate/workspaces.meltano.yml, both ways: one with a schema of
its own, two in one table.
"""

import json
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from demo import meltano
from demo.airflow_server import AirflowError, AirflowServer, Run, install
from demo.check import compare
from demo.meltano import ROOT
from demo.postgres import PostgresError, PostgresServer
from demo.table import table
from tap_leads.sandbox import Sandbox

DAGS = ROOT / "orchestrate/dags"
# Extractor, leads, and the schema that they are loaded into.
WORKSPACES = {
    "tap-leads--acme": (2_500, "tap_leads__acme"),
    "tap-leads--globex": (1_200, "leads"),
    "tap-leads--initech": (300, "leads"),
}
AT_ONCE = 2
SECONDS = 240
HEADS = ("DAG", "state", "seconds", "leads", "table", "rows", "by id")


def main() -> int:
    """Runs the demo; the exit code is 0 only if every lead has arrived."""
    signal.signal(signal.SIGTERM, lambda signum, _: sys.exit(128 + signum))
    try:
        print("1. Airflow's own environment, .cache/airflow (the first time takes a while)")
        install()
        with (
            Sandbox(
                workspaces={f"{n}-token": leads for n, (leads, _) in WORKSPACES.items()}
            ) as box,
            PostgresServer() as server,
            TemporaryDirectory(prefix="demo-airflow-", dir=ROOT / ".cache") as folder,
        ):
            return demonstrate(box, server, Path(folder))
    except (PostgresError, AirflowError) as error:
        print(f"The demo FAILED. {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; the servers are stopped and nothing is left of them.")
        return 128 + signal.SIGINT


def demonstrate(sandbox: Sandbox, server: PostgresServer, folder: Path) -> int:
    """Lets Airflow run what is due, and shows what has arrived."""
    print(f"2. {len(WORKSPACES)} made-up Intercom workspaces answer at {sandbox.url}")
    print(f"3. PostgreSQL for the leads and for Meltano's state at {server.host}:{server.port}")
    tokens = dict(zip(WORKSPACES, sandbox.workspaces, strict=True))
    env = settings(sandbox.url, server, folder) | connections(tokens)
    logs = folder / "airflow"
    logs.mkdir()
    print("4. Airflow starts: scheduler, DAG processor, API server …", end=" ", flush=True)
    began = time.monotonic()
    with AirflowServer(logs, dags=DAGS, env=env, pools={"tap_leads": AT_ONCE}) as airflow:
        print(f"{time.monotonic() - began:.0f} s")
        dags = airflow.wait_for_dags(WORKSPACES)
        print(f"5. {len(dags)} DAGs that are due, {AT_ONCE} runs at once …", end=" ", flush=True)
        began = time.monotonic()
        runs = airflow.wait(lambda runs: {r.dag for r in runs if r.is_over} >= set(dags), SECONDS)
        print(f"{time.monotonic() - began:.0f} s; Airflow holds {airflow.megabytes():,} MB\n")
        return report(sandbox, server, airflow, runs)


def settings(url: str, server: PostgresServer, folder: Path, **others: str) -> dict[str, str]:
    """Makes Meltano's system database, and the environment that the runs need besides tokens.

    Args:
        url: Where the workspaces answer.
        server: Takes the leads and Meltano's state.
        folder: Takes what Meltano writes.
        others: More variables.
    """
    home = folder / "meltano"
    home.mkdir()
    env = meltano.target_settings(server) | {
        "TAP_LEADS_API_URL": url,
        "MELTANO_DATABASE_URI": server.url.replace("postgresql:", "postgresql+psycopg:", 1),
        **others,
    }
    del env["TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA"]  # the list of workspaces tells
    # The first use makes the tables of the system database; several at once would be in each
    # other's way.
    done = meltano.run("state", "list", folder=home, env=env)
    if done.returncode:
        raise AirflowError(f"Meltano failed:\n{done.stdout[-2000:]}")
    # As demo.meltano does for its own runs.
    return env | {"MELTANO_SYS_DIR_ROOT": str(home), "XDG_STATE_HOME": str(home)}


def connections(tokens: Mapping[str, str]) -> dict[str, str]:
    """The Airflow connections that hold each extractor's token, as variables."""
    return {
        f"AIRFLOW_CONN_{name.replace('-', '_').upper()}": json.dumps(
            {"conn_type": "generic", "password": token}
        )
        for name, token in tokens.items()
    }


def report(
    sandbox: Sandbox, server: PostgresServer, airflow: AirflowServer, runs: list[Run]
) -> int:
    """Shows a line for each workspace; the exit code."""
    lines = []
    failed = len(runs) < len(WORKSPACES)
    for run in sorted(runs, key=lambda run: run.dag):
        _, schema = WORKSPACES[run.dag]
        workspace = sandbox.workspaces[f"{run.dag}-token"]
        rows = loaded(server, schema, workspace.app_id)
        result = compare((lead["id"] for lead in workspace.leads()), rows)
        cells = [workspace.count(), f"{schema}.contacts", len(rows)]
        seconds = run.seconds and round(run.seconds)
        lines.append([run.dag, run.state, seconds, *cells, str(result)])
        if run.state != "success" or not result.complete:
            failed = True
            print(f"What {run.dag} logged:\n\n{airflow.log(run)}", file=sys.stderr)
    print(table(HEADS, lines))
    print("\nThe demo FAILED." if failed else "\nEvery lead of every workspace has arrived.")
    return int(failed)


def loaded(server: PostgresServer, schema: str, app_id: str) -> list[str]:
    """The ids in the destination; none if the run did not come as far as making the table."""
    [(there,)] = server.query("SELECT to_regclass(%s) IS NOT NULL", [f"{schema}.contacts"])
    if not there:
        return []
    sql = f"SELECT id FROM {schema}.contacts WHERE app_id = %s AND _sdc_deleted_at IS NULL"  # noqa: S608 - a name of this module's own
    return [identity for (identity,) in server.query(sql, [app_id])]


if __name__ == "__main__":
    sys.exit(main())
