"""A schema in a real PostgreSQL, and the loader that fills it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.meltano import ROOT
from demo.postgres import PostgresServer
from support.tap import TIME_LIMIT, Run


@dataclass(frozen=True)
class Warehouse:
    """A schema of its own in PostgreSQL, and the loader that fills it."""

    server: PostgresServer
    schema: str
    folder: Path

    def load(self, run: Run, **settings: object) -> None:
        """Pipes what the tap wrote into target-postgres, also if the tap failed midway."""
        base = {
            "host": self.server.host,
            "port": self.server.port,
            "user": self.server.user,
            "password": self.server.password,
            "database": self.server.database,
            "default_target_schema": self.schema,
        }
        config = self.folder / "target.json"
        config.write_text(json.dumps(base | settings))
        program = ROOT / ".meltano/loaders/target-postgres/venv/bin/target-postgres"
        subprocess.run(
            [program, "--config", config],
            input=run.output,
            capture_output=True,
            check=True,
            timeout=TIME_LIMIT,
        )

    def copy(self, schema: str) -> Warehouse:
        """Another schema with the same leads."""
        self.server.query(f'CREATE SCHEMA "{schema}"')
        table = f'"{schema}".contacts'
        own = f'"{self.schema}".contacts'
        self.server.query(f"CREATE TABLE {table} (LIKE {own} INCLUDING ALL)")
        self.server.query(f"INSERT INTO {table} SELECT * FROM {own}")
        return Warehouse(self.server, schema, self.folder)

    def rows(self, columns: str = "id", table: str = "contacts") -> list[tuple[Any, ...]]:
        """The rows of a table, ordered by id."""
        return self.server.query(f'SELECT {columns} FROM "{self.schema}".{table} ORDER BY id')

    def ids(self, table: str = "contacts") -> list[str]:
        """The ids of the rows that are not marked as deleted."""
        rows = self.rows("id, _sdc_deleted_at", table)
        return [identity for identity, deleted in rows if deleted is None]
