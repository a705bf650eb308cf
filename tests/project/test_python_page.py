"""Every program of docs/python.md runs as it is, and prints what the page shows."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet
from support.pages import assert_prints
from support.tap import environment

from demo.meltano import ROOT

PAGE = (ROOT / "docs/python.md").read_text()
LIBRARIES = {"dlt", "duckdb", "pandas", "polars"}
# `uv run` keeps the environment in its cache, so that only the first program installs anything.
WITH_LIBRARIES = [
    *(sys.executable, "-m", "uv", "run", "--quiet", "--no-project", "--python", sys.executable),
    *("--with-requirements", str(ROOT / "requirements/libraries.txt")),
    *("--with-editable", str(ROOT), "python"),
]

VARIABLES = {
    "PYTEST_ADDOPTS": "",
    "PYTHONIOENCODING": "utf-8",
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "UV_CACHE_DIR": str(ROOT / ".cache/uv"),
    "UV_PYTHON_DOWNLOADS": "never",
}


def imports(program: str) -> set[str]:
    """The packages that a program imports."""
    nodes = list(ast.walk(ast.parse(program)))
    whole = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    return whole | {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}


def programs() -> list[ParameterSet]:
    """The programs, each with the heading that it is under and with the output that is shown."""
    found = []
    for section in PAGE.split("\n## ")[1:]:
        blocks = re.findall(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```)?", section, re.DOTALL)
        for program, output in blocks:
            marks = [pytest.mark.libraries] if imports(program) & LIBRARIES else []
            heading = section.splitlines()[0]
            found.append(pytest.param(program, output, id=heading, marks=marks))
    return found


def run(program: str, folder: Path) -> str:
    """Runs a program in an empty folder, as a test where it has no output of its own."""
    file = folder / "test_program.py"
    file.write_text(program)
    interpreter = WITH_LIBRARIES if imports(program) & LIBRARIES else [sys.executable]
    module = ["-m", "pytest", "-p", "no:cacheprovider"] if "\ndef test_" in program else []
    done = subprocess.run(
        [*interpreter, *module, str(file)],
        cwd=folder,
        env=environment(**VARIABLES, DLT_DATA_DIR=str(folder)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(("program", "output"), programs())
def test_a_program_prints_what_the_page_shows(program: str, output: str, tmp_path: Path) -> None:
    assert_prints(output, run(program, tmp_path))


def test_every_program_shows_its_output_or_is_a_test() -> None:
    blocks = re.findall(r"```python\n(.*?)```(\n\n```text)?", PAGE, re.DOTALL)
    assert all(bool(output) != ("\ndef test_" in program) for program, output in blocks)
    assert all(any(library in imports(program) for program, _ in blocks) for library in LIBRARIES)
