"""Runs one target in each of the ways, and says what was at its destination afterwards."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo.environments import NotInstalledError
from proof.targets import extracts
from proof.targets.comparison import Comparison, compare
from proof.targets.environment import ProgramError
from proof.targets.extracts import WAYS, Extract, Record
from proof.targets.services import Services
from proof.targets.target import Row, Target


@dataclass
class Load:
    """How a load ended.

    Attributes:
        error: What the target said when it failed.
        found: How the rows differ from what the tap wrote.
        without: Whether ACTIVATE_VERSION had to be left out.
    """

    error: str = ""
    found: Comparison = field(default_factory=Comparison)
    without: bool = False

    @property
    def rank(self) -> int:
        """0: every value arrived; 1: all but what the target does to any; 2: others; 3: failed."""
        if self.error:
            return 3
        if self.found.missing or self.found.surplus or self.found.fields:
            return 2
        return 1 if self.found.bent else 0

    def __str__(self) -> str:
        return f"fails: {self.error}" if self.error else str(self.found)


@dataclass
class Report:
    """What came out of the runs of a target.

    Attributes:
        kind: The target.
        missing: Why it could not be installed.
        loads: The name of a way -> how the load ended.
        second: What the second sync left; None if there was none.
        workspaces: How the load of two workspaces into one table ended; None if there was none.
        rate: Leads per second, start-up not counted; None if that was not measured.
        lost: The fields that are lost when the target flattens; None if it cannot.
    """

    kind: type[Target]
    missing: str = ""
    loads: dict[str, Load] = field(default_factory=dict)
    second: SecondSync | None = None
    workspaces: Load | None = None
    rate: float | None = None
    lost: list[str] | None = None

    @property
    def best(self) -> str:
        """The first of the ways in which most arrives."""
        return min(self.loads, key=lambda way: self.loads[way].rank)


@dataclass
class SecondSync:
    """What a second sync left.

    Attributes:
        deleted: What became of the deleted leads.
        told: Whether `_sdc_extracted_at` tells which they are; None without such a column.
        now: How the rows of all other leads differ from what the tap wrote.
    """

    deleted: str
    told: bool | None = None
    now: Comparison = field(default_factory=Comparison)


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
        report = Report(self.kind)
        try:
            self.kind.programs()
        except NotInstalledError as error:
            report.missing = str(error)
            return report
        report.loads = {way: self.load(way) for way in WAYS}
        if not self.kind.offline:
            best = report.best
            report.second = self.second_sync(best, without=report.loads[best].without)
            report.workspaces = self.workspaces(best)
        if self.kind.own_flattening:
            report.lost = self.lost_by_own_flattening()
        return report

    def load(self, way: str) -> Load:
        """Loads the leads of one sync, if need be without ACTIVATE_VERSION."""
        extract = extracts.leads(way)
        try:
            return Load(found=self._compare(extract))
        except ProgramError as error:
            failed = Load(str(error))
        try:
            return Load(found=self._compare(extract.without_activate_version()), without=True)
        except ProgramError:
            return failed

    def _compare(self, *loaded: Extract, key: Sequence[str] = ("id",)) -> Comparison:
        with self.destination() as target:
            for extract in loaded:
                target.load(extract.output)
            records = [record for extract in loaded for record in extract.records]
            return compare(records, target.rows(), loaded[0].times, key)

    def rate(self, report: Report) -> float | None:
        """Leads per second in the best way; None for what is no target, and if loading fails."""
        if report.missing or self.kind.offline or report.loads[report.best].error:
            return None
        few, many = extracts.leads(report.best), extracts.many(report.best)
        if report.loads[report.best].without:
            few, many = few.without_activate_version(), many.without_activate_version()
        seconds = []
        for extract in (few, few, many):  # the first one compiles what it imports
            with self.destination() as target:
                began = time.perf_counter()
                target.pipe(extract.output)
                seconds.append(time.perf_counter() - began)
        return (extracts.MANY - extracts.LEADS) / max(seconds[2] - seconds[1], 1e-3)

    def workspaces(self, way: str) -> Load:
        """Loads two workspaces, whose ids are the same, into one table."""
        try:
            return Load(found=self._compare(*extracts.two_workspaces(way), key=("app_id", "id")))
        except ProgramError as error:
            return Load(str(error))

    def second_sync(self, way: str, *, without: bool = False) -> SecondSync:
        """Loads two syncs, between which leads were changed, deleted and added."""
        first, second = extracts.two_syncs(way)
        if without:
            first, second = first.without_activate_version(), second.without_activate_version()
        try:
            with self.destination() as target:
                target.load(first.output, **target.metadata)
                target.load(second.output, **target.metadata)
                rows = target.rows()
        except ProgramError as error:
            return SecondSync(f"fails: {error}")
        gone = _ids(first.records) - _ids(second.records)
        fate, now = _fate(rows, first, second, gone)
        told = _is_told_by_age(rows, second, gone)
        return SecondSync(fate, told, compare(second.records, now, second.times))

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
        return "rows add up", rows[old:]
    if len(rows) == new:
        return "deleted", rows
    marked = {_id(row) for row in rows if _column(row, "_sdc_deleted_at")}
    return (
        "marked" if marked == deleted else "stay",
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


def _ids(records: list[Record]) -> set[str]:
    return {record["id"] for record in records}


def _id(row: Row) -> str:
    return str(_column(row, "id"))


def _column(row: Row, name: str) -> Any:
    return row.get(name) if name in row else row.get(name.upper())
