"""The benchmarks lose nothing, repeat nothing, and say what they found; how fast is not tested."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from support.cases import cases
from support.programs import output
from support.records import leads_of

from proof.benchmarks import __main__ as command
from proof.benchmarks import faults, redirect, warehouse
from proof.benchmarks.machine import Calibration, calibrate, this_machine
from proof.benchmarks.measures import QUICK
from proof.benchmarks.page import PAGE, write_page
from proof.benchmarks.programs import BenchmarkError, Outcome, bare_loop, run, tap, tap_environment
from proof.benchmarks.results import Results
from proof.benchmarks.server import SimulatedApi
from proof.benchmarks.table import TIMES, figures, markdown
from proof.benchmarks.templates import PAGE_SIZE, Kind, Pages
from tap_leads.sandbox import lead

LEADS = 450
EXTRACTOR = """
import sys, requests
def main():
    session = requests.Session()
    for path in sys.argv[1:]:
        print(*session.get("https://api.intercom.io" + path).json())
"""


@pytest.fixture(scope="module")
def api() -> Iterator[SimulatedApi]:
    with SimulatedApi(LEADS) as server:
        yield server


def served(pages: Pages) -> list[dict[str, Any]]:
    """The leads of all pages."""
    starts = range(0, LEADS + PAGE_SIZE, PAGE_SIZE)
    return [one for start in starts for one in leads_of(pages.page(start))]


def test_the_bare_loop_reads_every_lead_of_the_api(api: SimulatedApi) -> None:
    """Each opening starts from the first page. A loss fails the benchmark."""
    assert run(bare_loop(api.url), LEADS).leads == LEADS
    with pytest.raises(BenchmarkError, match="450 leads, 450 of them different, of 451"):
        run(bare_loop(api.url), LEADS + 1)


@cases(
    fails=("import sys; print('no reason', file=sys.stderr); sys.exit(3)", None, "3(.|\n)*no rea"),
    hangs=("import time; time.sleep(60)", 0.2, "-9"),
)
def test_a_program_that_fails_says_so(program: str, limit: float | None, words: str) -> None:
    with pytest.raises(BenchmarkError, match=f"exit code {words}"):
        run([sys.executable, "-c", program], 0, limit=limit)


def test_each_lead_of_the_api_is_another_and_looks_like_the_sandboxs() -> None:
    leads = served(Pages(LEADS, templates=2))
    own = ("id", "updated_at")
    for field in own:
        assert len({one[field] for one in leads}) == len(leads) == LEADS
    for index, one in enumerate(leads):
        original = lead(1, index % (2 * PAGE_SIZE))
        assert [len(str(one[field])) for field in own] == [len(str(original[f])) for f in own]
        assert [*(original | {field: one[field] for field in own}).items()] == [*one.items()]


@cases((Kind.NONE, 0), (Kind.ONE, 5), (Kind.ALL, 450))
def test_so_many_leads_have_undocumented_fields(kind: Kind, undocumented: int) -> None:
    leads = served(Pages(LEADS, kind=kind))
    assert len({one["id"] for one in leads}) == LEADS
    assert sum("x_undocumented_flag" in one for one in leads) == undocumented


def test_the_largest_pages_are_as_large_as_intercom_allows() -> None:
    page = Pages(300, kind=Kind.LARGE).page(100)
    attributes = leads_of(page)[0]["custom_attributes"]
    assert len(attributes) == 250
    assert {len(value) for value in attributes.values()} == {255}
    assert 6_500_000 < len(page) < 8_000_000


@cases((0, [0]), (100, [100, 0]), (450, [100, 100, 100, 100, 50, 0]))
def test_a_scroll_of_the_api_ends_empty_and_is_gone(leads: int, sizes: list[int]) -> None:
    found = []
    with SimulatedApi(leads) as server, requests.Session() as session:
        address = f"{server.url}/contacts/scroll"
        response = session.get(address, timeout=5)
        while response.ok:
            found.append(len(response.json()["contacts"]))
            token = response.json()["scroll_param"]
            response = session.get(address, params={"scroll_param": token}, timeout=5)
        assert (response.status_code, server.progress()) == (404, leads)
    assert found == sizes


def test_the_tap_is_complete_after_a_restart_of_the_api() -> None:
    with SimulatedApi(LEADS, fails_at=400) as api:
        settings = tap_environment(api.url, TAP_LEADS_SCROLL_EXPIRY="1")
        assert run(tap(), LEADS, environment=settings).leads == LEADS


# Measure -> program -> seconds of each run.
RUNS: dict[str, dict[str, tuple[float, ...]]] = {
    "latency": {"bare loop": (10.0, 10.0, 10.0), "tap-leads": (10.1, 10.1, 10.1)},
    "zero": {"bare loop": (2.0, 4.0, 2.0), "tap-leads": (2.2, 4.2, 3.0)},
    "realistic": {"none": (6.0,), "one": (6.3,), "all": (9.0,)},
    "ways": {"plain": (6.0,), "flattening": (9.0,)},
    "peers": {"bare loop": (1.4,), "tap-leads": (1.5,), "slow": (15.0,)},
    "sizes": {"100": (1.0,), "1,000": (10.0,)},
    "load": {
        "tap-leads, this project's settings": (8.0,),
        "tap-leads, the target's own defaults": (24.0,),
    },
}
QUIET = Calibration(0.99, 100.0)


def results(after: Calibration = QUIET) -> Results:
    runs = {
        measure: {
            name: [Outcome(1000, s, 0.5, s + 0.5, s, peak=40 + 3 * s) for s in seconds]
            for name, seconds in programs.items()
        }
        for measure, programs in RUNS.items()
    }
    missing, failures = {"gone": "not installed: no such version"}, {"spool": "the disk is full"}
    return Results("2 cores", False, [QUIET, after], runs, missing, failures)


def test_the_tables_show_medians_of_pairs_with_their_spread() -> None:
    table = markdown(results())
    for words in (
        f"zero latency, of the bare loop's | **1.10 {TIMES}** (1.05 to 1.50) |",
        f"50 ms per page, without start-up, of the bare loop's | **1.01 {TIMES}** |",
        f"one lead per page, of plain leads' | **1.05 {TIMES}** |",
        f"time with flattening, of plain leads' | **1.50 {TIMES}** |",
        f"the fastest other extractor's (slow) | **10.00 {TIMES}** |",
        "| peak memory, 1,000 leads | **70 MB** |",
        f"of the project's | **3.00 {TIMES}** |",
        "| tap-leads, this project's settings | 8.0 | 125 |",
        "| slow | leads | 67 |",
        "- Not measured: gone: not installed: no such version",
        "- Not measured: spool: the disk is full",
        "Every lead was counted. 2 cores",
    ):
        assert words in table
    assert "busy" not in table


def test_a_missed_target_is_named() -> None:
    undocumented = "with undocumented fields and fractions"
    missed = [said for figure in figures(results()) if (said := figure.missed())]
    assert missed == [
        "to the first RECORD, start-up included: 0.50 s, not at most 0.35",
        f"time {undocumented} in every lead, of plain leads': 1.50 {TIMES}, not at most 1.2",
        "peak memory, 1,000 leads: 70.00 MB, not at most 60",
    ]


@cases((Calibration(0.8, 100.0), "got 99 %, 80 % of it"), (Calibration(1, 80.0), "changed by 25 %"))
def test_figures_of_a_busy_machine_say_so(after: Calibration, words: str) -> None:
    assert words in markdown(results(after))


@cases(busy=(0.5, 0), quiet=(1.0, 1))
def test_only_a_run_on_a_quiet_machine_replaces_the_page(
    share: float, pages: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    written: list[str] = []
    for name, value in {
        "MEASURES": {},
        "COMPLETE": tmp_path / "results.json",
        "PARTIAL": tmp_path / "partial.json",
        "calibrate": lambda: Calibration(share, 100.0),
        "write_page": written.append,
        "draw_charts": lambda _: None,
    }.items():
        monkeypatch.setattr(command, name, value)
    assert (command.measure(QUICK, []), len(written)) == (0, pages)


def test_the_machine_and_how_quiet_it_is_are_measured() -> None:
    found = calibrate(0.05)
    assert 0 < found.share <= 1.1
    assert found.speed > 0
    machine = this_machine()
    assert re.match(r"\d+ cores of .+ GB; .+; Python .+ tap-leads .+ \d{4}-\d\d-\d\d\.", machine)
    assert "|" not in markdown(Results(machine))  # without figures there is no table


def test_the_main_job_loads_every_lead(api: SimulatedApi) -> None:
    """Also with the target's own defaults."""
    assert warehouse.load(api, defaults=True).leads == LEADS


