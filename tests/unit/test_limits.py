"""How long a pause is, when there is none left, and what is said about it: each limit exactly."""

from __future__ import annotations

import pickle
from itertools import count
from unittest.mock import Mock

import pytest
from support.cases import cases
from support.lifecycle import ADVICE, Clock, VirtualPauses, no_page

from tap_leads.errors import TapLeadsError
from tap_leads.scroll.limits import Limits, WaitedTooLongError, repeat
from tap_leads.scroll.outcomes import Outcome
from tap_leads.scroll.reactions import Kind

UNREACHABLE = no_page(Kind.UNREACHABLE)


def longest(**limits: float) -> VirtualPauses:
    """Pauses that are as long as they may be."""
    return VirtualPauses(Clock(), max, **limits)


def test_the_limits_are_those_of_the_settings() -> None:
    assert Limits() == Limits(scroll_expiry=60.0, scroll_wait_timeout=600.0, max_restarts=5)


def test_delays_double_up_to_15_seconds_and_start_again_after_a_page() -> None:
    """A wait that Intercom asks for is neither varied nor a step of the delays."""
    pauses = longest()
    for outcome in (*[UNREACHABLE] * 2, no_page(Kind.RATE_LIMITED, 7.0), *[UNREACHABLE] * 4):
        pauses.retry(outcome, opening=True, lasted=0.0)
    pauses.page_came(new=False)
    pauses.retry(UNREACHABLE, opening=True, lasted=0.0)
    assert pauses.clock.waits == [1.0, 2.0, 7.0, 4.0, 8.0, 15.0, 15.0, 1.0]
    assert pauses.jitters == [(0.8, 1.0)] * 7


@cases(opening=True, later=False)
def test_requests_and_pauses_add_up_to_the_time_waited(opening: bool) -> None:
    """Time in which the process was suspended does not: a request counts as a minute at most."""
    pauses = longest()
    pauses.retry(UNREACHABLE, opening=opening, lasted=2.5)
    pauses.retry(UNREACHABLE, opening=opening, lasted=60.5)
    assert pauses.waited == 2.5 + 1.0 + 60.0 + 2.0
    assert pauses.log == [
        f"WARNING: Nothing: the request could not be sent. Trying again in {delay} s; "
        f"{waited} s of 600 s waited so far. {ADVICE}."
        for delay, waited in (("1.0", "2"), ("2.0", "64"))
    ]


@cases(known_page=(False, 1.0), new_page=(True, 0.0))
def test_a_page_ends_the_waiting_in_a_scroll_and_a_new_one_the_waiting_for_it(
    new: bool, left: float
) -> None:
    pauses = longest()
    pauses.retry(UNREACHABLE, opening=True, lasted=0.0)
    pauses.retry(UNREACHABLE, opening=False, lasted=0.0)
    assert pauses.waited == 1.0 + 2.0
    pauses.page_came(new=new)
    assert pauses.waited == left


def test_the_last_attempt_is_at_the_limit_itself() -> None:
    pauses = longest(scroll_wait_timeout=3.25)
    for _ in range(3):
        pauses.retry(UNREACHABLE, opening=True, lasted=0.0)
    assert pauses.clock.waits == [1.0, 2.0, 0.25]
    with pytest.raises(WaitedTooLongError) as caught:
        pauses.retry(UNREACHABLE, opening=True, lasted=0.0)
    assert caught.value.outcome is UNREACHABLE
    assert str(caught.value) == (
        "Nothing: the request could not be sent. That did not change in 3 s, and "
        f"'scroll_wait_timeout' allows 3 s. {ADVICE}."
    )
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301


@cases(that_just_fits=(10.0, [10.0]), that_does_not_fit=(9.0, []), with_none_allowed=(0.0, []))
def test_a_wait_that_intercom_asks_for_must_fit_the_limit(limit: float, waits: list[float]) -> None:
    pauses = longest(scroll_wait_timeout=limit)
    request = Mock(side_effect=no_page(Kind.RATE_LIMITED, 10.0))
    with pytest.raises(WaitedTooLongError):
        repeat(request, pauses, lambda: 0.0)
    assert pauses.clock.waits == waits


