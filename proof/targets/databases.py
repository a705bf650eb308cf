"""Targets that load into a database of this machine."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing

from proof.targets.target import Destination, Row, Settings, Target

OLD_PYTHON = "It uses names that Python 3.10 removed, which are put back here: use Python 3.9."
OLD_SETUPTOOLS = "Install `setuptools<81` beside it."


def _postgres(
    destination: Destination,
    prefix: str = "",
    user: str = "user",
    database: str = "database",
    schema: str = "default_target_schema",
) -> Settings:
    """The settings for PostgreSQL, by the names that a target has for them."""
    server = destination.services.postgres
    return {
        f"{prefix}host": server.host,
        f"{prefix}port": server.port,
        f"{prefix}{user}": server.user,
        f"{prefix}password": server.password,
        f"{prefix}{database}": server.database,
        f"{prefix}{schema}": destination.schema,
    }


def _postgres_rows(destination: Destination) -> list[Row]:
    query = f"SELECT to_jsonb(c) FROM {destination.schema}.contacts c"  # noqa: S608 - our own name
    return [row for (row,) in destination.services.postgres.query(query)]


def _pipelinewise_rows(destination: Destination) -> list[Row]:
    """The rows with the texts as they were sent; JSON in a text has such escapes of its own."""

    def unescaped(value: object) -> object:
        if not isinstance(value, str) or value.startswith("{"):
            return value
        return re.sub(r"\\[nrt]", lambda found: json.loads(f'"{found[0]}"'), value)

    rows = _postgres_rows(destination)
    return [{name: unescaped(value) for name, value in row.items()} for row in rows]


_READ_DUCKDB = (
    "import duckdb, sys; [print(row) for (row,) in duckdb.connect(sys.argv[1])"
    ".execute('SELECT to_json(c) FROM main.contacts c').fetchall()]"
)


def _sqlite_rows(destination: Destination) -> list[Row]:
    with closing(sqlite3.connect(destination.folder / "leads.db")) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute("SELECT * FROM contacts")]


TARGETS = {
    "postgres": Target(
        "target-postgres",
        _postgres,
        _postgres_rows,
        package="meltanolabs-target-postgres",
        variant="MeltanoLabs",
        fast={"use_copy": True, "validate_records": False},
        quick=True,
    ),
    "pipelinewise-postgres": Target(
        "target-postgres",
        lambda destination: _postgres(destination, database="dbname"),
        _pipelinewise_rows,
        package="pipelinewise-target-postgres",
        variant="PipelineWise",
        pins="pipelinewise",
        metadata={"add_metadata_columns": True},
        own_flattening={"data_flattening_max_level": 2},
        quick=True,
        note="Writes line breaks and tabs in texts as `\\n`, `\\r` and `\\t`.",
    ),
    "datamill-postgres": Target(
        "target-postgres",
        lambda destination: {
            **_postgres(destination, "postgres_", user="username", schema="schema"),
            "disable_collection": True,
        },
        _postgres_rows,
        package="singer-target-postgres",
        variant="Datamill",
        pins="datamill",
        quick=True,
        note=OLD_SETUPTOOLS,
    ),
    "duckdb": Target(
        "target-duckdb",
        lambda destination: {
            "path": str(destination.folder / "leads.duckdb"),
            "default_target_schema": "main",
        },
        lambda destination: destination.ask(_READ_DUCKDB, destination.folder / "leads.duckdb"),
        variant="jwills",
        pins="duckdb",
        metadata={"add_metadata_columns": True},
        own_flattening={"data_flattening_max_level": 2},
        quick=True,
        note="With DuckDB 1.5 and 2.0, it drops the first row without a warning: use 1.1.3, as "
        "here.",
    ),
    "sqlite": Target(
        "target-sqlite",
        lambda destination: {"database": str(destination.folder / "leads")},
        _sqlite_rows,
        pins="sqlite",
        quick=True,
        note=OLD_PYTHON,
    ),
}
