"""Targets that load into a database of this machine."""

from __future__ import annotations

import json
import re
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from proof.targets.services import Services
from proof.targets.target import OLD_PYTHON, OLD_SETUPTOOLS, Row, Settings, Target


class _Postgres(Target):
    """Rows in a schema of its own."""

    program = "target-postgres"
    quick = True

    @override
    def __init__(self, folder: Path, services: Services) -> None:
        super().__init__(folder, services)
        self.server = services.postgres
        self.schema = f"targets_{uuid.uuid4().hex}"

    @override
    def rows(self) -> list[Row]:
        query = f'SELECT to_jsonb(c) FROM "{self.schema}".contacts c'  # noqa: S608 - our own name
        return [row for (row,) in self.server.query(query)]


class MeltanoLabsPostgres(_Postgres):
    """Typed columns; objects and lists in jsonb."""

    package = "meltanolabs-target-postgres"
    variant = "MeltanoLabs"
    fast: ClassVar[Settings] = {"use_copy": True, "validate_records": False}

    @override
    def settings(self) -> Settings:
        return {
            "host": self.server.host,
            "port": self.server.port,
            "user": self.server.user,
            "password": self.server.password,
            "database": self.server.database,
            "default_target_schema": self.schema,
        }


class PipelineWisePostgres(_Postgres):
    """Typed columns; objects and lists in jsonb."""

    package = "pipelinewise-target-postgres"
    variant = "PipelineWise"
    pins = "pipelinewise"
    metadata: ClassVar[Settings] = {"add_metadata_columns": True}
    own_flattening: ClassVar[Settings] = {"data_flattening_max_level": 2}
    note = "Writes line breaks and tabs in texts as `\\n`, `\\r` and `\\t`."

    @override
    def settings(self) -> Settings:
        return {
            "host": self.server.host,
            "port": self.server.port,
            "user": self.server.user,
            "password": self.server.password,
            "dbname": self.server.database,
            "default_target_schema": self.schema,
        }

    @override
    def rows(self) -> list[Row]:
        # The note is all that texts may differ by; JSON in a text has such escapes of its own.
        return [
            {
                name: re.sub(r"\\[nrt]", lambda found: json.loads(f'"{found[0]}"'), value)
                if isinstance(value, str) and not value.startswith("{")
                else value
                for name, value in row.items()
            }
            for row in super().rows()
        ]


class DatamillPostgres(_Postgres):
    """Typed columns; lists in tables of their own, objects in a column per property."""

    package = "singer-target-postgres"
    variant = "Datamill"
    pins = "datamill"
    note = OLD_SETUPTOOLS

    @override
    def settings(self) -> Settings:
        return {
            "postgres_host": self.server.host,
            "postgres_port": self.server.port,
            "postgres_username": self.server.user,
            "postgres_password": self.server.password,
            "postgres_database": self.server.database,
            "postgres_schema": self.schema,
            "disable_collection": True,
        }

    @override
    def pipe(self, output: bytes, **more: object) -> bytes:
        self.server.query(f'CREATE SCHEMA IF NOT EXISTS "{self.schema}"')
        return super().pipe(output, **more)


class Duckdb(Target):
    """Typed columns in a file; objects and lists as JSON."""

    package = program = "target-duckdb"
    variant = "jwills"
    pins = "duckdb"
    metadata: ClassVar[Settings] = {"add_metadata_columns": True}
    own_flattening: ClassVar[Settings] = {"data_flattening_max_level": 2}
    quick = True
    note = (
        "With DuckDB 1.5 and 2.0 it was seen to drop the first row without a warning: use 1.1.3, "
        "as here."
    )

    @override
    def settings(self) -> Settings:
        return {"path": str(self.folder / "leads.duckdb"), "default_target_schema": "main"}

    @override
    def rows(self) -> list[Row]:
        read = (
            "import duckdb, sys; [print(row) for (row,) in duckdb.connect(sys.argv[1])"
            ".execute('SELECT to_json(c) FROM main.contacts c').fetchall()]"
        )
        return self.ask(read, self.folder / "leads.duckdb")


class Sqlite(Target):
    """Columns in a file; objects and lists as text."""

    package = program = "target-sqlite"
    pins = "sqlite"
    note = OLD_PYTHON
    quick = True

    @override
    def settings(self) -> Settings:
        return {"database": str(self.folder / "leads")}

    @override
    def rows(self) -> list[Row]:
        with closing(sqlite3.connect(self.folder / "leads.db")) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute("SELECT * FROM contacts")]
