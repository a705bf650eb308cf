"""Writes the figures of a run into the page that shows them, and draws the charts."""

from __future__ import annotations

import subprocess
from pathlib import Path

from demo.environments import NotInstalledError, installed
from proof.benchmarks.programs import ROOT, TIME_LIMIT, BenchmarkError

PAGE = ROOT / "docs" / "performance.md"
IMAGES = ROOT / "docs" / "images"


def write_page(tables: str, place: str = "figures", page: Path = PAGE) -> None:
    """Replaces what is between the two marks of a place on the page.

    Raises:
        BenchmarkError: The page has no such marks.
    """
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(f"<!-- {place}: begin -->\n")
    _, end, after = rest.partition(f"<!-- {place}: end -->\n")
    if not (begin and end):
        raise BenchmarkError(f"{page} has no place for the figures.")
    page.write_text(f"{before}{begin}\n{tables}\n\n{end}{after}", encoding="utf-8")


def draw_charts(results: Path) -> None:
    """Draws the charts, in an environment of their own, which is set up once.

    Args:
        results: The file with the figures.

    Raises:
        BenchmarkError: That was not possible.
    """
    try:
        python = installed("charts") / "python"
        script = Path(__file__).with_name("charts.py")
        subprocess.run([python, script, results, IMAGES], check=True, timeout=TIME_LIMIT)
    except (OSError, NotInstalledError, subprocess.SubprocessError) as error:
        raise BenchmarkError(f"the charts could not be drawn: {error}") from None
