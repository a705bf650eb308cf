"""`python -m demo`: loads sample leads from a simulated Intercom into a real PostgreSQL."""

import argparse
import signal
import subprocess
import sys
import time
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from psycopg.errors import UndefinedTable

from demo.check import compare
from demo.meltano import ROOT, run, tap_settings, target_settings
from demo.postgres import PostgresError, PostgresServer, programs
from demo.table import table
from tap_leads.sandbox import Sandbox

LEADS = 2_500
SHOWN = 8

Row: TypeAlias = tuple[Any, ...]

COLUMNS = ("id", "created_at", "email", "city", "name")
ROWS = """
SELECT id, to_char(created_at, 'YYYY-MM-DD'), email, location_data->>'city_name', name
FROM tap_leads.contacts
WHERE _sdc_deleted_at IS NULL
ORDER BY created_at
"""


def main() -> int:
    """Runs the demo; the exit code is 0 only if every lead has arrived."""
    parser = argparse.ArgumentParser(prog="python -m demo", description="Run the demo.")
    parser.add_argument("--keep", action="store_true", help="leave the database running")
    keep = parser.parse_args().keep
    # SIGTERM ends the demo as Ctrl-C does: the servers stop, and their files are removed.
    signal.signal(signal.SIGTERM, lambda signum, _: sys.exit(128 + signum))
    try:
        with (
            Sandbox(leads=LEADS, seed=1) as sandbox,
            PostgresServer() as server,
            TemporaryDirectory(prefix="demo-", dir=ROOT / ".meltano") as folder,
        ):
            code = demonstrate(sandbox, server, Path(folder))
            if keep:
                leave_running(server)
            return code
    except PostgresError as error:
        print(f"There is no PostgreSQL to load into. {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. The servers are stopped, and their files are removed.")
        return 128 + signal.SIGINT


def demonstrate(sandbox: Sandbox, server: PostgresServer, folder: Path) -> int:
    """Syncs, then shows the rows and whether every lead has arrived."""
    print(f"1. A simulated Intercom with {LEADS:,} sample leads runs at {sandbox.url}")
    [(version,)] = server.query("SHOW server_version")
    print(f"2. PostgreSQL {version} runs at {server.host}:{server.port}")
    print("3. meltano run tap-leads target-postgres")
    print("   Waiting until Meltano has loaded every lead (10 to 30 s) …", flush=True)
    code, log = sync(sandbox, server, folder)

    rows = loaded(server)
    print(f"4. {len(rows):,} rows in tap_leads.contacts; {SHOWN} in different alphabets:\n")
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
        print(f"   Stopped after {error.timeout:.0f} s without a result.")
        return 1, (folder / "meltano.log").read_text(errors="replace")
    print(f"   Exit code {done.returncode} after {time.monotonic() - began:.1f} s.")
    return done.returncode, done.stdout


def leave_running(server: PostgresServer) -> None:
    """Keeps the database, and says how to connect to it and how to stop it."""
    process = server.keep()
    psql = programs() / "psql"
    if psql.is_relative_to(ROOT):
        psql = psql.relative_to(ROOT)
    print(f"\nThe database stays for up to 8 hours. To connect:\n\n  {psql} {server.url}")
    print(f"\nTo stop it and remove its files:\n\n  kill {process}")


def loaded(server: PostgresServer) -> list[Row]:
    """The rows in the destination; none if the sync did not make the table."""
    with suppress(UndefinedTable):
        return server.query(ROWS)
    return []


def one_of_each_script(rows: Iterable[Row]) -> list[Row]:
    """Picks one lead per script, to show that names arrive unchanged."""
    found: dict[str, Row] = {}
    for row in rows:
        if all(row) and row[-1][0].isalpha():
            script = unicodedata.name(row[-1][0]).split()[0]  # "GREEK CAPITAL LETTER SIGMA"
            found.setdefault(script, row)
    return list(found.values())[:SHOWN]


if __name__ == "__main__":
    sys.exit(main())
