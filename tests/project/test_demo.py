"""The demo shows every script, and fails when a lead is missing.

`.ci/run` runs the whole of it.
"""

import sys
from pathlib import Path
from subprocess import TimeoutExpired

import pytest
from rich.cells import cell_len

import demo.__main__ as program
from demo import meltano
from demo.check import compare
from demo.postgres import PostgresServer
from demo.table import table
from tap_leads.sandbox import Sandbox


def test_all_there() -> None:
    """The order of the rows does not matter."""
    result = compare(["a", "b", "c"], ["c", "a", "b"])
    assert result.complete
    assert str(result) == "By id: none missing, extra or double."


@pytest.mark.parametrize(
    ("rows", "report"),
    [
        pytest.param("ac", "By id: 1 missing (b).", id="missing"),
        pytest.param("abcd", "By id: 1 surplus (d).", id="surplus"),
        pytest.param("abcb", "By id: 1 repeated (b).", id="repeated"),
        pytest.param("axc", "By id: 1 missing (b); 1 surplus (x).", id="same-count"),
        pytest.param("", "By id: 3 missing (a, b, c).", id="empty"),
    ],
)
def test_a_fault_is_found_by_id(rows: str, report: str) -> None:
    """The counts alone would hide a row that is missing while another is too many."""
    result = compare("abc", rows)
    assert not result.complete
    assert str(result) == report


def test_a_report_names_a_few_ids_only() -> None:
    """A thousand missing leads are one line too."""
    report = str(compare((f"{n:04}" for n in range(1000)), []))
    assert report == "By id: 1,000 missing (0000, 0001, 0002, 0003, 0004, …)."


class FakeServer(PostgresServer):
    """A destination whose rows a test chooses."""

    def __init__(self, rows: list[tuple[str, ...]] | None) -> None:
        self.host, self.port, self.user, self.password = "host", 5432, "user", "password"
        self._rows = rows

    def query(self, sql: str, params: object = ()) -> list[tuple[object, ...]]:
        """Returns rows for the three statements of the demo."""
        del params
        if sql.startswith("SHOW"):
            return [("18",)]
        if "to_regclass" in sql:
            return [(self._rows is not None,)]
        return [*(self._rows or [])]


def rows_of(sandbox: Sandbox) -> list[tuple[str, ...]]:
    """What a complete sync leads to."""
    return [(lead["id"], "2026", "", "", "Zoë") for lead in sandbox.workspace.leads()]


def demonstrate(
    monkeypatch: pytest.MonkeyPatch, rows: list[tuple[str, ...]] | None, code: int = 0
) -> int:
    """Runs the demo with a sync that has this result."""
    monkeypatch.setattr(program, "sync", lambda *_: (code, "what Meltano said"))
    return program.demonstrate(Sandbox(leads=3), FakeServer(rows), Path())


def test_the_demo_succeeds_when_every_lead_has_arrived(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Then the log is not shown."""
    assert demonstrate(monkeypatch, rows_of(Sandbox(leads=3))) == 0
    out, err = capsys.readouterr()
    assert "Intercom has 3 leads, PostgreSQL 3 rows. By id: none missing" in out
    assert err == ""


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        pytest.param(rows_of(Sandbox(leads=2)), 0, id="a-lead-is-missing"),
        pytest.param(rows_of(Sandbox(leads=3)), 1, id="meltano-failed"),
        pytest.param(None, 1, id="no-table"),
    ],
)
def test_the_demo_fails_and_shows_the_log(
    rows: list[tuple[str, ...]] | None,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """When a lead is missing, whatever the exit code; and when the sync failed."""
    assert demonstrate(monkeypatch, rows, code) == 1
    assert "what Meltano said" in capsys.readouterr().err


def test_a_table_stays_straight_with_wide_letters() -> None:
    """Columns are counted as a terminal shows them; line breaks stay out."""
    assert table(["a", "name"], [["東京", "line\nbreak"], [None, "e\u0301"]]).split("\n") == [
        "a     name",
        "────────────────",
        "東京  line break",
        "-     e\u0301",
    ]


def test_a_table_fits_into_100_columns() -> None:
    """What does not fit is cut, with a mark."""
    lines = table(["id", "name"], [["1" * 24, "東京" * 50]]).split("\n")
    assert max(map(cell_len, lines)) <= 100
    assert "…" in lines[-1]


def test_a_foreign_setting_does_not_reach_meltano(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A user's real workspace must not be mixed up with the sandbox."""
    monkeypatch.setenv("TAP_LEADS_REGION", "eu")
    project = tmp_path / "project"
    project.mkdir()
    fake = tmp_path / "meltano"
    fake.write_text("#!/bin/sh\nenv; echo $@; exit 3\n")
    fake.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    done = meltano.run("run", folder=tmp_path, env={"TAP_LEADS_API_URL": "here"}, cwd=project)
    assert done.returncode == 3
    assert "TAP_LEADS_REGION" not in done.stdout
    assert "TAP_LEADS_API_URL=here\n" in done.stdout


def test_a_run_that_takes_too_long_ends(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With all that it started."""
    fake = tmp_path / "meltano"
    fake.write_text("#!/bin/sh\necho started; sleep 60; echo ended\n")
    fake.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(TimeoutExpired):
        meltano.run("run", folder=tmp_path, cwd=tmp_path, seconds=2)
    assert (tmp_path / "meltano.log").read_text() == "started\n"
