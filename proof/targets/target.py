"""A target, and a destination of its own: it is filled, and its rows are read back."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias
from urllib.parse import quote
from xml.etree import ElementTree as ET

from demo import environments
from demo.meltano import ROOT
from proof.targets.process import run
from proof.targets.services import Services

Row: TypeAlias = dict[str, Any]
"""What a target has loaded of a lead: the value of each column."""

Settings: TypeAlias = Mapping[str, Any]

# Python 3.10 removed these names from `collections`; targets from before it use them. On such a
# target's own Python nothing would be missing.
_OLD_NAMES = """\
import collections, collections.abc
for _name in ("Mapping", "MutableMapping", "Sequence"):
    setattr(collections, _name, getattr(collections.abc, _name))
"""

_READ_PARQUET = """
import json, sys, pyarrow, pyarrow.parquet
file = pyarrow.BufferReader(sys.stdin.buffer.read())
for row in pyarrow.parquet.ParquetFile(file).read().to_pylist():
    print(json.dumps(row, default=str))
"""

csv.field_size_limit(10**7)


def programs_of(pins: str) -> Path:
    """The folder with the programs of `requirements/targets-PINS.txt`.

    Raises:
        NotInstalledError: The packages could not be installed.
    """
    return environments.installed(f"targets-{pins}", startup=_OLD_NAMES)


@dataclass(frozen=True)
class Target:
    """A target, and what is known of it.

    Attributes:
        program: The program.
        settings: Makes the settings that send it to a destination; the others are the defaults,
            or `fast`.
        rows: Reads all that is at a destination.
        package: Its name on the package index, where that is not the program's.
        variant: Who maintains it, where several have its name.
        pins: The name of its pins, `requirements/targets-PINS.txt`; none for Meltano's plugins.
        script: Python code to run in place of the program.
        metadata: The settings that add the columns `_sdc_…`, if it does not do that anyway.
        fast: The settings that make it fastest. All loads have them, so that the comparison shows
            that no value is lost by them.
        own_flattening: The settings that make the target flatten, if it can.
        dated: Whether the second of the load is in the name of its file.
        offline: Whether it is tried without the service that it loads into; then only loads are.
        quick: Whether it is fast enough to run with all other tests.
        note: What a user should know of it besides what the comparison finds.
    """

    program: str
    settings: Callable[[Destination], Settings]
    rows: Callable[[Destination], list[Row]]
    package: str = ""
    variant: str = ""
    pins: str = ""
    script: str = ""
    metadata: Settings = field(default_factory=dict)
    fast: Settings = field(default_factory=dict)
    own_flattening: Settings = field(default_factory=dict)
    dated: bool = False
    offline: bool = False
    quick: bool = False
    note: str = ""

    @property
    def title(self) -> str:
        """The program and who maintains it."""
        return f"{self.program} ({self.variant})" if self.variant else self.program

    @property
    def name(self) -> str:
        """The title and the pinned version."""
        pins = f"requirements/targets-{self.pins}.txt" if self.pins else "meltano.yml"
        wanted = rf"\b{self.package or self.program}==(\S+)"
        found = re.search(wanted, (ROOT / pins).read_text())
        return f"{self.title} {found[1] if found else 'unknown'}"

    def programs(self) -> Path:
        """The folder with its program.

        Raises:
            NotInstalledError: It could not be installed.
        """
        plugin = ROOT / ".meltano/loaders" / self.program / "venv/bin"
        return programs_of(self.pins) if self.pins else plugin

    @contextmanager
    def destination(self, services: Services) -> Iterator[Destination]:
        """An empty destination."""
        with TemporaryDirectory(prefix="target-") as folder:
            yield Destination(self, Path(folder), services)


class Destination:
    """Where one target loads to, empty at first.

    Args:
        target: The target.
        folder: An empty folder, for its configuration and, if it writes files, for these.
        services: The servers that some targets load into.
    """

    def __init__(self, target: Target, folder: Path, services: Services) -> None:
        self.target = target
        self.folder = folder
        self.services = services
        self._name = f"targets{uuid.uuid4().hex}"

    @cached_property
    def schema(self) -> str:
        """A schema in PostgreSQL, made when it is first needed."""
        self.services.postgres.query(f"CREATE SCHEMA {self._name}")
        return self._name

    @cached_property
    def bucket(self) -> str:
        """A bucket of the S3 server, made when it is first needed."""
        self.services.request("PUT", self._name)
        return self._name

    def load(self, output: bytes, **more: object) -> None:
        """Loads what the tap wrote.

        Args:
            output: What the tap wrote.
            more: Further settings.

        Raises:
            ProgramError: The target failed.
        """
        self.pipe(output, **more)
        if self.target.dated:  # or the next load would overwrite the file
            time.sleep(1 - time.time() % 1)

    def pipe(self, output: bytes, **more: object) -> None:
        """Like `load`, and lets the next load overwrite a dated file; keeps what the target wrote.

        Raises:
            ProgramError: The target failed.
        """
        config = self.folder / "config.json"
        settings = {**self.target.settings(self), **self.target.fast, **more}
        config.write_text(json.dumps(settings))
        programs, script = self.target.programs(), self.target.script
        command: list[str | Path] = [programs / self.target.program, "--config", config]
        if script:
            command = [programs / "python", "-c", script, config]
        written = run(*command, folder=self.folder, sent=output)
        (self.folder / f"{time.monotonic_ns()}.output").write_bytes(written)

    def rows(self) -> list[Row]:
        """All that is at the destination."""
        return self.target.rows(self)

    def files(self, pattern: str) -> Iterator[bytes]:
        """The contents of the folder's files, oldest first, and unpacked."""
        paths = sorted(self.folder.glob(pattern), key=lambda path: path.stat().st_mtime_ns)
        for path in paths:
            yield _unpacked(path.read_bytes())

    def objects(self) -> Iterator[bytes]:
        """The contents of the bucket's objects, oldest first, and unpacked."""
        space = "{http://s3.amazonaws.com/doc/2006-03-01/}"
        listing = ET.fromstring(self.services.request("GET", f"{self.bucket}?list-type=2"))  # noqa: S314 - our own server
        found = [
            (entry.findtext(f"{space}LastModified"), entry.findtext(f"{space}Key") or "")
            for entry in listing.iter(f"{space}Contents")
        ]
        for _, key in sorted(found):
            yield _unpacked(self.services.request("GET", f"{self.bucket}/{quote(key)}"))

    def ask(self, script: str, *arguments: str | Path, sent: bytes = b"") -> list[Row]:
        """Runs a script in the target's environment, which has the library to read the rows."""
        python = self.target.programs() / "python"
        return json_rows([run(python, "-c", script, *arguments, folder=self.folder, sent=sent)])

    def parquet_rows(self, contents: Iterable[bytes]) -> list[Row]:
        """The rows of Parquet files."""
        return [row for content in contents for row in self.ask(_READ_PARQUET, sent=content)]


def _unpacked(content: bytes) -> bytes:
    return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content


def json_rows(contents: Iterable[bytes]) -> list[Row]:
    """The rows of files with one JSON object per line."""
    # Not splitlines, which splits texts at more characters than "\n".
    return [json.loads(line) for content in contents for line in content.split(b"\n") if line]


def records(contents: Iterable[bytes]) -> list[Row]:
    """The records of files with Singer messages."""
    return [row["record"] for row in json_rows(contents) if row["type"] == "RECORD"]


def csv_rows(contents: Iterable[bytes]) -> list[Row]:
    """The rows of CSV files with a header."""
    texts = (io.StringIO(content.decode(), newline="") for content in contents)
    return [row for text in texts for row in csv.DictReader(text, restkey="beyond the last column")]
