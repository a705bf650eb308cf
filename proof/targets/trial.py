"""Runs one target in each way, and reports what is at its destination afterwards."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from demo.environments import NotInstalledError
from proof.targets import extracts
from proof.targets.comparison import Comparison, compare
from proof.targets.extracts import WAYS, Extract
from proof.targets.process import ProgramError
from proof.targets.services import Services
from proof.targets.target import Row, Target


@dataclass(frozen=True)
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
        """0: all values arrived; 1: the target changed some in any column; 2: others; 3: failed."""
        if self.error:
            return 3
        if self.found.missing or self.found.surplus or self.found.fields:
            return 2
        return 1 if self.found.bent else 0

    def __str__(self) -> str:
        return f"fails: {self.error}" if self.error else str(self.found)


@dataclass(frozen=True)
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


@dataclass
class Report:
    """The results of a target.

    Attributes:
        target: The target.
        missing: Why it could not be installed.
        loads: The name of a way -> how the load ended.
        second: What the second sync left; None if there was none.
        workspaces: How the load of two workspaces into one table ended; None if there was none.
        rate: Leads per second, start-up not counted; None if that was not measured.
        lost: The fields that are lost when the target flattens; None if it cannot.
    """

    target: Target
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


def report_on(target: Target, services: Services) -> Report:
    """Runs a target in all ways, but does not measure how fast it is."""
    report = Report(target)
    try:
        target.programs()
    except NotInstalledError as error:
        report.missing = str(error)
        return report
    report.loads = {way: load(target, services, way) for way in WAYS}
    if not target.offline:
        best = report.best
        report.second = second_sync(target, services, best, without=report.loads[best].without)
        report.workspaces = _loaded(
            target, services, *extracts.two_workspaces(best), key=("app_id", "id")
        )
    if target.own_flattening:
        report.lost = lost_by_own_flattening(target, services)
    return report


def load(target: Target, services: Services, way: str) -> Load:
    """Loads the leads of one sync, if need be without ACTIVATE_VERSION."""
    extract = extracts.leads(way)
    with_all = _loaded(target, services, extract)
    if not with_all.error:
        return with_all
    others = _loaded(target, services, extract.without_activate_version())
    return with_all if others.error else replace(others, without=True)


def _loaded(
    target: Target, services: Services, *loads: Extract, key: Sequence[str] = ("id",)
) -> Load:
    try:
        with target.destination(services) as destination:
            for extract in loads:
                destination.load(extract.output)
            rows = destination.rows()
    except ProgramError as error:
        return Load(str(error))
    records = [record for extract in loads for record in extract.records]
    return Load(found=compare(records, rows, loads[0].times, key))


def rate(report: Report, services: Services) -> float | None:
    """Leads per second in the best way; None without the target's service, or if loading fails."""
    if report.missing or report.target.offline or report.loads[report.best].error:
        return None
    few, many = extracts.leads(report.best), extracts.many(report.best)
    if report.loads[report.best].without:
        few, many = few.without_activate_version(), many.without_activate_version()
    seconds = []
    try:
        for extract in (few, few, many):  # the first one compiles what it imports
            with report.target.destination(services) as destination:
                began = time.perf_counter()
                destination.pipe(extract.output)
                seconds.append(time.perf_counter() - began)
    except ProgramError:  # it loads the few leads, but takes too long for many
        return None
    return (extracts.MANY - extracts.LEADS) / max(seconds[2] - seconds[1], 1e-3)


def second_sync(
    target: Target, services: Services, way: str, *, without: bool = False
) -> SecondSync:
    """Loads two syncs, between which leads were changed, deleted and added."""
    first, second = extracts.two_syncs(way)
    if without:
        first, second = first.without_activate_version(), second.without_activate_version()
    try:
        with target.destination(services) as destination:
            destination.load(first.output, **target.metadata)
            destination.load(second.output, **target.metadata)
            rows = destination.rows()
    except ProgramError as error:
        return SecondSync(f"fails: {error}")
    gone = first.ids - second.ids
    fate, now = _fate(rows, first, second, gone)
    told = _is_told_by_age(rows, second, gone)
    return SecondSync(fate, told, compare(second.records, now, second.times))


def lost_by_own_flattening(target: Target, services: Services) -> list[str]:
    """The fields that are not there, in any form, when the target flattens."""
    extract = extracts.leads("default")
    with target.destination(services) as destination:
        destination.load(extract.output, **target.own_flattening)
        rows = destination.rows()
    kept = {name.split("__")[0] for row in rows for name, value in row.items() if value is not None}
    sent = {name for record in extract.records for name, value in record.items() if value}
    return sorted(sent - kept)


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
    others = [row for row in rows if _id(row) not in deleted]
    return ("marked" if marked == deleted else "stay"), others


def _is_told_by_age(rows: list[Row], second: Extract, deleted: set[str]) -> bool | None:
    """Whether the rows from before the second sync are those of the deleted leads."""
    times = {_id(row): _column(row, "_sdc_extracted_at") for row in rows}
    if not all(times.values()):
        return None
    start = second.first_page[:19]
    older = {i for i, time in times.items() if str(time).replace(" ", "T")[:19] < start}
    return older == deleted


def _id(row: Row) -> str:
    return str(_column(row, "id"))


def _column(row: Row, name: str) -> Any:
    return row.get(name) if name in row else row.get(name.upper())
