"""Targets that write files."""

from __future__ import annotations

import csv
import gzip
import json
from itertools import chain
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from proof.targets.target import OLD_PYTHON, OLD_SETUPTOOLS, Row, Settings, Target

csv.field_size_limit(10**7)

READ_PARQUET = """
import glob, json, sys
import pyarrow.parquet
for path in sorted(glob.glob(sys.argv[1], recursive=True)):
    for row in pyarrow.parquet.ParquetFile(path).read().to_pylist():
        print(json.dumps(row, default=str))
"""


def json_lines(path: Path) -> list[Row]:
    """The rows of a file with one JSON object per line."""
    with path.open(encoding="utf-8") as file:  # not splitlines, which splits at more than "\n"
        return [json.loads(line) for line in file]


def csv_rows(path: Path) -> list[Row]:
    """The rows of a CSV file with a header."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, restkey="beyond the last column"))


class Jsonl(Target):
    """JSON in a file."""

    package = program = "target-jsonl"
    quick = True

    @override
    def settings(self) -> Settings:
        return {"destination_path": str(self.folder), "do_timestamp_file": False}

    @override
    def rows(self) -> list[Row]:
        return json_lines(self.folder / "contacts.jsonl")


class MeltanoLabsCsv(Target):
    """Texts in a file, which each sync writes from its beginning."""

    package = "meltanolabs-target-csv"
    variant = "MeltanoLabs"
    program = "target-csv"
    pins = "csv"
    quick = True
    fast: ClassVar[Settings] = {"validate_records": False}
    note = "Objects and lists are written as Python writes them, not as JSON."

    @override
    def settings(self) -> Settings:
        return {"output_path": str(self.folder)}

    @override
    def rows(self) -> list[Row]:
        return csv_rows(self.folder / "contacts.csv")


class SingerCsv(Target):
    """Texts in a file per sync; its columns are those of the first record."""

    package = program = "target-csv"
    variant = "singer-io"
    pins = "singer-csv"
    note = f"{OLD_PYTHON} {OLD_SETUPTOOLS}"
    dated = True
    quick = True

    @override
    def settings(self) -> Settings:
        return {"destination_path": str(self.folder), "disable_collection": True}

    @override
    def rows(self) -> list[Row]:
        files = sorted(self.folder.glob("contacts-*.csv"))
        return list(chain.from_iterable(map(csv_rows, files)))


class SingerJsonl(Target):
    """Singer messages in a file."""

    package = program = "target-singer-jsonl"
    pins = "singer-jsonl"
    dated = True

    @override
    def settings(self) -> Settings:
        return {"destination": "local", "local": {"folder": str(self.folder)}}

    @override
    def rows(self) -> list[Row]:
        files = sorted(self.folder.glob("contacts/*.singer.gz"))
        lines = b"".join(gzip.decompress(path.read_bytes()) for path in files).split(b"\n")
        messages = [json.loads(line) for line in lines if line]
        return [message["record"] for message in messages if message["type"] == "RECORD"]


class LocalJson(Target):
    """Each record's message in a file of its own."""

    package = program = "target-localjson"
    pins = "localjson"
    note = OLD_SETUPTOOLS

    @override
    def settings(self) -> Settings:
        return {"dest_dir": str(self.folder), "disable_collection": True}

    @override
    def rows(self) -> list[Row]:
        files = sorted(
            self.folder.glob("contacts/*.json"), key=lambda path: path.stat().st_mtime_ns
        )
        return [json.loads(path.read_text())["record"] for path in files]


class Parquet(Target):
    """A Parquet file per sync, with the types that pandas finds."""

    package = program = "target-parquet"
    variant = "singer-io"
    pins = "parquet"
    note = f"{OLD_PYTHON} {OLD_SETUPTOOLS}"
    dated = True
    quick = True

    @override
    def settings(self) -> Settings:
        return {"destination_path": str(self.folder), "disable_collection": True}

    @override
    def rows(self) -> list[Row]:
        return self.ask(READ_PARQUET, self.folder / "contacts-*.parquet")


class Mapper(Target):
    """Not a target but a mapper between tap and target; its output is read here."""

    package = program = "meltano-map-transform"
    variant = "a mapper"
    pins = "mapper"

    outputs: ClassVar[str] = "*.singer"

    @override
    def settings(self) -> Settings:
        return {"stream_maps": {}}

    @override
    def pipe(self, output: bytes, **more: object) -> bytes:
        number = len(list(self.folder.glob(self.outputs)))
        written = super().pipe(output, **more)
        (self.folder / f"{number}.singer").write_bytes(written)
        return written

    @override
    def rows(self) -> list[Row]:
        files = sorted(self.folder.glob(self.outputs))
        messages = chain.from_iterable(map(json_lines, files))
        return [message["record"] for message in messages if message["type"] == "RECORD"]
