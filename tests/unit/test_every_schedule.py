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
@cases("fail", "warn", "ignore")
@cases(*COUNTS)
def test_every_schedule_of_faults_ends_complete_or_with_a_reason(
    counts: str, mismatch: Mismatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And no lead is deleted that existed at all times, unless no count can show its absence."""
    depth = DEPTH if mismatch == "fail" else DEPTH - 1
    deletes = [each.may_delete for each in simulate_all(depth, REQUESTS, counts, mismatch)]
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{len(deletes)} schedules of up to {depth} of {len(FAULTS)} faults, counts "
            f"{counts}, {mismatch}: {sum(deletes)} end with deletes"
        )
