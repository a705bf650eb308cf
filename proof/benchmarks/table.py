"""The figures as Markdown, and the limits that they exceed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import median
from typing import NamedTuple

from proof.benchmarks.measures import DEFAULTS, PLAIN, PROJECT
from proof.benchmarks.peers import PEERS
from proof.benchmarks.programs import Outcome
from proof.benchmarks.results import BARE, TAP, Results, Runs
from proof.benchmarks.templates import Kind

TIMES = "\N{MULTIPLICATION SIGN}"

Value = Callable[[Outcome], float]


class Figure(NamedTuple):
    """A figure with its values, one per round.

    Attributes:
        name: What is measured.
        values: What each round showed.
        unit: Of the values.
        most: The limit, if less is better.
        least: The limit, if more is better.
    """

    name: str
    values: Sequence[float]
    unit: str = TIMES
    most: float | None = None
    least: float | None = None

    def shown(self) -> str:
        """The median and the spread."""
        digits = 0 if self.unit == "MB" else 2
        low, middle, high = (
            f"{value:.{digits}f}"
            for value in (min(self.values), median(self.values), max(self.values))
        )
        spread = f" ({low} to {high})" if low != high else ""
        return f"**{middle} {self.unit}**{spread}"

    def missed(self) -> str:
        """A message if the limit is exceeded; otherwise empty."""
        middle = median(self.values)
        if self.most is not None and middle > self.most:
            return f"{self.name}: {middle:.2f} {self.unit}, not at most {self.most:g}"
        if self.least is not None and middle < self.least:
            return f"{self.name}: {middle:.2f} {self.unit}, not at least {self.least:g}"
        return ""


def markdown(results: Results) -> str:
    """All tables."""
    parts = [
        "_A trial: these figures mean nothing._" if results.quick else "",
        f"_The machine was busy: {results.noise}._" if results.noise else "",
        markdown_table(
            ("figure", "median (spread)"), ((f.name, f.shown()) for f in figures(results)), "ll"
        ),
        markdown_table(("the main job", "seconds", "leads/s"), _main_job(results), "lrr"),
        markdown_table(("at zero latency", "reads", "leads/s"), _peers(results), "llr"),
        markdown_table(("leads", "seconds", "leads/s", "peak memory"), _growth(results), "rrrr"),
        "\n".join(
            f"- Not measured: {name}: {why.splitlines()[0]}"
            for name, why in (results.missing | results.failures).items()
        ),
        _notes(results),
    ]
    return "\n\n".join(part for part in parts if part)


def figures(results: Results) -> Iterator[Figure]:
    """The figures that were measured."""
    runs = results.runs
    if zero := runs.get("zero"):
        name = f"time for {zero[TAP][0].leads:,} leads at zero latency, of the bare loop's"
        yield Figure(name, _ratios(zero, TAP, BARE), most=1.2)
        firsts = [one.first for one in zero[TAP]]
        yield Figure("to the first RECORD, start-up included", firsts, "s", most=0.35)
    if latency := runs.get("latency"):
        leads = latency[TAP][0].leads
        name = f"time for {leads:,} leads at 50 ms per page, without start-up, of the bare loop's"
        yield Figure(name, _ratios(latency, TAP, BARE, _reading), most=1.01)
    if realistic := runs.get("realistic"):
        for kind, where, most in (
            (Kind.ALL, "every lead", 1.2),
            (Kind.ONE, "one lead per page", 1.1),
        ):
            name = f"time with undocumented fields and fractions in {where}, of plain leads'"
            yield Figure(name, _ratios(realistic, kind, Kind.NONE), most=most)
    ways = runs.get("ways", {})
    for way in [way for way in ways if way != PLAIN]:
        yield Figure(f"time with {way}, of plain leads'", _ratios(ways, way, PLAIN), most=2.0)
    peers = runs.get("peers", {})
    if others := peers.keys() - {BARE, TAP}:
        best = max(others, key=lambda title: _rate(peers[title]))
        name = f"leads per second, of the fastest other extractor's ({best})"
        yield Figure(name, _ratios(peers, TAP, best, _rate_of), least=8.5)
        yield Figure("the same for the bare loop", _ratios(peers, BARE, best, _rate_of))
    if load := runs.get("load"):
        name = (
            "`meltano run` into PostgreSQL: time with the target's own defaults, of the project's"
        )
        yield Figure(name, _ratios(load, DEFAULTS, PROJECT), least=2.5)
    for measure, name, limit in _MEMORY:
        for outcomes in list(runs.get(measure, {}).values())[-1:]:
            peaks = [one.peak for one in outcomes]
            yield Figure(name.format(f"{outcomes[0].leads:,}"), peaks, "MB", most=limit)


_MEMORY = (
    ("sizes", "peak memory, {} leads", 60.0),
    ("spool", "peak memory, {} leads waiting in the spool", 60.0),
    ("large", "peak memory, {} leads in the largest pages, 7 MB each", None),
)


def _ratios(
    runs: Runs, one: str, other: str, value: Value = lambda outcome: outcome.seconds
) -> list[float]:
    """How the two compare in each round."""
    return [value(a) / value(b) for a, b in zip(runs[one], runs[other], strict=True)]


def _reading(outcome: Outcome) -> float:
    return outcome.last - outcome.first


def _rate_of(outcome: Outcome) -> float:
    return outcome.rate


def _rate(outcomes: Iterable[Outcome]) -> float:
    return median(map(_rate_of, outcomes))


def _main_job(results: Results) -> Iterator[Sequence[str]]:
    for name, outcomes in results.runs.get("load", {}).items():
        seconds = median(one.seconds for one in outcomes)
        yield name, f"{seconds:.1f}", f"{outcomes[0].leads / seconds:,.0f}"


def _peers(results: Results) -> Iterator[Sequence[str]]:
    streams = {peer.title: peer.stream for peer in PEERS}
    runs = results.runs.get("peers", {})
    for title in sorted(runs, key=lambda title: -_rate(runs[title])):
        yield title, streams.get(title, "leads"), f"{_rate(runs[title]):,.0f}"


def _growth(results: Results) -> Iterator[Sequence[str]]:
    for leads, outcomes in results.runs.get("sizes", {}).items():
        seconds = median(one.seconds for one in outcomes)
        peak = max(one.peak for one in outcomes)
        yield leads, f"{seconds:.2f}", f"{_rate(outcomes):,.0f}", f"{peak:.0f} MB"


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]], align: str) -> str:
    """A table, or nothing if there are no rows; `align` has l or r for each column."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if not lines:
        return ""
    rule = "|".join({"l": "---", "r": "--:"}[side] for side in align)
    return "\n".join([f"| {' | '.join(heads)} |", f"|{rule}|", *lines])


def _notes(results: Results) -> str:
    rounds = {len(outcomes) for runs in results.runs.values() for outcomes in runs.values()}
    return (
        f"Each figure is the median of {max(rounds, default=0)} runs, with the lowest and the "
        "highest in parentheses. Programs that are compared ran by turns, and each ratio is that "
        f"of two runs of the same turn. Every lead was counted. {results.machine}"
    )
