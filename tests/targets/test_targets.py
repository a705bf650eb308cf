"""Whatever reads Singer gets every lead: targets old and new, and Singer's own tools.

Each has an environment of its own under `.cache/targets`, made when it is first needed. What is
promised of each target is in docs/targets.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from proof.targets import extracts
from proof.targets.comparison import EMPTY, ROUNDED
from proof.targets.databases import (
    DatamillPostgres,
    Duckdb,
    MeltanoLabsPostgres,
    PipelineWisePostgres,
    Sqlite,
)
from proof.targets.environment import installed, run
from proof.targets.files import Jsonl, MeltanoLabsCsv, Parquet, SingerCsv
from proof.targets.page import PAGE, RATE, details, row
from proof.targets.services import Services
from proof.targets.target import Target
from proof.targets.targets import TARGETS
from proof.targets.trial import Trial

QUICK = [target for target in TARGETS.values() if target.quick]
FLAT_ONLY = [DatamillPostgres, Parquet, SingerCsv]  # these lose or refuse objects by themselves
OWN_LOSSES = {PipelineWisePostgres: {EMPTY}, Duckdb: {EMPTY, ROUNDED}}


@pytest.fixture(scope="session")
def services() -> Iterator[Services]:
    """The servers that targets load into."""
    with Services() as servers:
        yield servers


def name(target: type[Target]) -> str:
    return target.__name__


def arrives(target: type[Target], way: str, services: Services) -> None:
    """Holds that every value arrives, in its row, but for what the target itself does to it."""
    load = Trial(target, services).load(way)
    assert load.error == ""
    assert not load.without
    assert (load.found.missing, load.found.surplus, dict(load.found.fields)) == (0, 0, {})
    assert load.found.bent.keys() <= OWN_LOSSES.get(target, set())


@pytest.mark.parametrize("target", [kind for kind in QUICK if kind not in FLAT_ONLY], ids=name)
def test_every_value_arrives(target: type[Target], services: Services) -> None:
    arrives(target, "default", services)


@pytest.mark.parametrize("target", QUICK, ids=name)
def test_every_value_arrives_in_a_column_of_its_type(
    target: type[Target], services: Services
) -> None:
    arrives(target, "flattened, typed", services)


@pytest.mark.parametrize(
    ("target", "deleted", "told"),
    [
        pytest.param(MeltanoLabsPostgres, "marked", True, id="meltanolabs"),
        pytest.param(PipelineWisePostgres, "stay", True, id="pipelinewise"),
        pytest.param(DatamillPostgres, "deleted", None, id="datamill"),
        pytest.param(Duckdb, "stay", True, id="duckdb"),
        pytest.param(Sqlite, "stay", None, id="sqlite"),
        pytest.param(Jsonl, "rows add up", None, id="jsonl"),
        pytest.param(MeltanoLabsCsv, "deleted", None, id="csv"),
    ],
)
def test_what_becomes_of_deleted_leads(
    target: type[Target], deleted: str, told: bool | None, services: Services
) -> None:
    """Changed and new leads are right everywhere; few targets obey ACTIVATE_VERSION.

    Elsewhere `_sdc_extracted_at` tells the deleted leads, where the target can add it.
    """
    way = "flattened, typed" if target in FLAT_ONLY else "default"
    second = Trial(target, services).second_sync(way)
    assert (second.deleted, second.told) == (deleted, told)
    assert (second.now.missing, second.now.surplus, dict(second.now.fields)) == (0, 0, {})


def test_pipelinewise_ignores_activate_version_with_hard_delete_too(
    services: Services, tmp_path: Path
) -> None:
    target = PipelineWisePostgres(tmp_path, services)
    first, second = extracts.two_syncs("default")
    for extract in (first, second):
        target.load(extract.output, hard_delete=True)
    rows = {row["id"] for row in target.rows()}
    assert rows == {record["id"] for record in first.records + second.records}


@pytest.mark.parametrize("target", [PipelineWisePostgres, Duckdb], ids=name)
def test_a_targets_own_flattening_loses_open_objects(
    target: type[Target], services: Services
) -> None:
    """As docs/targets.md warns; the tap's own loses nothing."""
    assert Trial(target, services).lost_by_own_flattening() == [
        "additional_fields",
        "custom_attributes",
    ]


def test_in_postgres_a_null_object_is_the_null_of_json(services: Services, tmp_path: Path) -> None:
    """As docs/targets.md tells, with the queries that find them."""
    target = MeltanoLabsPostgres(tmp_path, services)
    extract = extracts.leads("default")
    target.load(extract.output)

    def count(condition: str) -> int:
        query = f'SELECT count(*) FROM "{target.schema}".contacts WHERE {condition}'
        return int(services.postgres.query(query)[0][0])

    some = sum(record["additional_fields"] is not None for record in extract.records)
    assert 0 < some < len(extract.records)
    assert count("additional_fields IS NULL") == 0
    assert count("jsonb_typeof(additional_fields) = 'object'") == some
    assert count("jsonb_typeof(additional_fields) = 'null'") == len(extract.records) - some


def test_singers_own_checker_finds_nothing_wrong(tmp_path: Path) -> None:
    extract = extracts.leads("default")
    program = installed("tools") / "singer-check-tap"
    report = run(program, folder=tmp_path, sent=extract.output).decode()
    assert "The output is valid." in report
    assert f"{len(extract.records)} record messages" in report


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
    "ids": [record.record["id"] for record in records],
}))
"""


def test_singer_python_reads_each_message(tmp_path: Path) -> None:
    """As messages of their types; and each record is of the schema's types."""
    extract = extracts.leads("default")
    program = installed("tools") / "python"
    said = json.loads(run(program, "-c", READER, folder=tmp_path, sent=extract.output))
    assert said == {
        "types": ["SchemaMessage", "RecordMessage", "ActivateVersionMessage", "StateMessage"],
        "streams": ["contacts"],
        "keys": ["id"],
        "versions": 1,
        "ids": [record["id"] for record in extract.records],
    }


def without_rate(line: str) -> list[str]:
    """The cells of a row but for the one that differs from run to run."""
    cells = line.strip("| ").split(" | ")
    return [*cells[:RATE], *cells[RATE + 1 :]]


@pytest.mark.targets
@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_the_page_says_what_a_run_shows(target: type[Target], services: Services) -> None:
    report = Trial(target, services).report()
    lines = PAGE.read_text().splitlines()
    assert without_rate(row(report)) in map(without_rate, lines)
    for line in details(report):
        assert line in lines


def test_the_page_has_each_target() -> None:
    page = PAGE.read_text()
    assert [kind.name() for kind in TARGETS.values() if f"| {kind.name()} |" not in page] == []
