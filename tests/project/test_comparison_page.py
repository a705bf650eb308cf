"""docs/comparison.md shows what `make faults` prints."""

from __future__ import annotations

from pathlib import Path

from support.cases import cases

from proof.benchmarks.faults import FAULTS, PAGE, Fault, measure, table
from proof.benchmarks.peers import PEERS

TABLE = PAGE.read_text().partition("begin -->")[2].partition("<!-- faults: end")[0].strip()
ROWS = [line.strip("| ").split(" | ") for line in TABLE.splitlines()[2:]]


def test_the_table_has_the_faults_and_the_extractors_of_the_command() -> None:
    assert table(ROWS) == TABLE
    titles = ["**tap-leads**", *(f"{peer.title} ({peer.stream})" for peer in PEERS)]
    assert [cells[0] for cells in ROWS] == titles
    assert {len(cells) for cells in ROWS} == {1 + len(FAULTS)}


@cases(*FAULTS[-2:])
def test_the_row_of_the_tap_is_what_it_does(fault: Fault, tmp_path: Path) -> None:
    """The other faults are in docs/operators.md too, and tests/tap/test_faults.py tries them."""
    assert ROWS[0][1:] == [f"{fault.leads} / 0" for fault in FAULTS]
    assert str(measure(None, fault, tmp_path)) == f"{fault.leads} / 0"
