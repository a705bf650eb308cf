"""Targets that write objects into S3; here a local server holds the bucket."""

from __future__ import annotations

import csv
import gzip
import io
import json
import urllib.request
import uuid
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote
from xml.etree import ElementTree as ET

from typing_extensions import override

from proof.targets.environment import RUN_LIMIT
from proof.targets.files import READ_PARQUET
from proof.targets.services import Services
from proof.targets.target import Row, Settings, Target

# The server asks for a signature, and does not check it.
_CREDENTIALS = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=0"
}
_NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"


class _S3(Target):
    """Objects in a bucket of its own."""

    dated = True

    @override
    def __init__(self, folder: Path, services: Services) -> None:
        super().__init__(folder, services)
        self.bucket = f"targets-{uuid.uuid4().hex}"
        self._request("PUT", "")

    def _request(self, method: str, path: str) -> bytes:
        address = f"{self.services.s3}/{self.bucket}{path}"
        request = urllib.request.Request(address, method=method, headers=_CREDENTIALS)  # noqa: S310 - our own server
        with urllib.request.urlopen(request, timeout=RUN_LIMIT) as response:  # noqa: S310 - the same
            body: bytes = response.read()
        return body

    @override
    def settings(self) -> Settings:
        return {
            "s3_bucket": self.bucket,
            "aws_endpoint_url": self.services.s3,
            "aws_access_key_id": "local",
            "aws_secret_access_key": "local",
        }

    def objects(self) -> list[bytes]:
        """The bucket's objects, oldest first."""
        listing = ET.fromstring(self._request("GET", "?list-type=2"))  # noqa: S314 - our own server
        found = [
            (entry.findtext(f"{_NAMESPACE}LastModified"), entry.findtext(f"{_NAMESPACE}Key") or "")
            for entry in listing.iter(f"{_NAMESPACE}Contents")
        ]
        return [self._request("GET", f"/{quote(key)}") for _, key in sorted(found)]


class S3Jsonl(_S3):
    """JSON, one lead per line."""

    package = program = "target-s3-jsonl"
    pins = "s3-jsonl"

    @override
    def settings(self) -> Settings:
        return {**super().settings(), "path_template": "{stream}-{date_time:%Y%m%dT%H%M%S}.jsonl"}

    @override
    def rows(self) -> list[Row]:
        # Not splitlines, which splits at more characters than "\n".
        lines = b"\n".join(self.objects()).split(b"\n")
        return [json.loads(line) for line in lines if line]


class S3Csv(_S3):
    """Texts; the target flattens by itself, record by record."""

    package = "pipelinewise-target-s3-csv"
    program = "target-s3-csv"
    variant = "PipelineWise"
    pins = "s3-csv"
    metadata: ClassVar[Settings] = {"add_metadata_columns": True}

    @override
    def settings(self) -> Settings:
        return {**super().settings(), "temp_dir": str(self.folder)}

    @override
    def rows(self) -> list[Row]:
        return [
            row
            for content in self.objects()
            for row in csv.DictReader(
                io.StringIO(content.decode(), newline=""), restkey="beyond the last column"
            )
        ]


class S3(_S3):
    """JSON, one lead per line, compressed."""

    package = "plinxore-target-s3"
    program = "target-s3"
    variant = "crowemi, plinxore; JSONL"
    pins = "s3"
    format: ClassVar[str] = "jsonl"

    @override
    def settings(self) -> Settings:
        return {
            "format": {"format_type": self.format},
            "cloud_provider": {
                "cloud_provider_type": "aws",
                "aws": {
                    "aws_bucket": self.bucket,
                    "aws_region": "us-east-1",
                    "aws_endpoint_override": self.services.s3,
                    "aws_access_key_id": "local",
                    "aws_secret_access_key": "local",
                },
            },
        }

    @override
    def rows(self) -> list[Row]:
        lines = b"\n".join(map(gzip.decompress, self.objects())).split(b"\n")
        return [json.loads(line) for line in lines if line]


class S3Parquet(S3):
    """Parquet files, with the types that the schema declares."""

    variant = "crowemi, plinxore; Parquet"
    format = "parquet"

    @override
    def rows(self) -> list[Row]:
        for number, content in enumerate(self.objects()):
            (self.folder / f"{number}.parquet").write_bytes(content)
        return self.ask(READ_PARQUET, self.folder / "*.parquet")
