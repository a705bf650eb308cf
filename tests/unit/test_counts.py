"""The counts of leads: whom the sync asks, how long it waits, and what it logs."""

from __future__ import annotations

from itertools import chain, count, repeat
from unittest.mock import Mock

from support.cases import cases
from support.lifecycle import ADVICE, Clock, VirtualPauses, no_page

from tap_leads.scroll.counts import Counts
from tap_leads.scroll.ends import Count
from tap_leads.scroll.reactions import Kind

BOUND = Count(2, exact=False)
FIRST, SECOND = "INFO: Intercom's count of leads", "INFO: The number of leads in Intercom's list"
REFUSED = f"{FIRST} is not known: a refusal. {ADVICE}."
NO_PAGE = f"{SECOND} is not known: a response that is not a page of leads. {ADVICE}."


def trial(
    first: list[Count | Kind], second: Count | Kind, **limits: float
) -> tuple[Mock, VirtualPauses, Counts]:
    """Two witnesses, each with its responses; the last one is repeated."""
    answers = [no_page(each) if isinstance(each, Kind) else each for each in (second, *first)]
    witnesses, pauses = Mock(), VirtualPauses(Clock(), max, **limits)
    witnesses.list_count.side_effect = repeat(answers[0])
    witnesses.count.side_effect = chain(answers[1:], repeat(answers[-1]))
    return witnesses, pauses, Counts(witnesses, pauses, pauses.recorder, pauses.clock)


FIRST_ONLY, BOTH = ["count"], ["count", "list_count"]


@cases(
    the_first=(Count(3), Count(2), Count(3), FIRST_ONLY, []),
    the_first_with_none=(Count(0), BOUND, Count(0), FIRST_ONLY, []),
    the_second=(Kind.REFUSED, BOUND, BOUND, BOTH, [REFUSED]),
    neither=(Kind.REFUSED, Kind.NOT_A_PAGE, None, BOTH, [REFUSED, NO_PAGE]),
    no_connection=(Kind.UNREACHABLE, Count(2), None, FIRST_ONLY, []),
    not_allowed_here=(Kind.MISCONFIGURED, Count(2), None, FIRST_ONLY, []),
)
def test_the_second_is_asked_if_the_first_does_not_know(
    first: Count | Kind, second: Count | Kind, count: Count | None, asked: list[str], log: list[str]
) -> None:
    """A missing connection is left to the scroll to explain."""
    witnesses, pauses, counts = trial([first], second)
    assert counts.ask() == count
    assert [name for name, _, _ in witnesses.mock_calls] == asked
    assert (pauses.clock.waits, pauses.log) == ([], log)


def test_a_missing_count_is_logged_once_unless_it_was_known_in_between() -> None:
    first: list[Count | Kind] = [Kind.REFUSED, Kind.REFUSED, Count(3), Kind.REFUSED]
    _, pauses, counts = trial(first, Count(2))
    assert [counts.ask() for _ in range(4)] == [Count(2), Count(2), Count(3), Count(2)]
    assert pauses.log == [REFUSED] * 2


@cases(
    rate_limited=(Kind.RATE_LIMITED, 600.0, 30.0),
    unclear=(Kind.UNCLEAR, 600.0, 30.0),
    limit_of_the_sync=(Kind.UNCLEAR, 4.0, 4.0),
)
def test_a_failure_that_may_pass_is_repeated_for_half_a_minute_the_first_time(
    kind: Kind, limit: float, waits: float
) -> None:
    witnesses, pauses, counts = trial([kind], Count(2), scroll_wait_timeout=limit)
    assert counts.ask() == Count(2)
    assert (sum(pauses.clock.waits), pauses.waited) == (waits, 0.0)
    witnesses.reset_mock()
    assert counts.ask() == Count(2)
    assert [name for name, _, _ in witnesses.mock_calls] == BOTH
    assert sum(pauses.clock.waits) == waits


@cases(
    one=(Kind.REFUSED, [REFUSED, f"{SECOND} is known."]),
    both=(Count(3), [f"{FIRST} is known.", f"{SECOND} is known."]),
)
def test_a_connection_test_logs_each_count_that_is_known(
    first: Count | Kind, log: list[str]
) -> None:
    _, pauses, counts = trial([first], Count(2))
    counts.report()
    assert pauses.log == log


def test_the_clock_of_the_sync_tells_how_long_a_request_lasted() -> None:
    witnesses, pauses, _ = trial([Kind.UNCLEAR], Count(2))
    clock = count(100.0, step=20.0).__next__
    assert Counts(witnesses, pauses, pauses.recorder, clock).ask() == Count(2)
    assert pauses.clock.waits == [1.0]
