"""docs/demo.svg: `make demo` as a terminal shows it, from a real run."""

import io
import re
import subprocess

from rich.console import Console
from rich.text import Text

from demo.meltano import ROOT
from demo.table import WIDTH

COMMAND = ("make", "--no-print-directory", "demo")
SECONDS = 300


def record_demo() -> str:
    """Runs the demo; returns its output as an SVG picture.

    Raises:
        subprocess.CalledProcessError: The demo failed.
    """
    output = subprocess.run(
        COMMAND, cwd=ROOT, check=True, capture_output=True, text=True, timeout=SECONDS
    ).stdout
    return picture(f"$ make demo\n{output.rstrip()}", title="tap-leads")


def picture(text: str, title: str) -> str:
    """Draws a terminal with a text in it."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text(text), soft_wrap=True)
    # The same text gives the same picture: names inside it come from `unique_id`.
    drawn = console.export_svg(title=title, unique_id="demo") + "\n"
    return re.sub(r"\s*@font-face \{.*?\}", "", drawn, flags=re.DOTALL)  # nothing from outside
