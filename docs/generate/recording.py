"""docs/demo.svg: `make demo` as a terminal shows it, recorded from a real run.

The picture plays once and then stays. It plays at the speed of the run, but no pause is longer than
a second. Readers who have asked their system for less motion see the end at once.
"""

import io
import os
import re
import subprocess
import threading
import time
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from rich.console import Console
from rich.text import Text

from demo.meltano import ROOT
from demo.table import WIDTH

COMMAND = ("make", "--no-print-directory", "demo")
SECONDS = 300
LONGEST_PAUSE = 1.0


class Line(NamedTuple):
    """A line of a terminal.

    Attributes:
        text: What it shows.
        at: When it appears, in seconds since the start.
    """

    text: str
    at: float


def record_demo() -> str:
    """Runs the demo; returns its recording as an SVG picture.

    Raises:
        subprocess.CalledProcessError: The demo failed.
    """
    return picture([Line("$ make demo", 0), *record(COMMAND)], title="tap-leads")


def record(command: Sequence[str]) -> list[Line]:
    """Runs a command; returns the lines that it printed.

    Raises:
        subprocess.CalledProcessError: It failed, or was stopped as it took too long.
    """
    began = time.monotonic()
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        limit = threading.Timer(SECONDS, process.terminate)
        limit.start()
        lines = [Line(line.rstrip("\n"), time.monotonic() - began) for line in process.stdout or ()]
        limit.cancel()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return lines


def picture(lines: Sequence[Line], title: str) -> str:
    """Draws a terminal in which the lines appear."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text("\n".join(line.text for line in lines)), soft_wrap=True)
    # The same lines give the same picture: names inside it come from `unique_id`.
    drawn = console.export_svg(title=title, unique_id="demo") + "\n"
    drawn = re.sub(r"\s*@font-face \{.*?\}", "", drawn, flags=re.DOTALL)  # nothing from outside
    return drawn.replace("</style>", f"{_animation(lines)}    </style>", 1)


def _shortened(lines: Sequence[Line]) -> list[float]:
    """When the picture shows each line."""
    pauses = (after.at - before.at for before, after in pairwise(lines))
    return list(accumulate((min(pause, LONGEST_PAUSE) for pause in pauses), initial=0.0))


def _animation(lines: Sequence[Line]) -> str:
    """The style that hides each line until its time."""
    delays = "".join(
        f'        .demo-matrix [clip-path="url(#demo-line-{number})"]'
        f" {{ animation-delay: {at:.1f}s }}\n"
        for number, at in enumerate(_shortened(lines))
    )
    return (
        "\n    @keyframes demo-wait { from, to { visibility: hidden } }\n"
        "    @media (prefers-reduced-motion: no-preference) {\n"
        "        .demo-matrix text { animation: demo-wait 1ms backwards }\n"
        f"{delays}    }}\n"
    )
