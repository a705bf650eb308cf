"""Whatever goes wrong, in whatever order: a sync is complete, or it fails for a reason."""

from __future__ import annotations

import os

import pytest
from support.simulation import FAULTS, schedules, simulate

pytestmark = pytest.mark.no_cover  # it takes long enough, and other tests run the same lines

# `make simulate` goes deeper.
DEPTH = int(os.environ.get("SIMULATE_FAULTS", "3"))
REQUESTS = int(os.environ.get("SIMULATE_REQUESTS", "5"))


@pytest.mark.timeout(4 * 3600)
@pytest.mark.parametrize("last", FAULTS)
def test_every_schedule_of_faults_ends_complete_or_with_a_reason(
    last: str, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = 0
    for faults in range(1, DEPTH + 1):
        for schedule in schedules(faults, REQUESTS):
            if schedule[-1][1] == last:
                simulate(schedule)
                runs += 1
    with capsys.disabled():
        print(f"\n{runs} schedules of up to {DEPTH} faults that end with {last!r}")  # noqa: T201


@pytest.mark.parametrize("faults", [0, 1, 2])
def test_the_same_without_a_count_to_compare_with(faults: int) -> None:
    for schedule in schedules(faults, REQUESTS):
        simulate(schedule, counts=False)
