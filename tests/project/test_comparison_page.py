"""docs/comparison.md shows what `make faults` prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.meltano import ROOT
from proof.benchmarks.faults import FAULTS, Fault, measure, row
from proof.benchmarks.peers import PEERS

ROWS = [
    line.strip("| ").split(" | ")
    for line in (ROOT / "docs/comparison.md").read_text().splitlines()
    if line.startswith("| ")
]


def test_the_table_has_the_faults_and_the_extractors_of_the_command() -> None:
    heads, ours, *others = ROWS
    assert row(heads[0], heads[1:]) == row("records / exit code", [one.title for one in FAULTS])
    assert ours[0] == "**tap-leads**"
    assert [cells[0] for cells in others] == [f"{peer.title} ({peer.stream})" for peer in PEERS]
    assert {len(cells) for cells in ROWS} == {1 + len(FAULTS)}


@pytest.mark.parametrize(
    ("fault", "cell"),
    [pytest.param(*both, id=both[0].title) for both in zip(FAULTS, ROWS[1][1:], strict=True)],
)
def test_the_row_of_the_tap_is_what_it_does(fault: Fault, cell: str, tmp_path: Path) -> None:
    assert str(measure(None, fault, tmp_path)) == cell
