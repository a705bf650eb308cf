"""Every program that reads Singer gets every lead: targets old and new, and Singer's own tools.

Each has an environment of its own under `.cache/environments`, made when it is first needed.
docs/targets.md says what each target keeps.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.cases import cases

from proof.targets import extracts
from proof.targets.comparison import EMPTY, ROUNDED
from proof.targets.page import PAGE, RATES, details, rate, row
from proof.targets.process import run
from proof.targets.services import Services
from proof.targets.target import programs_of
from proof.targets.targets import TARGETS
from proof.targets.trial import load, lost_by_own_flattening, report_on, second_sync

QUICK = [name for name, target in TARGETS.items() if target.quick]
FLAT_ONLY = ["datamill-postgres", "parquet", "singer-csv"]  # these lose or refuse objects
OWN_LOSSES = {"pipelinewise-postgres": {EMPTY}, "duckdb": {EMPTY, ROUNDED}}


@pytest.fixture(scope="session")
def services() -> Iterator[Services]:
    """The servers that targets load into."""
    with Services() as servers:
        yield servers


@cases(
    *((name, "default") for name in QUICK if name not in FLAT_ONLY),
    *((name, "flattened, typed") for name in QUICK),
)
def test_every_value_arrives(name: str, way: str, services: Services) -> None:
    """In its row, and in a column of its type, but for what the target itself does to it."""
    done = load(TARGETS[name], services, way)
    assert done.error == ""
    assert not done.without
    assert (done.found.missing, done.found.surplus, dict(done.found.fields)) == (0, 0, {})
    assert done.found.bent.keys() <= OWN_LOSSES.get(name, set())


@cases(
    ("postgres", "marked", True),
    ("pipelinewise-postgres", "stay", True),
    ("datamill-postgres", "deleted", None),
    ("duckdb", "stay", True),
    ("sqlite", "stay", None),
    ("jsonl", "rows add up", None),
    ("csv", "deleted", None),
)
def test_deleted_leads_are_deleted_marked_or_stay(
    name: str, deleted: str, told: bool | None, services: Services
) -> None:
    """Changed and new leads are right everywhere; few targets obey ACTIVATE_VERSION.

    Elsewhere `_sdc_extracted_at` tells the deleted leads, where the target can add it.
    """
    way = "flattened, typed" if name in FLAT_ONLY else "default"
    second = second_sync(TARGETS[name], services, way)
    assert (second.deleted, second.told) == (deleted, told)
    assert (second.now.missing, second.now.surplus, dict(second.now.fields)) == (0, 0, {})


def test_pipelinewise_ignores_activate_version_with_hard_delete_too(services: Services) -> None:
    first, second = extracts.two_syncs("default")
    with TARGETS["pipelinewise-postgres"].destination(services) as destination:
        for extract in (first, second):
            destination.load(extract.output, hard_delete=True)
        assert {row["id"] for row in destination.rows()} == first.ids | second.ids


@cases("pipelinewise-postgres", "duckdb")
def test_a_targets_own_flattening_loses_open_objects(name: str, services: Services) -> None:
    """As docs/targets.md warns; the tap's own loses nothing."""
    lost = lost_by_own_flattening(TARGETS[name], services)
    assert lost == ["additional_fields", "custom_attributes"]


def test_in_postgres_a_null_object_is_the_null_of_json(services: Services) -> None:
    """As docs/targets.md tells, with the queries that find them."""
    extract = extracts.leads("default")
    with TARGETS["postgres"].destination(services) as destination:
        destination.load(extract.output)

    def count(condition: str) -> int:
        query = f"SELECT count(*) FROM {destination.schema}.contacts WHERE {condition}"
        return int(services.postgres.query(query)[0][0])

    some = sum(record["additional_fields"] is not None for record in extract.records)
    assert 0 < some < len(extract.records)
    assert count("additional_fields IS NULL") == 0
    assert count("jsonb_typeof(additional_fields) = 'object'") == some
    assert count("jsonb_typeof(additional_fields) = 'null'") == len(extract.records) - some


def test_singers_own_checker_finds_nothing_wrong(tmp_path: Path) -> None:
    extract = extracts.leads("default")
    program = programs_of("tools") / "singer-check-tap"
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
    program = programs_of("tools") / "python"
    said = json.loads(run(program, "-c", READER, folder=tmp_path, sent=extract.output))
    assert said == {
        "types": ["SchemaMessage", "RecordMessage", "ActivateVersionMessage", "StateMessage"],
        "streams": ["contacts"],
        "keys": ["id"],
        "versions": 1,
        "ids": [record["id"] for record in extract.records],
    }


def without_rates(line: str) -> list[str]:
    """The cells of a row but for those that differ from run to run."""
    return [cell for i, cell in enumerate(line.strip("| ").split(" | ")) if i not in RATES]


@pytest.mark.targets
@cases(*TARGETS)
def test_the_page_says_what_a_run_shows(name: str, services: Services) -> None:
    report = report_on(TARGETS[name], services)
    lines = PAGE.read_text().splitlines()
    assert without_rates(row(report)) in map(without_rates, lines)
    for line in details(report):
        assert line in lines


def test_the_page_has_each_target() -> None:
    page = PAGE.read_text()
    assert [one.name for one in TARGETS.values() if f"| {one.name} |" not in page] == []


@cases(
    (None, ("", "")),
    (3_617.0, ("3,600", "46 min")),
    (543.0, ("540", "5.1 h")),
    (25_000.0, ("over 10,000", "under 17 min")),
)
def test_a_rate_is_shown_as_measured(measured: float | None, cells: tuple[str, str]) -> None:
    assert rate(measured) == cells
