"""The demo's workspaces, and the settings and tokens that the runs of any workspace need.

The workspaces show both ways to load several: one has its own schema, two share a table.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from psycopg.errors import UndefinedTable

from demo import meltano
from demo.airflow import AirflowError
from demo.meltano import ROOT
from demo.postgres import PostgresServer

# Extractor, leads, and the schema that they are loaded into. The first is the largest.
WORKSPACES = {
    "tap-leads--acme": (2_500, "tap_leads__acme"),
    "tap-leads--globex": (1_200, "leads"),
    "tap-leads--initech": (300, "leads"),
}


def workspace_list() -> str:
    """This project's list of workspaces, with short pauses before retries."""
    listed = (ROOT / "orchestrate/workspaces.meltano.yml").read_text()
    template = listed[: listed.index("  - name: tap-leads--")]
    entries = [
        f"  - name: {name}\n"
        f"    inherit_from: {'tap-leads-one-table' if schema == 'leads' else 'tap-leads'}\n"
        f"    annotations: {{airflow: {{leads: {leads}, schedule: null, retry_minutes: 0.1}}}}\n"
        for name, (leads, schema) in WORKSPACES.items()
    ]
    return template + "".join(entries)


def settings(url: str, server: PostgresServer, folder: Path) -> dict[str, str]:
    """Makes Meltano's system database; returns the environment of the runs, without tokens.

    Args:
        url: The address that serves the workspaces.
        server: Takes the leads and Meltano's state.
        folder: Takes what Meltano writes.
    """
    home = folder / "meltano"
    home.mkdir()
    env = meltano.target_settings(server) | {
        "TAP_LEADS_API_URL": url,
        "MELTANO_DATABASE_URI": server.url.replace("postgresql:", "postgresql+psycopg:", 1),
    }
    del env["TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA"]  # each workspace has its own
    # The first use makes the tables of the system database; several first uses at once would fail.
    done = meltano.run("state", "list", folder=home, env=env)
    if done.returncode:
        raise AirflowError(f"Meltano failed:\n{done.stdout[-2000:]}")
    return env | {"MELTANO_SYS_DIR_ROOT": str(home), "XDG_STATE_HOME": str(home)}


def connections(tokens: Mapping[str, str]) -> dict[str, str]:
    """The Airflow connections with each extractor's token, as variables."""
    return {
        f"AIRFLOW_CONN_{name.replace('-', '_').upper()}": json.dumps(
            {"conn_type": "generic", "password": token}
        )
        for name, token in tokens.items()
    }


def loaded(server: PostgresServer, schema: str, app_id: str) -> list[str]:
    """The ids in the destination; none if the run did not make the table."""
    sql = f"SELECT id FROM {schema}.contacts WHERE app_id = %s AND _sdc_deleted_at IS NULL"  # noqa: S608 - a name of this module's own
    with suppress(UndefinedTable):
        return [identity for (identity,) in server.query(sql, [app_id])]
    return []
