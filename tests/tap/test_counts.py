"""Which witnesses count the leads, and what is said if none does."""

from __future__ import annotations

import pytest
from support.tap import Workbench, ids_of

from tap_leads.sandbox import Sandbox

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
def test_a_test_says_which_witnesses_respond(
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
        pytest.param(["counts/off@*:99"], "99 of them are missing", id="off"),
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
