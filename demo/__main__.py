"""`python -m demo`: the whole way of the leads, from a made-up Intercom to a real PostgreSQL."""

import signal
import subprocess
import sys
import time
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from demo.check import compare
from demo.meltano import ROOT, run, tap_settings, target_settings
from demo.postgres import PostgresError, PostgresServer
from demo.table import table
from tap_leads.sandbox import Sandbox

LEADS = 2_500
SHOWN = 8

Row: TypeAlias = tuple[Any, ...]

COLUMNS = ("id", "created_at", "email", "city", "name")
ROWS = """
SELECT id, to_char(created_at, 'YYYY-MM-DD HH24:MI'), email, location_data->>'city_name', name
FROM tap_leads.contacts
WHERE _sdc_deleted_at IS NULL
ORDER BY created_at
"""


def main() -> int:
    """Runs the demo; the exit code is 0 only if every lead has arrived."""
    # A kill ends the demo as Ctrl-C does: with everything put away.
    signal.signal(signal.SIGTERM, lambda signum, _: sys.exit(128 + signum))
    try:
        with (
            Sandbox(leads=LEADS, seed=1) as sandbox,
            PostgresServer() as server,
            TemporaryDirectory(prefix="demo-", dir=ROOT / ".meltano") as folder,
        ):
            return demonstrate(sandbox, server, Path(folder))
    except PostgresError as error:
        print(f"There is no PostgreSQL to load into. {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; the servers are stopped and nothing is left of them.")
        return 128 + signal.SIGINT


def demonstrate(sandbox: Sandbox, server: PostgresServer, folder: Path) -> int:
    """Syncs, then shows what has arrived and whether it is everything."""
    print(f"1. A made-up Intercom workspace with {LEADS:,} leads answers at {sandbox.url}")
    [(version,)] = server.query("SHOW server_version")
    print(
        f"2. PostgreSQL {version} listens at {server.host}:{server.port}, for as long as this runs"
    )
    print("3. meltano run tap-leads target-postgres …", end=" ", flush=True)
    code, log = sync(sandbox, server, folder)

    rows = loaded(server)
    print(f"4. {len(rows):,} rows in tap_leads.contacts; one in each script:\n")
    print(table(COLUMNS, one_of_each_script(rows)), end="\n\n")
    result = compare((lead["id"] for lead in sandbox.workspace.leads()), (row[0] for row in rows))
    print(
        f"Intercom has {sandbox.workspace.count():,} leads, PostgreSQL {len(rows):,} rows.", result
    )
    if code == 0 and result.complete:
        return 0
    print(f"\nThe demo FAILED. What Meltano logged:\n\n{log}", file=sys.stderr)
    return 1


def sync(sandbox: Sandbox, server: PostgresServer, folder: Path) -> tuple[int, str]:
    """Runs Meltano; returns its exit code and its log."""
    began = time.monotonic()
    env = tap_settings(sandbox) | target_settings(server)
    try:
        done = run("run", "tap-leads", "target-postgres", folder=folder, env=env)
    except subprocess.TimeoutExpired as error:
        print(f"ended after {error.timeout:.0f} s without a result")
        return 1, (folder / "meltano.log").read_text(errors="replace")
    print(f"exit code {done.returncode} after {time.monotonic() - began:.1f} s")
    return done.returncode, done.stdout


def loaded(server: PostgresServer) -> list[Row]:
    """The rows in the destination; none if the sync did not come as far as making the table."""
    [(there,)] = server.query("SELECT to_regclass('tap_leads.contacts') IS NOT NULL")
    return server.query(ROWS) if there else []


def one_of_each_script(rows: Iterable[Row]) -> list[Row]:
    """Picks leads that show that no script is bent on the way."""
    found: dict[str, Row] = {}
    for row in rows:
        if all(row) and row[-1][0].isalpha():
            script = unicodedata.name(row[-1][0]).split()[0]  # "GREEK CAPITAL LETTER SIGMA"
            found.setdefault(script, row)
    return list(found.values())[:SHOWN]


if __name__ == "__main__":
    sys.exit(main())
