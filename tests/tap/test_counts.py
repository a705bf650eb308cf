"""Which counts of leads Intercom gives, what follows from each, and what is said without one."""

from __future__ import annotations

import pytest
from support.cases import cases
from support.tap import Workbench, ids_of

from tap_leads.sandbox import Sandbox

COMPLETE = ["SCHEMA", "RECORD", "ACTIVATE_VERSION", "STATE"]
KNOWN, LISTED = (
    "Intercom's count of leads is known.",
    "The number of leads in Intercom's list is known.",
)
PERMISSION = "Give its app the permission *Read counts*"


@pytest.mark.parametrize(
    ("faults", "said", "unsaid"),
    [
        pytest.param([], [KNOWN, LISTED], [PERMISSION], id="both"),
        pytest.param(["counts/403@*"], [LISTED, PERMISSION], [KNOWN], id="list"),
        pytest.param(
            ["counts/nojson@*", "contacts/number@2+:99999999999999"],
            ["was not a count of leads"], [KNOWN, LISTED], id="none",
        ),
    ],
)  # fmt: skip
def test_a_test_says_which_counts_are_known(
    workbench: Workbench, faults: list[str], said: list[str], unsaid: list[str]
) -> None:
    with Sandbox(leads=250, faults=faults) as sandbox:
        run = workbench.sync(sandbox, "--test")
    assert run.code == 0, run.log
    assert all(words in run.log for words in said)
    assert not any(words in run.log for words in unsaid)


@pytest.mark.parametrize(
    ("faults", "reason"),
    [
        pytest.param(
            ["counts/403@*", 'contacts/body@*:{"total_count":5}'],
            "Intercom did not say how many leads there are", id="unknown",
        ),
        pytest.param(["counts/403@*", "contacts/limited@*"], "250 leads at most", id="bound"),
        pytest.param(["counts/off@*:3"], "3 of them are missing", id="more-than-1-percent"),
        pytest.param(["counts/off@*:99"], "99 of them are missing", id="almost-a-page"),
    ],
)  # fmt: skip
def test_a_sync_without_proof_deletes_nothing_and_says_why(
    workbench: Workbench, faults: list[str], reason: str
) -> None:
    with Sandbox(leads=250, faults=faults) as sandbox:
        run = workbench.sync(sandbox)
    assert run.code == 0, run.log
    assert run.ids == ids_of(sandbox)
    assert run.kinds == ["SCHEMA", "RECORD", "STATE"]
    assert reason in run.lines("WARNING")[-1]


@cases("252", "0", "-5", "9" * 4000)
def test_a_count_that_is_nearly_right_or_makes_no_sense_does_not_prevent_deletes(
    count: str, workbench: Workbench
) -> None:
    with Sandbox(leads=250, faults=[f"counts/number@*:{count}"]) as sandbox:
        run = workbench.sync(sandbox)
    assert run.code == 0, run.log
    assert run.ids == ids_of(sandbox)
    assert run.kinds == COMPLETE


@cases(
    "drip@*:2",
    "hang@*",
    "lost@*",
    "status@*:500",
    "malformed@*:chunk",
    "bomb@*:100",
    "nojson@*",
    'body@*:{"lead":{"count":"many"}}',
    'body@*:{"lead":[]}',
)
def test_a_missing_count_delays_the_sync_by_seconds_and_never_fails_it(
    fault: str, workbench: Workbench
) -> None:
    with Sandbox(leads=250, faults=[f"counts/{fault}"]) as sandbox:
        run = workbench.sync(sandbox, scroll_wait_timeout=1, request_timeout=1)
    assert run.code == 0, run.log
    assert run.kinds == COMPLETE
    assert "Intercom's count of leads is not known" in run.log
