"""What the README and the pages beside it show is what the programs print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
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
    """The commands of a session, each with what the README shows of its output.

    A line that begins with four blanks continues the one before.
    """
    unwrapped = session.replace("\n    ", " ")
    parts = re.split(r"^\$ (.*)\n", unwrapped, flags=re.MULTILINE)[1:]
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


EXAMPLE, PAGES_EXAMPLE = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("session", SESSIONS)
def test_a_session_prints_what_the_readme_shows(session: str, tmp_path: Path) -> None:
    """Every line that is shown, in this order; `…` shows what differs each time."""
    (tmp_path / "example.py").write_text(EXAMPLE)
    for command, lines in shown(session):
        output = run(command, tmp_path)
        assert_prints(lines, output)


def test_the_pages_are_read_as_shown() -> None:
    given = "import os\nfrom functools import partial\nimport tap_leads\n"
    given += "token = os.environ['TAP_LEADS_ACCESS_TOKEN']\n"
    given += "pages = partial(tap_leads.pages, api_url=os.environ['TAP_LEADS_API_URL'])\n"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tap_leads.sandbox", "--leads=250", "--quiet", "--"),
            *(sys.executable, "-c", given + PAGES_EXAMPLE),
        ],
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    assert re.fullmatch(r"(100 \S+\n){2}50 \S+\n", done.stdout)


def test_the_badges_show_the_version_and_the_python_of_the_package() -> None:
    package = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"[![version: {package['version']}](" in README
    assert f"badge/version-{package['version']}-blue" in README
    assert f"[![Python: {package['requires-python'].removeprefix('>=')}+](" in README


def test_the_readme_stays_short() -> None:
    assert len(README.split()) <= 1150
