"""Whatever reads Singer gets every lead: targets new and old, and Singer's own tools.

Each has an environment of its own under `.cache/targets`, made when it is first needed.
"""

from __future__ import annotations

import csv
import fcntl
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pytest
from support.tap import Run, ids_of, run_tap
from support.warehouse import Warehouse

from demo.meltano import ROOT, tap_settings
from tap_leads.sandbox import MALFORMED, Sandbox

TIME_LIMIT = 60.0
INSTALL_LIMIT = 300.0
LONG_KEY = "Wie haben Sie von uns erfahren? 🦊 " * 8
WIDE_TEXT = "👩\u200d💻 日本語, עברית \u202e, \U0010fffd 'once' \\ \"twice\"\n\t\r ;,|"
DEEPEST_KEY = "bottom"  # of the sandbox's dirt `custom-deep`

Row: TypeAlias = dict[str, Any]
"""What a target has loaded of a lead."""


class Source(NamedTuple):
    """What the tap wrote of the leads of a workspace."""

    output: bytes
    ids: list[str]
    records: list[dict[str, Any]]


def extract(**settings: str) -> Source:
    """Syncs a workspace with every kind of dirt, and besides with long keys and wide text."""
    hard = {"name": WIDE_TEXT, LONG_KEY: 1, "custom_attributes": {LONG_KEY: WIDE_TEXT}}
    with pytest.MonkeyPatch.context() as patch, Sandbox(leads=300, faults=["types@1"]) as sandbox:
        patch.setitem(MALFORMED, "custom-list", hard)
        run = run_tap(**tap_settings(sandbox), **settings)
        assert run.code == 0, run.log
        return Source(run.output, sorted(ids_of(sandbox)), run.records)


@pytest.fixture(scope="module")
def source() -> Source:
    """What the tap wrote with the settings that it has by itself."""
    return extract()


@pytest.fixture(scope="module")
def flat_source() -> Source:
    """What the tap wrote when each custom attribute is to have a column."""
    return extract(
        TAP_LEADS_TYPED_CUSTOM_ATTRIBUTES="true",
        TAP_LEADS_FLATTENING_ENABLED="true",
        TAP_LEADS_FLATTENING_MAX_DEPTH="2",
    )


def installed(name: str) -> Path:
    """The programs of `requirements/targets-NAME.txt`, once installed for all."""
    folder = ROOT / ".cache/targets" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    pins = ROOT / f"requirements/targets-{name}.txt"
    python = folder / "bin/python"
    what = f"{sys.version}\n{pins.read_text()}"
    stamp = folder / "installed.txt"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests may run side by side
        if not stamp.exists() or stamp.read_text() != what:
            uv("venv", "--clear", "--python", sys.executable, folder)
            uv("pip", "install", "--no-deps", "--python", python, "--requirement", pins)
            stamp.write_text(what)
    return folder / "bin"


def uv(*arguments: str | Path) -> None:
    """Runs uv as `make` does."""
    own = {"UV_CACHE_DIR": str(ROOT / ".cache/uv"), "UV_PYTHON_DOWNLOADS": "never"}
    done = subprocess.run(
        [sys.executable, "-m", "uv", "--quiet", *arguments],
        env={"UV_SYSTEM_CERTS": "1", **os.environ, **own},
        capture_output=True,
        text=True,
        check=False,
        timeout=INSTALL_LIMIT,
    )
    assert done.returncode == 0, done.stderr


