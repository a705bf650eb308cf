"""A schema in a real PostgreSQL, and the loader that fills it."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.meltano import ROOT
from demo.postgres import PostgresServer
from support import fork_server
from support.fork_server import Program
from support.tap import TIME_LIMIT, Run, Workbench
from tap_leads.sandbox import Sandbox

_ENVIRONMENT = ROOT / ".meltano/loaders/target-postgres/venv/bin"
TARGET = Program(
    str(_ENVIRONMENT / "python"), "target_postgres.target", str(_ENVIRONMENT / "target-postgres")
)


@dataclass(frozen=True)
class Warehouse:
    """A schema of its own in PostgreSQL, and the loader that fills it."""

    server: PostgresServer
    schema: str
    folder: Path

    @classmethod
    def empty(cls, server: PostgresServer, folder: Path) -> Warehouse:
        """A schema that has no table."""
        return cls(server, f"test_{uuid.uuid4().hex}", folder)

    def sync(self, sandbox: Sandbox, *, code: int = 0, **settings: Any) -> Run:
        """Loads what a sync wrote that ended with this exit code; deletes what it deletes."""
        run = Workbench(self.folder).sync(sandbox, **settings)
        assert run.code == code, run.log
        self.load(run.output, hard_delete=True)
        return run

    def load(self, messages: bytes, **settings: object) -> None:
        """Lets target-postgres read messages."""
        config = self.folder / "target.json"
        base = self.login | {"default_target_schema": self.schema}
        config.write_text(json.dumps(base | settings))
        stdin = self.folder / "messages.jsonl"
        stdin.write_bytes(messages)
        arguments = ["--config", str(config)]
        with fork_server.start(arguments, os.environ, TARGET, stdin.open("rb")) as target:
            output, log = target.communicate(TIME_LIMIT)
        if target.returncode:
            raise subprocess.CalledProcessError(target.returncode, arguments, output, log)

    def copy(self) -> Warehouse:
        """Another schema with the same leads."""
        copy = Warehouse.empty(self.server, self.folder)
        table, own = (f'"{one.schema}".contacts' for one in (copy, self))
        self.server.query(f'CREATE SCHEMA "{copy.schema}"')
        self.server.query(f"CREATE TABLE {table} (LIKE {own} INCLUDING ALL)")
        self.server.query(f"INSERT INTO {table} SELECT * FROM {own}")
        return copy

    @property
    def login(self) -> dict[str, object]:
        """What a program needs to connect to the database."""
        names = ("host", "port", "user", "password", "database")
        return {name: getattr(self.server, name) for name in names}

    def columns(self) -> dict[str, str]:
        """The name of each column -> its type."""
        columns = "SELECT column_name, data_type FROM information_schema.columns"
        return dict(self.server.query(f"{columns} WHERE table_schema = %s", (self.schema,)))

    def rows(self, columns: str = "id", table: str = "contacts") -> list[tuple[Any, ...]]:
        """The rows of a table, ordered by id."""
        return self.server.query(f'SELECT {columns} FROM "{self.schema}".{table} ORDER BY id')

    def ids(self) -> list[str]:
        """The ids of the rows that are not marked as deleted."""
        rows = self.rows("id, _sdc_deleted_at")
        return [identity for identity, deleted in rows if deleted is None]
