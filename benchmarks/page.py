"""Writes the figures of a complete run into the page that shows them, with the charts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.programs import ROOT, TIME_LIMIT, BenchmarkError

PAGE = ROOT / "docs" / "performance.md"
IMAGES = ROOT / "docs" / "images"
PINS = ROOT / "requirements" / "charts.txt"
_BEGIN, _END = "<!-- figures: begin -->\n", "<!-- figures: end -->\n"


def write_page(tables: str, page: Path = PAGE) -> None:
    """Replaces what is between the two marks of the page.

    Raises:
        BenchmarkError: The page has no marks.
    """
    before, begin, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
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
    folder = ROOT / ".cache" / "charts"
    python = folder / "bin" / "python"
    uv = [sys.executable, "-m", "uv"]
    commands: list[list[str]] = []
    if not python.exists():
        commands.append([*uv, "venv", "--quiet", "--clear", str(folder)])
    commands += [
        [*uv, "pip", "install", "--quiet", "--python", str(python), "-r", str(PINS)],
        [str(python), str(ROOT / "benchmarks" / "charts.py"), str(results), str(IMAGES)],
    ]
    try:
        for command in commands:
            subprocess.run(command, check=True, timeout=TIME_LIMIT)
    except (OSError, subprocess.SubprocessError) as error:
        raise BenchmarkError(f"the charts could not be drawn: {error}") from None
