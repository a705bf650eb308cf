"""docs/sql.md, each query with the result that a real PostgreSQL gives.

The text and the queries are written by hand. The table under a query is filled in here: Meltano
loads sample leads into PostgreSQL, then some leads disappear, and it loads them again. The part
under `FLATTENED` is filled in after a load with the settings that are shown there.
"""

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
import yaml

from demo.meltano import ROOT, run, tap_settings, target_settings
from demo.postgres import PostgresServer
from tap_leads.sandbox import Sandbox
from tap_leads.sandbox.malformed import MALFORMED
from tap_leads.singer.settings import variable

PAGE = ROOT / "docs/sql.md"
FLATTENED = "## Flattened"
LEADS, DELETED = 250, 12
SEED = 2 * len(MALFORMED) * 4 - 200
# With it, the leads from the 201st on have the first kinds of malformed values, which are short.

_QUERY = re.compile(r"(```sql\n(.*?);\n```\n)(?:\n(?:\|[^\n]*\n)+)?", re.DOTALL)
_SETTINGS = re.compile(r"```yaml\n(.*?)```", re.DOTALL)


def page() -> str:
    """The page, with the results as they are now.

    Raises:
        RuntimeError: A sync failed.
    """
    plain, flattened = PAGE.read_text().split(FLATTENED)
    # On the third page of each scroll, half of the leads have malformed values.
    with (
        Sandbox(LEADS, seed=SEED, faults=["types@p3"]) as sandbox,
        PostgresServer() as server,
    ):
        _load(sandbox, server, {})
        sandbox.workspace.delete(DELETED)
        _load(sandbox, server, {})
        plain = _filled(plain, server)
        server.query("DROP SCHEMA tap_leads CASCADE")
        _load(sandbox, server, settings_shown(flattened))
        return plain + FLATTENED + _filled(flattened, server)


def settings_shown(text: str) -> dict[str, Any]:
    """The tap's settings in the first YAML block of a text, a piece of meltano.yml."""
    (block, *_) = _SETTINGS.findall(text)
    (plugin,) = yaml.safe_load(block)["plugins"]["extractors"]
    return dict(plugin["config"])


def _load(sandbox: Sandbox, server: PostgresServer, settings: Mapping[str, Any]) -> None:
    """Runs `meltano run tap-leads target-postgres`."""
    env = tap_settings(sandbox) | target_settings(server)
    env |= {variable(name): str(value).lower() for name, value in settings.items()}
    with tempfile.TemporaryDirectory() as folder:
        done = run("run", "tap-leads", "target-postgres", folder=Path(folder), env=env)
    if done.returncode:
        raise RuntimeError(done.stdout)


def _filled(text: str, server: PostgresServer) -> str:
    return _QUERY.sub(lambda found: found[1] + _result(server, found[2]), text)


def _result(server: PostgresServer, query: str) -> str:
    """The result of a query as a table in Markdown; empty for a statement without a result."""
    with psycopg.connect(server.url, connect_timeout=10) as connection:
        cursor = connection.execute(query.encode())
        if not cursor.description:
            return ""
        names = [column.name for column in cursor.description]
        rows = [names, ["---"] * len(names), *cursor.fetchall()]
    return "\n" + "".join(f"| {' | '.join(map(_cell, row))} |\n" for row in rows)


def _cell(value: object) -> str:
    return "NULL" if value is None else str(value).replace("|", r"\|")
