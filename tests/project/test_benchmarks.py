"""The benchmarks lose nothing, repeat nothing, and say what they found; how fast is not tested."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
from support.cases import cases
from support.records import leads_of

from proof.benchmarks import __main__ as command
from proof.benchmarks import faults, redirect, warehouse
from proof.benchmarks.machine import Calibration, calibrate, this_machine
from proof.benchmarks.measures import QUICK
from proof.benchmarks.page import PAGE, write_page
from proof.benchmarks.programs import BenchmarkError, bare_loop, run, tap, tap_environment
from proof.benchmarks.results import Results
from proof.benchmarks.server import SimulatedApi
from proof.benchmarks.table import TIMES, figures, markdown
from proof.benchmarks.templates import PAGE_SIZE, Kind, Pages
from tap_leads.sandbox import lead

LEADS = 450
UNDOCUMENTED = "with undocumented fields and fractions"


@pytest.fixture(scope="module")
def api() -> Iterator[SimulatedApi]:
    with SimulatedApi(LEADS) as server:
        yield server


def served(pages: Pages, leads: int = LEADS) -> list[dict[str, Any]]:
    """The leads of all pages."""
    starts = range(0, leads + PAGE_SIZE, PAGE_SIZE)
    return [one for start in starts for one in leads_of(pages.page(start))]


def test_the_bare_loop_reads_every_lead_of_the_api(api: SimulatedApi) -> None:
    for _ in range(2):  # each opening starts from the first page
        assert run(bare_loop(api.url), LEADS).leads == LEADS


def test_a_program_that_loses_leads_fails_the_benchmark(api: SimulatedApi) -> None:
    with pytest.raises(BenchmarkError, match="450 leads, 450 of them different, of 451"):
        run(bare_loop(api.url), LEADS + 1)


@pytest.mark.parametrize(
    ("program", "limit", "words"),
    [
        ("import sys; print('no reason', file=sys.stderr); sys.exit(3)", None, "3(.|\n)*no reason"),
        ("import time; time.sleep(60)", 0.2, "-9"),
    ],
    ids=["fails", "hangs"],
)
def test_a_program_that_fails_or_hangs_says_so(
    program: str, limit: float | None, words: str
) -> None:
    with pytest.raises(BenchmarkError, match=f"exit code {words}"):
        run([sys.executable, "-c", program], 0, limit=limit)


def test_each_lead_of_the_api_is_another_and_looks_like_the_sandboxs() -> None:
    leads = served(Pages(LEADS, templates=2))
    assert len({one["id"] for one in leads}) == len(leads) == LEADS
    assert len({one["updated_at"] for one in leads}) == LEADS
    for index, one in enumerate(leads):
        original = lead(1, index % (2 * PAGE_SIZE))
        assert list(one) == list(original)
        for field in ("id", "updated_at"):
            assert len(str(one.pop(field))) == len(str(original.pop(field)))
        assert one == original


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


@cases(0, 1, PAGE_SIZE, LEADS)
def test_a_scroll_of_the_api_ends_with_an_empty_page_and_is_gone(leads: int) -> None:
    sizes = []
    with SimulatedApi(leads) as server, requests.Session() as session:
        address = f"{server.url}/contacts/scroll"
        response = session.get(address, timeout=5)
        while response.ok:
            sizes.append(len(response.json()["contacts"]))
            token = response.json()["scroll_param"]
            response = session.get(address, params={"scroll_param": token}, timeout=5)
        assert response.status_code == 404
        assert server.progress() == leads
    full, rest = divmod(leads, PAGE_SIZE)
    assert sizes == [PAGE_SIZE] * full + [rest] * bool(rest) + [0]


def test_the_tap_is_complete_after_a_restart_of_the_api() -> None:
    with SimulatedApi(LEADS, fails_at=400) as api:
        settings = tap_environment(api.url, TAP_LEADS_SCROLL_EXPIRY="1")
        assert run(tap(), LEADS, environment=settings).leads == LEADS


def outcome(seconds: float, peak: float = 55.0) -> dict[str, float]:
    times = {"seconds": seconds, "first": 0.5, "last": seconds + 0.5, "cpu": seconds, "peak": peak}
    return {"leads": 1000, **times}


RESULTS: dict[str, Any] = {
    "machine": "2 cores of Abacus, 8 GB; Linux; 2026-01-02.",
    "calibration": [{"share": 0.99, "speed": 100.0}, {"share": 0.98, "speed": 99.0}],
    "runs": {
        "latency": {"bare loop": [outcome(10.0)] * 3, "tap-leads": [outcome(10.1)] * 3},
        "zero": {
            "bare loop": [outcome(2.0), outcome(4.0), outcome(2.0)],
            "tap-leads": [outcome(2.2), outcome(4.2), outcome(3.0)],
        },
        "realistic": {kind: [outcome(s)] for kind, s in (("none", 6.0), ("one", 6.3), ("all", 9))},
        "ways": {"plain": [outcome(6.0)], "flattening": [outcome(9.0)]},
        "peers": {
            "bare loop": [outcome(1.4)],
            "tap-leads": [outcome(1.5)],
            "slow": [outcome(15.0)],
        },
        "sizes": {"100": [outcome(1.0, peak=50.0)], "1,000": [outcome(10.0, peak=70.0)]},
        "load": {
            "tap-leads, this project's settings": [outcome(8.0)],
            "tap-leads, the target's own defaults": [outcome(24.0)],
        },
    },
    "missing": {"gone": "not installed: no such version"},
    "failures": {"spool": "the disk is full"},
}


def results(**changes: object) -> Results:
    return msgspec.convert(RESULTS | changes, Results)


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
        RESULTS["machine"],
    ):
        assert words in table
    assert "busy" not in table


def test_a_missed_target_is_named() -> None:
    missed = [said for figure in figures(results()) if (said := figure.missed())]
    assert missed == [
        "to the first RECORD, start-up included: 0.50 s, not at most 0.35",
        f"time {UNDOCUMENTED} in every lead, of plain leads': 1.50 {TIMES}, not at most 1.2",
        "peak memory, 1,000 leads: 70.00 MB, not at most 60",
    ]


@cases(
    other_programs=({"share": 0.8, "speed": 100.0}, "got 99 %, 80 % of it"),
    slower=({"share": 1.0, "speed": 80.0}, "speed changed by 25 %"),
)
def test_figures_of_a_busy_machine_say_so(after: dict[str, float], words: str) -> None:
    found = results(calibration=[RESULTS["calibration"][0], after])
    assert words in found.noise
    assert words in markdown(found)


@pytest.mark.parametrize(("share", "pages"), [(0.5, 0), (1.0, 1)], ids=["busy", "quiet"])
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
    assert command.measure(QUICK, []) == 0
    assert len(written) == pages


def test_the_machine_and_how_quiet_it_is_are_measured() -> None:
    found = calibrate(0.05)
    assert 0 < found.share <= 1.1
    assert found.speed > 0
    assert re.match(
        r"\d+ cores of .+ GB; .+; Python .+ tap-leads .+ \d{4}-\d\d-\d\d\.", this_machine()
    )


def test_a_table_of_nothing_holds_no_figures() -> None:
    assert "|" not in markdown(Results(RESULTS["machine"]))


@pytest.mark.parametrize("defaults", [False, True], ids=["project", "defaults"])
def test_the_main_job_loads_every_lead(api: SimulatedApi, defaults: bool) -> None:
    assert warehouse.load(api, defaults=defaults).leads == LEADS


@cases(
    Singer=(b'{"type":"RECORD","record":{"id":"a"}}\n', "a"),
    Airbyte=(b'{"type":"RECORD","record":{"data":{"id":"b"}}}\n', "b"),
    **{
        "no record": (b'{"type":"STATE","value":{}}\n', None),
        "no message": (b"INFO nothing\n", None),
    },
)
def test_records_are_found_in_singers_and_airbytes_messages(
    line: bytes, identity: str | None
) -> None:
    assert faults.id_in(line) == identity


@cases(
    (faults.Cell(100, 100, 0), "100 / 0"),
    (faults.Cell(140, 100, 0), "140, 40 of them again / 0"),
    (faults.Cell(9, 9, faults.ENDLESS), "9 / no end"),
)
def test_a_cell_shows_records_and_exit_code(cell: faults.Cell, text: str) -> None:
    assert str(cell) == text


def test_an_extractor_is_sent_to_the_api_and_finds_its_own_words(
    api: SimulatedApi, tmp_path: Path
) -> None:
    extractor = tmp_path / "extractor.py"
    extractor.write_text(
        "import sys, requests\n"
        "def main():\n"
        "    session = requests.Session()\n"
        "    for path in sys.argv[1:]:\n"
        "        print(*session.get('https://api.intercom.io' + path).json())\n"
    )
    paths = ["/tags", "/contacts/scroll", "/companies/scroll"]
    done = subprocess.run(
        [sys.executable, redirect.__file__, api.url, "1", "extractor:main", *paths],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        check=True,
        text=True,
        timeout=30,
    )
    tags, leads, companies = (set(line.split()) for line in done.stdout.splitlines())
    assert tags == {"type", "tags"}
    assert companies ^ leads == {"data", "contacts"}


@cases("figures", "huge")
def test_the_page_shows_the_figures_between_its_marks(place: str, tmp_path: Path) -> None:
    copy = tmp_path / "performance.md"
    copy.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    for shown in ("| first |", "| second |"):
        write_page(shown, place, copy)
        assert shown in copy.read_text(encoding="utf-8")
    text = copy.read_text(encoding="utf-8")
    assert "| first |" not in text
    before, _, after = text.partition(f"<!-- {place}: begin -->\n\n| second |\n\n")
    assert PAGE.read_text().startswith(before)
    assert PAGE.read_text().endswith(after)


def test_a_page_without_marks_is_an_error(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Nothing\n")
    with pytest.raises(BenchmarkError, match="no place for the figures"):
        write_page("| figures |", page=page)