@cases(
    Singer=(b'{"type":"RECORD","record":{"id":"a"}}\n', "a"),
    Airbyte=(b'{"type":"RECORD","record":{"data":{"id":"b"}}}\n', "b"),
    no_record=(b'{"type":"STATE","value":{}}\n', None),
    no_message=(b"INFO nothing\n", None),
)
def test_singers_and_airbytes_records_are_found(line: bytes, identity: str | None) -> None:
    assert faults.id_in(line) == identity


@cases(
    (faults.Cell(100, 100, 0), "100 / 0"),
    (faults.Cell(140, 100, 0), "140, 40 of them again / 0"),
    (faults.Cell(9, 9, faults.ENDLESS), "9 / no end"),
)
def test_a_cell_shows_records_and_exit_code(cell: faults.Cell, text: str) -> None:
    assert str(cell) == text


def test_an_extractor_is_sent_to_the_api(api: SimulatedApi, tmp_path: Path) -> None:
    """The responses have the words that the extractor expects."""
    (tmp_path / "extractor.py").write_text(EXTRACTOR)
    order = (redirect.__file__, api.url, "1", "extractor:main")
    paths = ("/tags", "/contacts/scroll", "/companies/scroll")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    printed = output(sys.executable, *order, *paths, env=environment)
    assert [line.split()[-1] for line in printed.splitlines()] == ["tags", "contacts", "data"]


@cases("figures", "huge")
def test_the_page_shows_the_figures_between_its_marks(place: str, tmp_path: Path) -> None:
    copy = tmp_path / "performance.md"
    copy.write_text(PAGE.read_text())
    for shown in ("| first |", "| second |"):
        write_page(shown, place, copy)
    before, _, after = copy.read_text().partition(f"<!-- {place}: begin -->\n\n| second |\n\n")
    assert PAGE.read_text().startswith(before)
    assert PAGE.read_text().endswith(after)
    with pytest.raises(BenchmarkError, match="no place for the figures"):
        write_page("| figures |", "nowhere", copy)
