"""The demos show all leads, and fail when one is missing.

`.ci/run` runs the whole demo without Airflow.
"""

import re
import sys
from pathlib import Path
from subprocess import TimeoutExpired
from types import SimpleNamespace
from typing import Any

import pytest
from psycopg.errors import UndefinedTable
from rich.cells import cell_len
from support.cases import cases
from support.programs import output

import demo.__main__ as program
from demo import meltano
from demo.check import compare
from demo.table import table
from tap_leads.sandbox import Sandbox


@cases(
    in_another_order=("cab", "By id: none missing, extra or double."),
    missing=("ac", "By id: 1 missing (b)."),
    surplus=("abcd", "By id: 1 surplus (d)."),
    repeated=("abcb", "By id: 1 repeated (b)."),
    same_count=("axc", "By id: 1 missing (b); 1 surplus (x)."),
    many=("abc012345", "By id: 6 surplus (0, 1, 2, 3, 4, …)."),
)
def test_rows_are_compared_by_id(rows: str, report: str) -> None:
    """The counts alone would hide a missing row if there is also a surplus one."""
    result = compare("abc", rows)
    assert result.complete == ("none" in report)
    assert str(result) == report


@cases(
    complete=(3, 0, 0),
    a_lead_is_missing=(2, 0, 1),
    meltano_failed=(3, 1, 1),
    no_table=(0, 1, 1),
)
def test_the_demo_succeeds_only_if_meltano_does_and_every_lead_arrives(
    rows: int,
    code: int,
    result: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A failed demo shows Meltano's log."""

    def query(sql: str) -> list[tuple[str, ...]]:
        if sql.startswith("SHOW"):
            return [("18",)]
        if not rows:
            raise UndefinedTable
        return [(lead["id"], "2026", "", "", "Zoë") for lead in Sandbox(rows).workspace.leads()]

    server: Any = SimpleNamespace(host="host", port=5432, query=query)
    monkeypatch.setattr(program, "sync", lambda *_: (code, "what Meltano said"))
    assert program.demonstrate(Sandbox(leads=3), server, Path()) == result
    out, err = capsys.readouterr()
    assert f"Intercom has 3 leads, PostgreSQL {rows} rows. By id: " in out
    assert ("what Meltano said" in err) == bool(result)


def test_the_columns_of_a_table_are_aligned_with_wide_letters_and_cut_to_100() -> None:
    """Columns are counted as a terminal shows them; line breaks are replaced."""
    assert table(["a", "name"], [["東京", "line\nbreak"], [None, "e\u0301"]]).split("\n") == [
        "a     name",
        "────────────────",
        "東京  line break",
        "-     e\u0301",
    ]
    *_, cut = table(["id", "name"], [["1" * 24, "東京" * 50]]).split("\n")
    assert (cell_len(cut) <= 100, "…" in cut) == (True, True)


@pytest.fixture
def fake_meltano(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A file for the shell script that replaces Meltano."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    fake = tmp_path / "meltano"
    fake.touch(mode=0o755)
    return fake


def test_a_users_settings_do_not_reach_meltano(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fake_meltano: Path
) -> None:
    """They belong to a real workspace."""
    monkeypatch.setenv("TAP_LEADS_REGION", "eu")
    fake_meltano.write_text("#!/bin/sh\nenv; exit 3\n")
    done = meltano.run("run", folder=tmp_path, env={"TAP_LEADS_API_URL": "here"}, cwd=tmp_path)
    assert done.returncode == 3
    assert "TAP_LEADS_REGION" not in done.stdout
    assert "TAP_LEADS_API_URL=here\n" in done.stdout


def test_a_run_that_takes_too_long_is_killed(tmp_path: Path, fake_meltano: Path) -> None:
    fake_meltano.write_text("#!/bin/sh\necho started; sleep 60; echo ended\n")
    with pytest.raises(TimeoutExpired):
        meltano.run("run", folder=tmp_path, cwd=tmp_path, seconds=2)
    assert (tmp_path / "meltano.log").read_text() == "started\n"


@pytest.mark.timeout(960)
@pytest.mark.machines
@cases("edge", "celery")
def test_the_workspace_of_a_lost_machine_arrives_from_the_other(executor: str) -> None:
    """The demo with Airflow loses one of two machines midway."""
    printed = output(sys.executable, "-m", "demo.airflow", f"--executor={executor}", timeout=900)
    [lost] = re.findall(r"Machine (\w+) is lost", printed)
    [acme] = re.findall(r"tap-leads--acme +(.*?)  ", printed)
    *before, last = re.findall(r"\d+: (\w+)", acme)
    assert lost in before
    assert {lost, last} == {"one", "two"}
    rows = re.findall(r"success +(\d+) +\w+ +(\d+) +yes", printed)
    assert rows == [("2500", "2500"), ("1200", "1200"), ("300", "300")]