def read(source: Source, *program: str | Path) -> str:
    """Pipes what the tap wrote into a program, which succeeds; what the program wrote."""
    done = subprocess.run(
        program,
        input=source.output,
        env={"PATH": os.defpath},
        capture_output=True,
        check=False,
        timeout=TIME_LIMIT,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def load(source: Source, target: Path, folder: Path, **settings: object) -> None:
    """Pipes what the tap wrote into a target."""
    config = folder / "target-config.json"
    config.write_text(json.dumps(settings))
    read(source, target, "--config", config)


def jsonl(source: Source, warehouse: Warehouse) -> list[Row]:
    """target-jsonl, built on singer-python: JSON in a file."""
    target = ROOT / ".meltano/loaders/target-jsonl/venv/bin/target-jsonl"
    folder = warehouse.folder
    load(source, target, folder, destination_path=str(folder), do_timestamp_file=False)
    with (folder / "contacts.jsonl").open() as file:
        return [json.loads(line) for line in file]


def meltanolabs_csv(source: Source, warehouse: Warehouse) -> list[Row]:
    """target-csv of MeltanoLabs, built on the Singer SDK: texts in a file."""
    target = installed("csv") / "target-csv"
    load(source, target, warehouse.folder, output_path=str(warehouse.folder))
    csv.field_size_limit(10**7)
    with (warehouse.folder / "contacts.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def meltanolabs_postgres(source: Source, warehouse: Warehouse) -> list[Row]:
    """target-postgres of MeltanoLabs, built on the Singer SDK: typed columns."""
    warehouse.load(Run(0, source.output, ""))
    return in_postgres(warehouse)


def pipelinewise_postgres(source: Source, warehouse: Warehouse) -> list[Row]:
    """target-postgres of PipelineWise, built on singer-python: typed columns."""
    server = warehouse.server
    load(
        source,
        installed("pipelinewise") / "target-postgres",
        warehouse.folder,
        host=server.host,
        port=server.port,
        user=server.user,
        password=server.password,
        dbname=server.database,
        default_target_schema=warehouse.schema,
        hard_delete=True,  # by ACTIVATE_VERSION
    )
    rows = in_postgres(warehouse)
    return [{**row, "name": with_breaks(row["name"] or "")} for row in rows]


def with_breaks(text: str) -> str:
    """Undoes what this target alone does: it writes line breaks and tabs as JSON does."""
    return re.sub(r"\\[nrt]", lambda found: json.loads(f'"{found[0]}"'), text)


def in_postgres(warehouse: Warehouse) -> list[Row]:
    """The rows of a table."""
    return [row for _, row in warehouse.rows("id, to_jsonb(contacts)")]


Target: TypeAlias = Callable[[Source, Warehouse], list[Row]]
TARGETS = [jsonl, meltanolabs_csv, meltanolabs_postgres, pipelinewise_postgres]


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_loads_every_lead(target: Target, source: Source, warehouse: Warehouse) -> None:
    """Each once, none other; and neither long, wide, deep nor dirty values are bent."""
    rows = sorted(target(source, warehouse), key=itemgetter("id"))
    assert [row["id"] for row in rows] == source.ids
    records = sorted(source.records, key=itemgetter("id"))
    for field in ("name", "referrer"):
        assert [row[field] or "" for row in rows] == [record[field] or "" for record in records]
    for text in (LONG_KEY, DEEPEST_KEY):
        expected = [text in str(record["custom_attributes"]) for record in records]
        assert [text in str(row["custom_attributes"]) for row in rows] == expected
        assert any(expected)


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_loads_every_lead_with_a_column_for_each_custom_attribute(
    target: Target, flat_source: Source, warehouse: Warehouse
) -> None:
    rows = sorted(target(flat_source, warehouse), key=itemgetter("id"))
    assert [row["id"] for row in rows] == flat_source.ids
    assert any(row["custom_attributes__job_title"] for row in rows)


def test_singers_own_checker_finds_nothing_wrong(source: Source) -> None:
    report = read(source, installed("tools") / "singer-check-tap")
    assert "The output is valid." in report
    assert f"{len(source.ids)} record messages" in report


READER = """
import json, sys, singer
messages = [singer.parse_message(line) for line in sys.stdin]
schema, *records, version, state = messages
checker = singer.Transformer()
for record in records:
    checker.transform(record.record, schema.schema)
print(json.dumps({
    "types": [type(message).__name__ for message in (schema, records[0], version, state)],
    "streams": sorted({message.stream for message in (schema, *records, version)}),
    "keys": schema.key_properties,
    "versions": len({message.version for message in (*records, version)}),
    "ids": sorted(record.record["id"] for record in records),
}))
"""


def test_singer_python_reads_each_message(source: Source) -> None:
    """As messages of their types; and each record is of the schema's types."""
    said = json.loads(read(source, installed("tools") / "python", "-c", READER))
    assert said == {
        "types": ["SchemaMessage", "RecordMessage", "ActivateVersionMessage", "StateMessage"],
        "streams": ["contacts"],
        "keys": ["id"],
        "versions": 1,
        "ids": source.ids,
    }
