"""What the README and the pages beside it show is what the programs print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.pages import assert_prints
from support.tap import environment

from demo.meltano import ROOT

README = (ROOT / "README.md").read_text()
PAGES = [README, (ROOT / "docs/operators.md").read_text()]
BIN = Path(sys.executable).parent

SESSIONS = [
    pytest.param(block, id=block.splitlines()[0].removeprefix("$ ")[:40])
    for page in PAGES
    for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL)
]


def shown(session: str) -> list[tuple[str, str]]:
    """The commands of a session, each with what the README shows of its output."""
    parts = re.split(r"^\$ (.*)\n", session, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def run(command: str, folder: Path) -> str:
    """Runs a command as a reader would; all that it prints."""
    cwd = ROOT if command.startswith("make ") else folder
    path = f"{BIN}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=cwd,
        env=environment(PATH=path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=True,
        timeout=120,
    )
    return done.stdout.decode()


EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("session", SESSIONS)
def test_a_session_prints_what_the_readme_shows(session: str, tmp_path: Path) -> None:
    """Every line that is shown, in this order; `…` shows what differs each time."""
    (example,) = EXAMPLES
    (tmp_path / "example.py").write_text(example)
    for command, lines in shown(session):
        output = run(command, tmp_path)
        assert_prints(lines, output)
