"""Whatever goes wrong, in whatever order, a sync is complete or fails for a reason."""

from __future__ import annotations

import os

import pytest
from support.cases import cases
from support.simulation import COUNTS, FAULTS, simulate_all

from tap_leads.scroll.ends import Mismatch

pytestmark = pytest.mark.no_cover  # other tests run the same lines, and this one takes long

# `make simulate` goes deeper.
DEPTH = int(os.environ.get("SIMULATE_FAULTS", "2"))
REQUESTS = int(os.environ.get("SIMULATE_REQUESTS", "5"))


@pytest.mark.timeout(4 * 3600)
@cases(*COUNTS)
def test_every_schedule_of_faults_ends_complete_or_with_a_reason(
    counts: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And no lead is deleted that existed at all times, unless no count can show its absence."""
    deletes = [result.may_delete for result in simulate_all(DEPTH, REQUESTS, counts)]
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{len(deletes)} schedules of up to {DEPTH} of {len(FAULTS)} faults, counts "
            f"{counts}: {sum(deletes)} end with deletes"
        )


@cases("warn", "ignore")
@cases(*COUNTS)
def test_the_same_if_a_mismatch_is_no_error(counts: str, mismatch: Mismatch) -> None:
    assert list(simulate_all(DEPTH - 1, REQUESTS, counts, mismatch))
