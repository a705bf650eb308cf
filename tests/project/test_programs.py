"""Every Python program of docs/python.md and docs/upstream.md prints what the page shows."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet
from support.pages import assert_prints
from support.programs import output
from support.tap import environment

from demo.meltano import ROOT

PAGES = [(ROOT / "docs" / name).read_text() for name in ("python.md", "upstream.md")]
SECTIONS = [section for page in PAGES for section in page.split("\n## ")[1:]]
PROGRAM = re.compile(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```)?", re.DOTALL)
LIBRARIES = {"dlt", "duckdb", "pandas", "polars"}
SELDOM = {*LIBRARIES, "singer_sdk"}  # their programs change only with a new version
# `uv run` caches the environment, so only the first program installs anything.
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
    return set(re.findall(r"^(?:import|from) (\w+)", program, re.MULTILINE))


def programs() -> Iterator[ParameterSet]:
    """The programs, each with the heading of its section and with the output that is shown."""
    for section in SECTIONS:
        for program, shown in PROGRAM.findall(section):
            marks = [pytest.mark.libraries] if imports(program) & SELDOM else []
            yield pytest.param(program, shown, id=section.splitlines()[0], marks=marks)


def run(program: str, folder: Path) -> str:
    """Runs a program in an empty folder, with pytest if it is a test; returns its output."""
    file = folder / "test_program.py"
    file.write_text(program)
    interpreter = WITH_LIBRARIES if imports(program) & LIBRARIES else [sys.executable]
    module = ["-m", "pytest", "-p", "no:cacheprovider"] if "\ndef test_" in program else []
    env = environment(**VARIABLES, DLT_DATA_DIR=str(folder))
    return output(*interpreter, *module, file, cwd=folder, env=env, timeout=150)


@pytest.mark.parametrize(("program", "shown"), list(programs()))
def test_a_program_prints_what_the_page_shows(program: str, shown: str, tmp_path: Path) -> None:
    assert_prints(shown, run(program, tmp_path))


def test_every_program_shows_its_output_or_is_a_test() -> None:
    found = [match for section in SECTIONS for match in PROGRAM.findall(section)]
    assert all(bool(shown) != ("\ndef test_" in program) for program, shown in found)
    assert set().union(*(imports(program) for program, _ in found)) >= LIBRARIES


NEWEST = {
    "pandas": "print(len(frame), (frame['updated_at'].dt.year == 2026).sum())",
    "polars": "print(len(frame), (frame['updated_at'].dt.year() == 2026).sum())",
    "DuckDB": "print(*duckdb.sql('select count(*), sum((year(updated_at) = 2026)::int)"
    " from contacts').fetchall()[0])",
    "dlt": 'with pipeline.sql_client() as client: print(*client.execute_sql("select count(*),'
    " sum((updated_at >= '2026-01-01')::int) from contacts\")[0])",
}


@pytest.mark.libraries
@pytest.mark.parametrize(("heading", "check"), NEWEST.items(), ids=NEWEST.keys())
def test_a_lead_that_is_sent_twice_is_kept_once(heading: str, check: str, tmp_path: Path) -> None:
    """After a restart, ten leads are sent again in a newer version, which is from 2026."""
    (section,) = (section for section in SECTIONS if section.startswith(f"{heading}\n"))
    ((program, _),) = PROGRAM.findall(section)
    broken = "Sandbox(leads=250, idle_limit=0.5, faults=['restart@2', 'update@3:10'])"
    program = program.replace("Sandbox(leads=250)", broken)
    program = program.replace("intercom.token", "intercom.token, scroll_expiry=1")
    assert_prints("250 10", run(f"{program}\n{check}\n", tmp_path))
