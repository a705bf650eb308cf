"""The README and the pages for users show what the programs do.

tests/tap/test_faults.py tries the tables of docs/operators.md.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import tomllib
from pathlib import Path

import pytest
from support.cases import cases
from support.pages import assert_prints
from support.programs import BIN, output
from support.tap import Workbench, environment

from demo.meltano import ROOT
from proof.benchmarks.faults import FAULTS, PAGE, Fault, measure, table
from proof.benchmarks.peers import PEERS
from tap_leads.errors import TapLeadsError
from tap_leads.sandbox import Sandbox
from tap_leads.scroll.limits import Limits, Pauses
from tap_leads.scroll.outcomes import Outcome
from tap_leads.scroll.reactions import Kind
from tap_leads.singer.settings import SETTINGS

README = (ROOT / "README.md").read_text()
OPERATORS = (ROOT / "docs/operators.md").read_text()
EXAMPLE, PAGES_EXAMPLE = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
SESSIONS = {
    block.splitlines()[0].removeprefix("$ ")[:40]: block
    for page in (README, OPERATORS)
    for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL)
}

PROGRAM = re.compile(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```)?", re.DOTALL)
PROGRAMS = {
    section.splitlines()[0] + "'" * number: match
    for name in ("python.md", "upstream.md")
    for section in (ROOT / "docs" / name).read_text().split("\n## ")[1:]
    for number, match in enumerate(PROGRAM.findall(section))
}
LIBRARIES = {"dlt", "duckdb", "pandas", "polars"}
# `uv run` caches the environment, so only the first program installs anything.
WITH_LIBRARIES = [
    *(sys.executable, "-m", "uv", "run", "--quiet", "--no-project", "--python", sys.executable),
    *("--with-requirements", str(ROOT / "requirements/libraries.txt")),
    *("--with-editable", str(ROOT), "python"),
]


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


def imports(program: str) -> set[str]:
    return set(re.findall(r"^(?:import|from) (\w+)", program, re.MULTILINE))


def run(program: str, folder: Path) -> str:
    """Runs a program in an empty folder, with pytest if it is a test; returns its output."""
    file = folder / "test_program.py"
    file.write_text(program)
    interpreter = WITH_LIBRARIES if imports(program) & LIBRARIES else [sys.executable]
    module = ["-m", "pytest", "-p", "no:cacheprovider"] if "\ndef test_" in program else []
    env = environment(
        PYTEST_ADDOPTS="",
        PYTHONIOENCODING="utf-8",
        DLT_DATA_DIR=str(folder),
        RUNTIME__DLTHUB_TELEMETRY="false",
        UV_CACHE_DIR=str(ROOT / ".cache/uv"),
        UV_PYTHON_DOWNLOADS="never",
    )
    return output(*interpreter, *module, file, cwd=folder, env=env, timeout=150)


# Programs whose output changes only with a new version of a library.
SELDOM = [
    title
    for title, (program, _) in PROGRAMS.items()
    if imports(program) & {*LIBRARIES, "singer_sdk"}
]


@cases(*(title for title in PROGRAMS if title not in SELDOM))
def test_a_program_prints_what_the_page_shows(title: str, tmp_path: Path) -> None:
    program, shown = PROGRAMS[title]
    assert bool(shown) != ("\ndef test_" in program)
    assert_prints(shown, run(program, tmp_path))


@pytest.mark.libraries
@cases(*SELDOM)
def test_a_program_with_a_library_prints_what_the_page_shows(title: str, tmp_path: Path) -> None:
    test_a_program_prints_what_the_page_shows(title, tmp_path)


NEWEST = {
    "pandas": "print(len(frame), (frame['updated_at'].dt.year == 2026).sum())",
    "polars": "print(len(frame), (frame['updated_at'].dt.year() == 2026).sum())",
    "DuckDB": "print(*duckdb.sql('select count(*), sum((year(updated_at) = 2026)::int)"
    " from contacts').fetchall()[0])",
    "dlt": 'with pipeline.sql_client() as client: print(*client.execute_sql("select count(*),'
    " sum((updated_at >= '2026-01-01')::int) from contacts\")[0])",
}


@pytest.mark.libraries
@cases(*NEWEST)
def test_a_lead_that_is_sent_twice_is_kept_once(title: str, tmp_path: Path) -> None:
    """After a restart, ten leads are sent again in a newer version, which is from 2026."""
    broken = "Sandbox(leads=250, idle_limit=0.5, faults=['restart@2', 'update@3:10'])"
    program = PROGRAMS[title][0].replace("Sandbox(leads=250)", broken)
    program = program.replace("intercom.token", "intercom.token, scroll_expiry=1")
    assert_prints("250 10", run(f"{program}\n{NEWEST[title]}\n", tmp_path))


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


@cases(*FAULTS[-2:])
def test_the_comparison_shows_what_the_tap_does(fault: Fault, tmp_path: Path) -> None:
    """The other faults are in docs/operators.md too, and tests/tap/test_faults.py tries them."""
    shown = PAGE.read_text().partition("begin -->")[2].partition("<!-- faults: end")[0].strip()
    rows = [line.strip("| ").split(" | ") for line in shown.splitlines()[2:]]
    assert table(rows) == shown
    assert rows[0] == ["**tap-leads**", *(f"{fault.leads} / 0" for fault in FAULTS)]
    assert [cells[0] for cells in rows[1:]] == [f"{peer.title} ({peer.stream})" for peer in PEERS]
    assert str(measure(None, fault, tmp_path)) == f"{fault.leads} / 0"


def test_a_failure_is_reported_within_the_time_that_the_page_derives() -> None:
    """Each pause has its longest duration, and each request takes until its time limit."""
    defaults = {name: setting.get("default") for name, setting in SETTINGS["properties"].items()}
    pauses: list[float] = []
    broken = Outcome(Kind.UNCLEAR, "no response came")
    limits = Pauses(
        Limits(**{name: defaults[name] for name in Limits.__dataclass_fields__}),
        logging.getLogger("test"),
        sleep=pauses.append,
        jitter=lambda _, highest: highest,
    )
    for _ in range(defaults["max_restarts"]):
        limits.restart(broken, opening=False)
    with pytest.raises(TapLeadsError):
        limits.restart(broken, opening=False)
    requests = (len(pauses) + 1) * 2 * defaults["request_timeout"]
    total = sum(pauses) + requests
    waiting = defaults["scroll_wait_timeout"]
    text = " ".join(OPERATORS.split())
    for words in (
        "five pauses before restarts, of 60, 90, 135, 203 and 304 seconds",
        f"at most {sum(pauses):.0f} seconds",
        f"Six requests that break take at most {2 * defaults['request_timeout']} seconds each",
        f"which are {requests}.",
        f"Together that is {total:.0f} seconds.",
        f"Waiting without progress can add {waiting}.",
        f"| a scroll that breaks each time | {total / 60:.0f} minutes |",
        f"| both: waits and restarts | {(total + waiting) / 60:.0f} minutes |",
        f"{waiting / 60:.0f} minutes (`scroll_wait_timeout`)",
    ):
        assert words in text
    assert [round(pause / 1.1 + 0.01) for pause in pauses] == [60, 90, 135, 203, 304]


def test_the_configuration_for_json_makes_each_line_of_the_log_json(workbench: Workbench) -> None:
    [block] = re.findall(r"```yaml\n(.*?)```", OPERATORS, re.DOTALL)
    file = workbench.folder / "logging.yml"
    file.write_text(block)
    with Sandbox(leads=250) as sandbox:
        run = workbench.sync(sandbox, environment={"SINGER_SDK_LOG_CONFIG": str(file)})
    assert run.code == 0
    messages = [json.loads(line)["message"] for line in run.log.splitlines()]
    assert "Completed: 250 leads" in "".join(messages)
