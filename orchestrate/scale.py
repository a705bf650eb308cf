"""How far it goes: the arithmetic of many workspaces, and what of it can be measured here.

    python -m orchestrate.scale 10000000 1000000x40 100000x159   # paper: hours, workers, requests
    python -m orchestrate.scale --measure                        # memory, rows a second

Without numbers of leads, they are those of workspaces.meltano.yml.
"""

import argparse
import heapq
from collections.abc import Iterator, Sequence

import yaml

from demo.meltano import ROOT
from demo.table import table

LIST = ROOT / "orchestrate/workspaces.meltano.yml"
PAGE = 100  # leads; no parameter changes it
LATENCIES = (0.1, 0.2, 0.3, 0.5, 1.0)
# A private app's default (Intercom, "Rate limiting"), spread over windows of ten seconds.
REQUESTS_A_MINUTE = 10_000
MILLION = 1_000_000


def hours(leads: int, latency: float) -> float:
    """How long the scroll of a workspace takes: one request after the other, and an empty page."""
    return (-(-leads // PAGE) + 1) * latency / 3600


def makespan(durations: Sequence[float], workers: int) -> float:
    """When the last of these is over, if the largest start first."""
    free = [0.0] * workers
    for duration in sorted(durations, reverse=True):
        heapq.heapreplace(free, free[0] + duration)
    return max(free)


def enough(durations: Sequence[float], window: float) -> int | None:
    """How many workers it takes; None: one workspace alone is longer than the window."""
    if max(durations) > window:
        return None
    workers = range(1, len(durations) + 1)
    return next(number for number in workers if makespan(durations, number) <= window)


def listed() -> list[int]:
    """The numbers of leads that the list of workspaces names."""
    plugins = yaml.safe_load(LIST.read_text())["plugins"]["extractors"]
    notes = (plugin.get("annotations", {}).get("airflow", {}) for plugin in plugins)
    return [note["leads"] for note in notes if "leads" in note]


def sizes(text: str) -> list[int]:
    """Numbers of leads: `250000`, or `100000x159` for as many workspaces."""
    leads, _, number = text.partition("x")
    return [int(leads)] * int(number or 1)


def paper(workspaces: Sequence[int], window: float) -> Iterator[str]:
    """The tables that need no measurement."""
    yield "Hours of one workspace by the seconds of a page (paper: nothing makes a scroll faster)"
    heads = ["leads", *(f"{latency} s" for latency in LATENCIES)]
    yield table(
        heads,
        [
            [f"{leads:,}", *(f"{hours(leads, latency):.1f}" for latency in LATENCIES)]
            for leads in (100_000, MILLION, 10 * MILLION)
        ],
    )
    yield f"\n{len(workspaces):,} workspaces, {sum(workspaces):,} leads (paper)"
    lines = []
    for latency in LATENCIES:
        durations = [hours(leads, latency) for leads in workspaces]
        workers = enough(durations, window)
        lines.append(
            [
                f"{latency} s",
                f"{max(durations):.1f}",
                f"{sum(durations):.0f}",
                workers or f"none: the largest takes longer than {window:g} h",
                f"{makespan(durations, workers):.1f}" if workers else None,
                f"{PAGE / latency * workers:,.0f}" if workers else None,
            ]
        )
    needed = f"workers for {window:g} h"
    yield table(
        ["page", "largest, h", "all, one by one, h", needed, "then all in, h", "leads/s"], lines
    )
    rate = 60 / min(LATENCIES)
    yield (
        f"\nRate limit (paper): a scroll with pages of {min(LATENCIES)} s makes {rate:.0f} requests"
        f" a minute, of the {REQUESTS_A_MINUTE:,} that an app may make by default:"
        f" {REQUESTS_A_MINUTE / rate:.0f} such scrolls if they all count for one app."
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(prog="python -m orchestrate.scale", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("leads", nargs="*", type=sizes, help="of each workspace; N or NxWORKSPACES")
    parser.add_argument(
        "--window", type=float, default=24, help="hours within which all shall be in"
    )
    parser.add_argument("--measure", action="store_true", help="measure on this machine instead")
    given = parser.parse_args(arguments)
    if given.measure:
        from orchestrate.measure import measure  # noqa: PLC0415 - it starts a PostgreSQL

        lines = measure()
    else:
        lines = paper([n for group in given.leads for n in group] or listed(), given.window)
    for line in lines:
        print(line, flush=True)


if __name__ == "__main__":
    main()
