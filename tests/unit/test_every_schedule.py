"""Whatever goes wrong, in whatever order: a sync is complete, or it fails for a reason."""

from __future__ import annotations

import os

import pytest
from support.simulation import COUNTS, FAULTS, schedules, simulate

from tap_leads.scroll.ends import Mismatch

pytestmark = pytest.mark.no_cover  # it takes long enough, and other tests run the same lines

# `make simulate` goes deeper.
DEPTH = int(os.environ.get("SIMULATE_FAULTS", "2"))
REQUESTS = int(os.environ.get("SIMULATE_REQUESTS", "5"))


@pytest.mark.timeout(4 * 3600)
@pytest.mark.parametrize("counts", COUNTS)
def test_every_schedule_of_faults_ends_complete_or_with_a_reason(
    counts: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And no lead is deleted that was there at all times, unless no count shows its absence."""
    runs = deletes = 0
    for faults in range(DEPTH + 1):
        for schedule in schedules(faults, REQUESTS):
            deletes += simulate(schedule, counts).may_delete
            runs += 1
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{runs} schedules of up to {DEPTH} of {len(FAULTS)} faults, counts {counts}: "
            f"{deletes} end with deletes"
        )


@pytest.mark.parametrize("mismatch", ["warn", "ignore"])
@pytest.mark.parametrize("counts", COUNTS)
def test_the_same_if_a_mismatch_is_no_error(counts: str, mismatch: Mismatch) -> None:
    for faults in range(DEPTH):
        for schedule in schedules(faults, REQUESTS):
            simulate(schedule, counts, mismatch)
