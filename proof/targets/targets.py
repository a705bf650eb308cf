"""All targets, in the order of the page."""

from __future__ import annotations

from proof.targets import databases, files, offline, storage
from proof.targets.target import Target

TARGETS: dict[str, type[Target]] = {
    "postgres": databases.MeltanoLabsPostgres,
    "pipelinewise-postgres": databases.PipelineWisePostgres,
    "datamill-postgres": databases.DatamillPostgres,
    "duckdb": databases.Duckdb,
    "sqlite": databases.Sqlite,
    "jsonl": files.Jsonl,
    "singer-jsonl": files.SingerJsonl,
    "localjson": files.LocalJson,
    "csv": files.MeltanoLabsCsv,
    "singer-csv": files.SingerCsv,
    "parquet": files.Parquet,
    "s3-jsonl": storage.S3Jsonl,
    "s3-csv": storage.S3Csv,
    "s3": storage.S3,
    "s3-parquet": storage.S3Parquet,
    "snowflake": offline.Snowflake,
    "bigquery": offline.BigQuery,
    "mapper": files.Mapper,
}
"""The name to ask for it by -> the target."""
