"""Writes `docs/targets.md`: the prose of `page.md`, filled with what the runs showed."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from string import Template

from demo.meltano import ROOT
from proof.targets import extracts
from proof.targets.extracts import LEADS, WAYS
from proof.targets.trial import Report, SecondSync

PAGE = ROOT / "docs/targets.md"
_TEMPLATE = Path(__file__).with_name("page.md")
_MARKS = ("✓", "≈", "✗", "✗")
_FLAT = ["flattened", "flattened, typed"]
_HEAD = (
    "Target", "Values", "leads/s", "10 million", "Deleted leads", "Two workspaces", "Set"
)  # fmt: skip
RATES = (2, 3)
"""The columns that differ from run to run."""
_LONGEST = 160  # characters of an error
_MOST_MINUTES = 100  # longer times are given in hours


def page(reports: Sequence[Report]) -> str:
    """The whole page."""
    lost = {name for report in reports for name in report.lost or ()}
    told = [report for report in reports if report.second and report.second.told]
    return Template(_TEMPLATE.read_text()).substitute(
        leads=LEADS,
        lost=_list(f"`{name}`" for name in sorted(lost)),
        told=_list(report.target.title for report in told),
        table=table(reports),
        details="\n".join(line for report in reports for line in details(report)),
    )


def table(reports: Sequence[Report]) -> str:
    """One row per target."""
    lines = [_row(_HEAD), _row(["---", "---", "--:", "--:", "---", ":-:", "---"])]
    return "\n".join([*lines, *map(row, reports)])


def row(report: Report) -> str:
    """A target's row."""
    if report.missing:
        blanks = [""] * (len(_HEAD) - 2)
        return _row([report.target.name, *blanks, "cannot be installed"])
    second, workspaces = report.second, report.workspaces
    return _row(
        [
            report.target.name,
            _values(report),
            *rate(report.rate),
            _fate(second) if second else "not run",
            _MARKS[workspaces.rank] if workspaces else "not run",
            _advice(report),
        ]
    )


def rate(value: float | None) -> tuple[str, str]:
    """Leads per second, and the time of ten million, as far as a load of so few leads can tell."""
    if not value:
        return "", ""
    minutes = 10_000_000 / min(value, extracts.MANY) / 60
    time = f"{minutes:.0f} min" if minutes < _MOST_MINUTES else f"{minutes / 60:.1f} h"
    if value > extracts.MANY:
        return f"over {extracts.MANY:,}", f"under {time}"
    return f"{float(f'{value:.2g}'):,.0f}", time


def _values(report: Report) -> str:
    """The mark of the best ways, and which these are if not all."""
    ranks = {way: load.rank for way, load in report.loads.items()}
    best = [way for way, rank in ranks.items() if rank == min(ranks.values())]
    if len(best) == len(WAYS):
        only = ""
    elif best == _FLAT:
        only = " flattened"
    else:
        only = f" {'; '.join(best)}"
    return _MARKS[min(ranks.values())] + only


def _fate(second: SecondSync) -> str:
    remedy = " (can be found)" if second.told and second.deleted == "stay" else ""
    changed = second.now.missing or second.now.surplus or second.now.fields
    return short(second.deleted) + remedy + (f"; {second.now}" if changed else "")


def _advice(report: Report) -> str:
    """What to set, so that as much as can be arrives, as fast as it can."""
    wanted = [f"`{name}: {json.dumps(value)}`" for name, value in report.target.fast.items()]
    if report.best in _FLAT:
        wanted.append("flatten")
    if report.loads[report.best].without:
        wanted.append("no ACTIVATE_VERSION")
    return ", ".join(wanted)


def details(report: Report) -> list[str]:
    """What there is to say of a target besides its row, one item per line."""
    name = report.target.name
    if report.missing:
        return [f"- **{name}** cannot be installed: {short(report.missing)}"]
    ways: dict[str, list[str]] = defaultdict(list)
    for way, load in report.loads.items():
        if load.rank:
            ways[short(str(load))].append(way)
    said = [
        f"{problem} ({'in every way' if len(found) == len(WAYS) else '; '.join(found)})."
        for problem, found in ways.items()
    ]
    if report.workspaces and report.workspaces.rank > 1:
        said.append(f"Two workspaces: {short(str(report.workspaces))}.")
    if report.lost:
        said.append(f"Its own flattening loses {_list(f'`{name}`' for name in report.lost)}.")
    if report.target.note:
        said.append(report.target.note)
    sentences = [sentence[0].upper() + sentence[1:] for sentence in said]
    return [f"- **{name}**: {' '.join(sentences)}"] if said else []


def short(text: str) -> str:
    """An error in one line, without what is different in each run."""
    text = re.sub(r"\s+", " ", text.replace("|", "/").replace("<", "&lt;"))
    text = re.sub(r"\b\d{8,}\b", "…", text)
    text = re.sub(r"(/[\w.@-]+){2,}", "…", text)
    return text if len(text) <= _LONGEST else text[:_LONGEST].rstrip() + "…"


def _list(names: Iterable[str]) -> str:
    """Names as a sentence lists them."""
    *first, last = list(names) or ["none"]
    return f"{', '.join(first)} and {last}" if first else last


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