def test_another_scroll_is_waited_for_a_whole_idle_time() -> None:
    pauses, exists = longest(scroll_wait_timeout=70.0), no_page(Kind.SCROLL_EXISTS)
    pauses.wait(exists)
    assert (pauses.clock.waits, pauses.jitters) == ([66.0], [(1.0, 1.1)])
    (line,) = pauses.log
    assert line == (
        "WARNING: Another scroll is open. Waiting 66.0 s for it to expire; 0 s of 70 s waited so "
        "far."
    )
    with pytest.raises(WaitedTooLongError, match="did not change in 66 s"):
        pauses.wait(exists)
    pauses.page_came(new=False)
    assert pauses.waited == 66.0


def test_pauses_before_restarts_grow_by_half_and_do_not_count_as_waiting() -> None:
    pauses = longest(scroll_expiry=10.0, max_restarts=2)
    pauses.restart(no_page(Kind.UNCLEAR), opening=True)
    pauses.page_came(new=True)
    pauses.confirm(no_page(Kind.DOUBTFUL_END))
    assert (pauses.clock.waits, pauses.jitters) == ([11.0, 16.5], [(1.0, 1.1)] * 2)
    assert (pauses.restarts, pauses.waited) == (2, 0.0)
    assert "\n".join(pauses.log) == (
        f"WARNING: Opening the scroll failed: {Kind.UNCLEAR.value}. Waiting 11.0 s for it to "
        "expire, then starting a new one (restart 1 of 2); leads that were already sent are not "
        "sent again.\n"
        f"WARNING: {no_page(Kind.DOUBTFUL_END).sentence}. Waiting 16.5 s then reading all leads "
        "once more (restart 2 of 2); leads that were already sent are not sent again."
    )
    with pytest.raises(TapLeadsError, match=f"is still not complete. {ADVICE}."):
        pauses.confirm(no_page(Kind.DOUBTFUL_END))
    with pytest.raises(TapLeadsError) as caught:
        pauses.restart(no_page(Kind.REPEATED), opening=False)
    assert str(caught.value) == (
        f"The scroll broke: {Kind.REPEATED.value}. The sync was restarted 2 "
        f"time(s), as 'max_restarts' allows, and is still not complete. {ADVICE}."
    )


def test_other_pauses_have_a_lower_limit_and_count_for_themselves() -> None:
    pauses = longest(scroll_expiry=7.0, scroll_wait_timeout=20.0)
    within = pauses.within(3.0)
    assert within.limits == Limits(scroll_expiry=7.0, scroll_wait_timeout=3.0)
    assert pauses.within(30.0).limits == pauses.limits
    within.retry(UNREACHABLE, opening=True, lasted=0.0)
    assert (within.waited, pauses.waited) == (1.0, 0.0)
    assert (pauses.clock.waits, len(pauses.log), len(pauses.jitters)) == ([1.0], 1, 1)


@cases(Kind.RATE_LIMITED, Kind.UNREACHABLE, Kind.UNCLEAR)
def test_a_request_is_repeated_after_what_may_pass(kind: Kind) -> None:
    pauses = longest()
    request = Mock(side_effect=[no_page(kind), no_page(kind), "done"])
    assert repeat(request, pauses, count(100.0, step=5.0).__next__) == "done"
    assert pauses.clock.waits == [1.0, 2.0]
    pauses.page_came(new=False)
    assert pauses.waited == 5.0 + 1.0 + 5.0 + 2.0


@cases(Kind.REFUSED, Kind.NOT_A_PAGE, Kind.MISCONFIGURED)
def test_a_request_is_not_repeated_after_what_does_not_pass(kind: Kind) -> None:
    pauses, outcome = longest(), no_page(kind)
    with pytest.raises(Outcome) as caught:
        repeat(Mock(side_effect=outcome), pauses, pauses.clock)
    assert (caught.value, pauses.clock.waits) == (outcome, [])
