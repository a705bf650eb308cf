"""Targets of services that no machine of one's own can run: as far as they get without it."""

from __future__ import annotations

import gzip
import json

from typing_extensions import override

from proof.targets.environment import run
from proof.targets.target import OLD_SETUPTOOLS, Row, Settings, Target

# The table is made in fakesnow, an emulation that knows no stages: what would be put there is kept.
_SNOWFLAKE = """
import shutil, sys
import fakesnow, snowflake.connector
from target_snowflake.connector import SnowflakeConnector
from target_snowflake.target import TargetSnowflake

def keep(self, sync_id, files):
    for file in files:
        shutil.copy(file.removeprefix("file://"), ".")

SnowflakeConnector.put_batches_to_stage = keep
for name in ("create_file_format", "drop_file_format", "remove_staged_files"):
    setattr(SnowflakeConnector, name, lambda *_, **__: None)
for name in ("merge_from_stage", "copy_from_stage"):
    setattr(SnowflakeConnector, name, lambda *_, **__: 0)
with fakesnow.patch():
    snowflake.connector.connect(database="LEADS", schema="PUBLIC")
    TargetSnowflake.cli(["--config", sys.argv[1]])
"""

# Only what has a column, or a field in a record, is in the table: BigQuery refuses all else.
_BIGQUERY = """
import json, sys
from target_bigquery.core import SchemaTranslator

def kept(field, value):
    if value is None or field.field_type != "RECORD":
        return value
    if field.mode == "REPEATED":
        return [record(field.fields, inner) for inner in value]
    return record(field.fields, value)

def record(fields, value):
    return {field.name: kept(field, value[field.name]) for field in fields if field.name in value}

for line in sys.stdin:
    message = json.loads(line)
    if message["type"] == "SCHEMA":
        fields = SchemaTranslator(message["schema"], {}).translated_schema
    elif message["type"] == "RECORD":
        print(json.dumps(record(fields, message["record"])))
"""


class Snowflake(Target):
    """The files that it would upload, compressed JSON."""

    package = "meltanolabs-target-snowflake"
    program = "target-snowflake"
    variant = "MeltanoLabs"
    pins = "snowflake"
    offline = True
    note = "Only the files that it uploads were compared, and its table was made in an emulation."

    @override
    def settings(self) -> Settings:
        return {
            "account": "local",
            "user": "local",
            "password": "local",
            "database": "LEADS",
            "default_target_schema": "PUBLIC",
            "clean_up_batch_files": False,
        }

    @override
    def pipe(self, output: bytes, **more: object) -> bytes:
        python = self.programs() / "python"
        config = self.config(**more)
        return run(python, "-c", _SNOWFLAKE, config, folder=self.folder, sent=output)

    @override
    def rows(self) -> list[Row]:
        contents = (gzip.decompress(path.read_bytes()) for path in self.folder.glob("*.json.gz"))
        return [json.loads(line) for content in contents for line in content.split(b"\n") if line]


class BigQuery(Target):
    """The columns that it would make, and what of each record has its place there."""

    package = "z3-target-bigquery"
    program = "target-bigquery"
    variant = "z3z1ma"
    pins = "bigquery"
    offline = True
    note = (
        "Only its columns, with `denormalized: true`, were compared; nothing was uploaded. "
        f"{OLD_SETUPTOOLS}"
    )

    @override
    def settings(self) -> Settings:
        return {}

    @override
    def pipe(self, output: bytes, **more: object) -> bytes:
        python = self.programs() / "python"
        written = run(python, "-c", _BIGQUERY, folder=self.folder, sent=output)
        (self.folder / "rows.jsonl").write_bytes(written)
        return written

    @override
    def rows(self) -> list[Row]:
        lines = (self.folder / "rows.jsonl").read_bytes().split(b"\n")
        return [json.loads(line) for line in lines if line]
