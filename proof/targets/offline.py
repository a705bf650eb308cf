"""Targets of services that run in the cloud only: they run here without the service."""

from __future__ import annotations

from proof.targets.databases import OLD_SETUPTOOLS
from proof.targets.target import Target, json_rows

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

TARGETS = {
    "snowflake": Target(
        "target-snowflake",
        lambda _: {
            "account": "local",
            "user": "local",
            "password": "local",
            "database": "LEADS",
            "default_target_schema": "PUBLIC",
            "clean_up_batch_files": False,
        },
        lambda destination: json_rows(destination.files("*.json.gz")),
        package="meltanolabs-target-snowflake",
        variant="MeltanoLabs",
        pins="snowflake",
        script=_SNOWFLAKE,
        offline=True,
        note="Only the files that it uploads were compared, and its table was made in an "
        "emulation.",
    ),
    "bigquery": Target(
        "target-bigquery",
        lambda _: {},
        lambda destination: json_rows(destination.files("*.output")),
        package="z3-target-bigquery",
        variant="z3z1ma",
        pins="bigquery",
        script=_BIGQUERY,
        offline=True,
        note="Only its columns, with `denormalized: true`, were compared; nothing was uploaded. "
        f"{OLD_SETUPTOOLS}",
    ),
}
