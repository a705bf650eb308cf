"""Runs one target in each of the ways, and says what was at its destination afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterator

from targets import extracts
from targets.comparison import Comparison, compare
from targets.environment import NotInstalledError, ProgramError
from targets.extracts import WAYS, Extract, Record
from targets.services import Services
from targets.target import Row, Target

WITHOUT = "without ACTIVATE_VERSION"
FAILS = "fails"


@dataclass
class Load:
    """How a load ended.

    Attributes:
        problem: What went wrong; empty when every value arrived.
        without: Whether ACTIVATE_VERSION had to be left out.
    """

    problem: str = ""
    without: bool = False


@dataclass
class Report:
    """What came out of the runs of a target.

    Attributes:
        name: The target, with its version.
        missing: Why it could not be installed.
        loads: The name of a way -> how the load ended.
        deleted: What became of the deleted leads in the second sync.
        remedy: Whether `_sdc_extracted_at` tells the deleted leads; None without such a column.
        workspaces: How the load of two workspaces into one table ended.
        own_flattening: The fields that are lost when the target flattens; None if it cannot.
    """

    name: str
    note: str = ""
    missing: str = ""
    loads: dict[str, Load] = field(default_factory=dict)
    deleted: str = ""
    remedy: bool | None = None
    workspaces: Load = field(default_factory=Load)
    own_flattening: list[str] | None = None


class Trial:
    """The runs of one target.

    Args:
        kind: The target.
        services: The servers that it may load into.
    """

    def __init__(self, kind: type[Target], services: Services) -> None:
        self.kind = kind
        self._services = services

    @contextmanager
    def destination(self) -> Iterator[Target]:
        """An empty destination."""
        with tempfile.TemporaryDirectory(prefix="target-") as folder:
            yield self.kind(Path(folder), self._services)

    def report(self) -> Report:
        """Runs it in all ways."""
        report = Report(self.kind.name(), self.kind.note)
        try:
            self.kind.programs()
        except NotInstalledError as error:
            report.missing = str(error)
            return report
        report.loads = {way: self.load(way) for way in WAYS}
        good = [way for way, load in report.loads.items() if not load.problem]
        best = good[0] if good else "default"
        without = report.loads[best].without
        try:
            report.deleted, report.remedy = self.second_sync(best, without=without)
        except ProgramError as error:
            report.deleted = f"{FAILS}: {error}"
        report.workspaces = self.workspaces(best)
        if self.kind.own_flattening:
            report.own_flattening = self.lost_by_own_flattening()
        return report

    def load(self, way: str) -> Load:
        """Loads the leads of one sync, if need be without ACTIVATE_VERSION."""
        extract = extracts.leads(way)
        try:
            return Load(_problem(self._compare(extract)))
        except ProgramError as error:
            first = f"{FAILS}: {error}"
        try:
            return Load(_problem(self._compare(extract.without_activate_version())), without=True)
        except ProgramError:
            return Load(first)

    def _compare(self, *loaded: Extract, key: Sequence[str] = ("id",)) -> Comparison:
        with self.destination() as target:
            for extract in loaded:
                target.load(extract.output)
            records = [record for extract in loaded for record in extract.records]
            return compare(records, target.rows(), loaded[0].times, key)

    def workspaces(self, way: str) -> Load:
        """Loads two workspaces, whose ids are the same, into one table."""
        try:
            return Load(_problem(self._compare(*extracts.two_workspaces(way), key=("app_id", "id"))))
        except ProgramError as error:
            return Load(f"{FAILS}: {error}")

    def second_sync(self, way: str, *, without: bool = False) -> tuple[str, bool | None]:
        """Loads two syncs; what became of the deleted leads, and whether their age tells them."""
        first, second = extracts.two_syncs(way)
        if without:
            first, second = first.without_activate_version(), second.without_activate_version()
        with self.destination() as target:
            target.load(first.output, **target.metadata)
            target.load(second.output, **target.metadata)
            rows = target.rows()
        deleted = _ids(first.records) - _ids(second.records)
        fate, now = _fate(rows, first, second, deleted)
        different = compare(second.records, now, second.times)
        if different:
            fate += f"; {different}"
        return fate, _is_told_by_age(rows, second, deleted)

    def lost_by_own_flattening(self) -> list[str]:
        """The fields that are not there, in any form, when the target flattens."""
        extract = extracts.leads("default")
        with self.destination() as target:
            target.load(extract.output, **target.own_flattening)
            rows = target.rows()
        kept = {
            name.split("__")[0] for row in rows for name, value in row.items() if value is not None
        }
        return sorted(
            {name for record in extract.records for name, value in record.items() if value} - kept
        )


def _fate(
    rows: list[Row], first: Extract, second: Extract, deleted: set[str]
) -> tuple[str, list[Row]]:
    """What became of the deleted leads, and the rows that are those of the second sync."""
    old, new = len(first.records), len(second.records)
    if len(rows) == old + new:
        return "each sync adds its rows", rows[old:]
    if len(rows) == new:
        return "deleted", rows
    marked = {_id(row) for row in rows if _column(row, "_sdc_deleted_at")}
    return (
        "marked in `_sdc_deleted_at`" if marked == deleted else "stay",
        [row for row in rows if _id(row) not in deleted],
    )


def _is_told_by_age(rows: list[Row], second: Extract, deleted: set[str]) -> bool | None:
    """Whether the rows from before the second sync are those of the deleted leads."""
    times = {_id(row): _column(row, "_sdc_extracted_at") for row in rows}
    if not all(times.values()):
        return None
    start = second.first_page[:19]
    older = {i for i, time in times.items() if str(time).replace(" ", "T")[:19] < start}
    return older == deleted


def _problem(different: Comparison) -> str:
    return str(different) if different else ""


def _ids(records: list[Record]) -> set[str]:
    return {record["id"] for record in records}


def _id(row: Row) -> str:
    return str(_column(row, "id"))


def _column(row: Row, name: str) -> Any:
    return row.get(name) if name in row else row.get(name.upper())
