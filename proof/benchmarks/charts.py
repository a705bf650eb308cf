"""Draws the charts of the documentation, in light and in dark.

    python charts.py RESULTS FOLDER

It runs in an environment of its own (see `page`), because the tap does not need matplotlib.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import matplotlib as mpl  # type: ignore[import-not-found,unused-ignore]
from matplotlib.figure import Figure  # type: ignore[import-not-found,unused-ignore]

TAP = "tap-leads"
_MEGA = 1e6


class Theme(NamedTuple):
    """Colours that can be read on a background."""

    name: str
    text: str
    line: str
    bar: str
    own: str


THEMES = (
    Theme("light", text="#1f2328", line="#d1d9e0", bar="#8c959f", own="#0969da"),
    Theme("dark", text="#f0f6fc", line="#3d444d", bar="#656c76", own="#4493f8"),
)


def rates(axes: Any, results: dict[str, Any], theme: Theme) -> None:
    """Leads per second, next to the other extractors."""
    runs = results["runs"]["peers"]
    found = {title: median(map(_rate, outcomes)) for title, outcomes in runs.items()}
    titles = sorted(found, key=found.__getitem__)
    colours = [theme.own if title == TAP else theme.bar for title in titles]
    bars = axes.barh(titles, [found[title] for title in titles], color=colours, height=0.6)
    axes.bar_label(bars, fmt="{:,.0f}", padding=4, color=theme.text)
    axes.set_title("Leads per second, without waiting for Intercom", loc="left", color=theme.text)
    axes.xaxis.set_visible(False)
    axes.margins(x=0.12)


def memory(axes: Any, results: dict[str, Any], theme: Theme) -> None:
    """Peak memory over the number of leads."""
    sizes = list(results["runs"]["sizes"].values())
    leads = [outcomes[0]["leads"] for outcomes in sizes]
    peaks = [max(outcome["peak"] for outcome in outcomes) for outcomes in sizes]
    axes.semilogx(leads, peaks, marker="o", color=theme.own, linewidth=2)
    for count, peak in zip(leads, peaks, strict=True):
        axes.annotate(
            f"{peak:.0f} MB",
            (count, peak),
            xytext=(0, 9),
            textcoords="offset points",
            ha="center",
            color=theme.text,
        )
    axes.set_ylim(0, max(peaks) * 1.4)
    axes.set_xticks(leads, [f"{count:,}" for count in leads])
    axes.minorticks_off()
    axes.margins(x=0.08)
    axes.set_title("Peak memory in MB, by number of leads", loc="left", color=theme.text)


def _rate(outcome: dict[str, Any]) -> float:
    return float(outcome["leads"] / max(outcome["last"] - outcome["first"], 1 / _MEGA))


def draw(chart: Callable[..., None], results: dict[str, Any], theme: Theme, path: Path) -> None:
    """Draws one chart into a file."""
    figure = Figure(figsize=(7.5, 2.8), layout="constrained")
    axes = figure.subplots()
    chart(axes, results, theme)
    axes.tick_params(colors=theme.text, length=0)
    for side in ("top", "right", "bottom", "left"):
        axes.spines[side].set_visible(side == "left")
        axes.spines[side].set_color(theme.line)
    figure.savefig(path, transparent=True, metadata={"Date": None})


def main(results: str, folder: str) -> None:
    """Draws each chart in each theme."""
    mpl.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "tap-leads", "font.size": 11}
    found = json.loads(Path(results).read_text(encoding="utf-8"))
    Path(folder).mkdir(parents=True, exist_ok=True)
    for chart in (rates, memory):
        for theme in THEMES:
            draw(chart, found, theme, Path(folder) / f"{chart.__name__}-{theme.name}.svg")


if __name__ == "__main__":
    main(*sys.argv[1:])
