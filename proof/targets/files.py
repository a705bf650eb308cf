"""Targets that write files, here and in S3, where a local server holds the bucket; and a mapper."""

from __future__ import annotations

import json

from proof.targets.databases import OLD_PYTHON, OLD_SETUPTOOLS
from proof.targets.target import Destination, Settings, Target, csv_rows, json_rows, records


def _singer_io(destination: Destination) -> Settings:
    return {"destination_path": str(destination.folder), "disable_collection": True}


def _s3(destination: Destination) -> Settings:
    return {
        "s3_bucket": destination.bucket,
        "aws_endpoint_url": destination.services.s3,
        "aws_access_key_id": "local",
        "aws_secret_access_key": "local",
    }


def _cloud(destination: Destination, form: str) -> Settings:
    aws = {
        "aws_bucket": destination.bucket,
        "aws_region": "us-east-1",
        "aws_endpoint_override": destination.services.s3,
        "aws_access_key_id": "local",
        "aws_secret_access_key": "local",
    }
    return {
        "format": {"format_type": form},
        "cloud_provider": {"cloud_provider_type": "aws", "aws": aws},
    }


TARGETS = {
    "jsonl": Target(
        "target-jsonl",
        lambda destination: {
            "destination_path": str(destination.folder),
            "do_timestamp_file": False,
        },
        lambda destination: json_rows(destination.files("contacts.jsonl")),
        quick=True,
    ),
    "singer-jsonl": Target(
        "target-singer-jsonl",
        lambda destination: {
            "destination": "local",
            "local": {"folder": str(destination.folder)},
        },
        lambda destination: records(destination.files("contacts/*.singer.gz")),
        pins="singer-jsonl",
        dated=True,
    ),
    "localjson": Target(
        "target-localjson",
        lambda destination: {"dest_dir": str(destination.folder), "disable_collection": True},
        lambda destination: [
            json.loads(message)["record"] for message in destination.files("contacts/*.json")
        ],
        pins="localjson",
        note=OLD_SETUPTOOLS,
    ),
    "csv": Target(
        "target-csv",
        lambda destination: {"output_path": str(destination.folder)},
        lambda destination: csv_rows(destination.files("contacts.csv")),
        package="meltanolabs-target-csv",
        variant="MeltanoLabs",
        pins="csv",
        fast={"validate_records": False},
        quick=True,
        note="Objects and lists are written as Python writes them, not as JSON.",
    ),
    "singer-csv": Target(
        "target-csv",
        _singer_io,
        lambda destination: csv_rows(destination.files("contacts-*.csv")),
        variant="singer-io",
        pins="singer-csv",
        dated=True,
        quick=True,
        note=f"{OLD_PYTHON} {OLD_SETUPTOOLS}",
    ),
    "parquet": Target(
        "target-parquet",
        _singer_io,
        lambda destination: destination.parquet_rows(destination.files("contacts-*.parquet")),
        variant="singer-io",
        pins="parquet",
        dated=True,
        quick=True,
        note=f"{OLD_PYTHON} {OLD_SETUPTOOLS}",
    ),
    "s3-jsonl": Target(
        "target-s3-jsonl",
        lambda destination: {
            **_s3(destination),
            "path_template": "{stream}-{date_time:%Y%m%dT%H%M%S}.jsonl",
        },
        lambda destination: json_rows(destination.objects()),
        pins="s3-jsonl",
        dated=True,
    ),
    "s3-csv": Target(
        "target-s3-csv",
        lambda destination: {**_s3(destination), "temp_dir": str(destination.folder)},
        lambda destination: csv_rows(destination.objects()),
        package="pipelinewise-target-s3-csv",
        variant="PipelineWise",
        pins="s3-csv",
        metadata={"add_metadata_columns": True},
        dated=True,
    ),
    "s3": Target(
        "target-s3",
        lambda destination: _cloud(destination, "jsonl"),
        lambda destination: json_rows(destination.objects()),
        package="plinxore-target-s3",
        variant="crowemi, plinxore; JSONL",
        pins="s3",
        dated=True,
    ),
    "s3-parquet": Target(
        "target-s3",
        lambda destination: _cloud(destination, "parquet"),
        lambda destination: destination.parquet_rows(destination.objects()),
        package="plinxore-target-s3",
        variant="crowemi, plinxore; Parquet",
        pins="s3",
        dated=True,
    ),
    "mapper": Target(
        "meltano-map-transform",
        lambda _: {"stream_maps": {}},
        lambda destination: records(destination.files("*.output")),
        variant="a mapper",
        pins="mapper",
    ),
}
