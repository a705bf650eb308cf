"""The README and docs/operators.md show what the programs print."""

from __future__ import annotations

import os
import re
import sys
import tomllib
from pathlib import Path

from support.cases import cases
from support.pages import assert_prints
from support.programs import BIN, output
from support.tap import environment

from demo.meltano import ROOT

README = (ROOT / "README.md").read_text()
PAGES = [README, (ROOT / "docs/operators.md").read_text()]
EXAMPLE, PAGES_EXAMPLE = re.findall(r"```python\n(.*?)```", README, re.DOTALL)

SESSIONS = {
    block.splitlines()[0].removeprefix("$ ")[:40]: block
    for page in PAGES
    for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL)
}


@cases(**SESSIONS)
def test_a_session_prints_what_the_page_shows(session: str, tmp_path: Path) -> None:
    """Every line that is shown, in this order; `…` stands for what differs each time.

    A line that begins with four blanks continues the one before.
    """
    (tmp_path / "example.py").write_text(EXAMPLE)
    env = environment(PATH=f"{BIN}:{os.environ['PATH']}")
    lines = session.replace("\n    ", " ")
    parts = re.split(r"^\$ (.*)\n", lines, flags=re.MULTILINE)[1:]
    for command, shown in zip(parts[::2], parts[1::2], strict=True):
        assert_prints(shown, output("bash", "-c", f"exec 2>&1; {command}", cwd=tmp_path, env=env))


def test_the_pages_are_read_as_shown() -> None:
    given = "import os\nfrom functools import partial\nimport tap_leads\n"
    given += "token = os.environ['TAP_LEADS_ACCESS_TOKEN']\n"
    given += "pages = partial(tap_leads.pages, api_url=os.environ['TAP_LEADS_API_URL'])\n"
    sandbox = (sys.executable, "-m", "tap_leads.sandbox", "--leads=250", "--quiet", "--")
    printed = output(*sandbox, sys.executable, "-c", given + PAGES_EXAMPLE)
    assert re.fullmatch(r"(100 \S+\n){2}50 \S+\n", printed)


def test_the_badges_show_the_version_and_the_python_of_the_package() -> None:
    package = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"[![version: {package['version']}](" in README
    assert f"badge/version-{package['version']}-blue" in README
    assert f"[![Python: {package['requires-python'].removeprefix('>=')}+](" in README


def test_the_readme_stays_short() -> None:
    assert len(README.split()) <= 1150
