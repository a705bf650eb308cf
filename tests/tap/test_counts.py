"""Which counts of leads Intercom gives, what follows from each, and what is said without one."""

from __future__ import annotations

from support.cases import cases
from support.tap import Workbench, ids_of

from tap_leads.sandbox import Sandbox

COMPLETE = ["SCHEMA", "RECORD", "ACTIVATE_VERSION", "STATE"]
KNOWN, LISTED = (
    "Intercom's count of leads is known.",
    "The number of leads in Intercom's list is known.",
)
PERMISSION = "Give its app the permission *Read counts*"


@cases(
    both=([], {KNOWN, LISTED}),
    list=(["counts/403@*"], {LISTED, PERMISSION}),
    none=(["counts/nojson@*", "contacts/number@2+:99999999999999"], {"was not a count of leads"}),
)
def test_a_test_says_which_counts_are_known(
    faults: list[str], said: set[str], workbench: Workbench
) -> None:
    with Sandbox(leads=250, faults=faults) as sandbox:
        run = workbench.sync(sandbox, "--test")
    assert run.code == 0, run.log
    words = {KNOWN, LISTED, PERMISSION, "was not a count of leads"}
    assert {each for each in words if each in run.log} == said


@cases(
    unknown=(
        ["counts/403@*", 'contacts/body@*:{"total_count":5}'],
        "Intercom did not say how many leads there are",
    ),
    bound=(["counts/403@*", "contacts/limited@*"], "250 leads at most"),
    more_than_1_percent=(["counts/off@*:3"], "3 of them are missing"),
)
def test_a_sync_without_proof_deletes_nothing_and_says_why(
    faults: list[str], reason: str, workbench: Workbench
) -> None:
    with Sandbox(leads=250, faults=faults) as sandbox:
        run = workbench.sync(sandbox)
    assert (run.code, run.ids) == (0, ids_of(sandbox)), run.log
    assert run.kinds == ["SCHEMA", "RECORD", "STATE"]
    assert reason in run.lines("WARNING")[-1]


@cases(
    *("number@*:252", "drip@*:2", "status@*:500", "nojson@*"),
    too_large="number@*:" + "9" * 4000,
)
def test_a_count_that_is_nearly_right_wrong_or_missing_does_not_prevent_deletes(
    fault: str, workbench: Workbench
) -> None:
    """A count that does not come delays the sync by seconds."""
    with Sandbox(leads=250, faults=[f"counts/{fault}"]) as sandbox:
        run = workbench.sync(sandbox, scroll_wait_timeout=1, request_timeout=1)
    assert (run.code, run.ids, run.kinds) == (0, ids_of(sandbox), COMPLETE), run.log
    assert ("Intercom's count of leads is not known" in run.log) == (fault != "number@*:252")
