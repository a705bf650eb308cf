"""How long a pause is, when there is none left, and what is said about it: each limit exactly."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable

import pytest
from support.cases import cases
from support.lifecycle import ADVICE, Clock, Recorder, no_page

from tap_leads.errors import TapLeadsError
from tap_leads.scroll.limits import Limits, Pauses, WaitedTooLongError, repeat
from tap_leads.scroll.outcomes import Outcome
from tap_leads.scroll.reactions import Kind

UNREACHABLE = no_page(Kind.UNREACHABLE)


class Trial:
    """Pauses on a virtual clock.

    Attributes:
        pauses: The pauses.
        jitter: Between which numbers each delay was varied.
        log: What was logged.
    """

    def __init__(
        self, limits: Limits | None = None, pick: Callable[[float, float], float] = min
    ) -> None:
        self.clock = Clock()
        self.jitter: list[tuple[float, float]] = []
        recorder = Recorder()
        self.log = recorder.lines
        logger = logging.Logger("limits")  # noqa: LOG001 - of this trial alone
        logger.addHandler(recorder)

        def jitter(low: float, high: float) -> float:
            self.jitter.append((low, high))
            return pick(low, high)

        self.pauses = Pauses(limits or Limits(), logger, sleep=self.clock.sleep, jitter=jitter)

    def retry(
        self, outcome: Outcome = UNREACHABLE, *, opening: bool = True, lasted: float = 0.0
    ) -> None:
        self.pauses.retry(outcome, opening=opening, lasted=lasted)


def test_the_limits_are_those_of_the_settings() -> None:
    assert Limits() == Limits(scroll_expiry=60.0, scroll_wait_timeout=600.0, max_restarts=5)


def test_delays_double_up_to_15_seconds_and_start_again_after_a_page() -> None:
    trial = Trial(pick=max)
    for _ in range(6):
        trial.retry()
    trial.pauses.page_came(new=False)
    trial.retry()
    assert trial.clock.waits == [1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 1.0]
    assert set(trial.jitter) == {(0.8, 1.0)}


def test_a_wait_that_intercom_asks_for_is_neither_varied_nor_a_step_of_the_delays() -> None:
    trial = Trial(pick=max)
    trial.retry(no_page(Kind.RATE_LIMITED, 7.0))
    trial.retry()
    assert trial.clock.waits == [7.0, 1.0]
    assert trial.jitter == [(0.8, 1.0)]


@pytest.mark.parametrize("opening", [True, False], ids=["opening", "later"])
def test_requests_and_pauses_add_up_to_the_time_waited(opening: bool) -> None:
    trial = Trial(pick=max)
    trial.retry(opening=opening, lasted=2.5)
    trial.retry(opening=opening, lasted=60.5)
    assert trial.pauses.waited == 2.5 + 1.0 + 60.0 + 2.0
    assert trial.log == [
        f"WARNING: Nothing: the request could not be sent. Trying again in {delay} s; "
        f"{waited} s of 600 s waited so far. {ADVICE}."
        for delay, waited in (("1.0", "2"), ("2.0", "64"))
    ]


@cases(
    a_known_page_does_not_end_waiting_for_a_scroll=(True, False, 1.0),
    a_new_page_does=(True, True, 0.0),
    a_known_page_ends_waiting_within_a_scroll=(False, False, 0.0),
    so_does_a_new_one=(False, True, 0.0),
)
def test_a_page_ends_the_waiting(opening: bool, new: bool, left: float) -> None:
    trial = Trial(pick=max)
    trial.retry(opening=opening)
    trial.pauses.page_came(new=new)
    assert trial.pauses.waited == left


def test_waiting_before_and_within_a_scroll_adds_up() -> None:
    trial = Trial(pick=max)
    trial.retry(opening=True)
    trial.retry(opening=False)
    assert trial.pauses.waited == 1.0 + 2.0


def test_the_last_attempt_is_at_the_limit_itself() -> None:
    trial = Trial(Limits(scroll_wait_timeout=3.25), pick=max)
    for _ in range(3):
        trial.retry()
    assert trial.clock.waits == [1.0, 2.0, 0.25]
    with pytest.raises(WaitedTooLongError) as caught:
        trial.retry()
    assert caught.value.outcome is UNREACHABLE
    assert str(caught.value) == (
        "Nothing: the request could not be sent. That did not change in 3 s, and "
        f"'scroll_wait_timeout' allows 3 s. {ADVICE}."
    )
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301


@cases(that_just_fits=(10.0, [10.0]), that_does_not_fit=(9.0, []), with_none_allowed=(0.0, []))
def test_a_wait_that_intercom_asks_for_must_fit_the_limit(limit: float, waits: list[float]) -> None:
    trial = Trial(Limits(scroll_wait_timeout=limit))
    limited = no_page(Kind.RATE_LIMITED, 10.0)
    for _ in waits:
        trial.retry(limited)
    with pytest.raises(WaitedTooLongError):
        trial.retry(limited)
    assert trial.clock.waits == waits


def test_another_scroll_is_waited_for_a_whole_idle_time() -> None:
    trial = Trial(Limits(scroll_wait_timeout=70.0), pick=max)
    exists = no_page(Kind.SCROLL_EXISTS)
    trial.pauses.wait(exists)
    assert trial.clock.waits == [66.0]
    assert trial.jitter == [(1.0, 1.1)]
    assert trial.pauses.waited == 66.0
    (line,) = trial.log
    assert line == (
        "WARNING: Another scroll is open. Waiting 66.0 s for it to expire; 0 s of 70 s waited so "
        "far."
    )
    with pytest.raises(WaitedTooLongError, match="did not change in 66 s"):
        trial.pauses.wait(exists)
    trial.pauses.page_came(new=False)
    assert trial.pauses.waited == 66.0


def test_pauses_before_restarts_grow_by_half_and_do_not_count_as_waiting() -> None:
    trial = Trial(Limits(scroll_expiry=10.0, max_restarts=2), pick=max)
    trial.pauses.restart(no_page(Kind.UNCLEAR), opening=True)
    trial.pauses.confirm(no_page(Kind.DOUBTFUL_END))
    assert trial.clock.waits == [11.0, 16.5]
    assert set(trial.jitter) == {(1.0, 1.1)}
    assert (trial.pauses.restarts, trial.pauses.waited) == (2, 0.0)
    kept = "leads that were already sent are not sent again."
    first, second = trial.log
    assert first == (
        f"WARNING: Opening the scroll failed: {Kind.UNCLEAR.value}."
        f" Waiting 11.0 s for it to expire, then starting a new one (restart 1 of 2); {kept}"
    )
    assert second == (
        f"WARNING: {no_page(Kind.DOUBTFUL_END).sentence}. "
        f"Waiting 16.5 s then reading all leads once more (restart 2 of 2); {kept}"
    )
    with pytest.raises(TapLeadsError, match=f"is still not complete. {ADVICE}."):
        trial.pauses.confirm(no_page(Kind.DOUBTFUL_END))
    with pytest.raises(TapLeadsError) as caught:
        trial.pauses.restart(no_page(Kind.REPEATED), opening=False)
    assert str(caught.value) == (
        f"The scroll broke: {Kind.REPEATED.value}. The sync was restarted 2 "
        f"time(s), as 'max_restarts' allows, and is still not complete. {ADVICE}."
    )


def test_other_pauses_have_a_lower_limit_and_count_for_themselves() -> None:
    trial = Trial(Limits(scroll_expiry=7.0, scroll_wait_timeout=20.0), pick=max)
    within = trial.pauses.within(3.0)
    assert within.limits == Limits(scroll_expiry=7.0, scroll_wait_timeout=3.0)
    assert trial.pauses.within(30.0).limits == trial.pauses.limits
    within.retry(UNREACHABLE, opening=True, lasted=0.0)
    assert (within.waited, trial.pauses.waited) == (1.0, 0.0)
    assert trial.clock.waits == [1.0]
    assert len(trial.log) == len(trial.jitter) == 1


class Requests:
    """A request that fails with some outcomes, each after a while, then succeeds."""

    def __init__(self, clock: Clock, *outcomes: Outcome) -> None:
        self._clock = clock
        self._outcomes = list(outcomes)

    def __call__(self) -> str:
        self._clock.now += 5.0
        if self._outcomes:
            raise self._outcomes.pop(0)
        return "done"


@cases(Kind.RATE_LIMITED, Kind.UNREACHABLE, Kind.UNCLEAR)
def test_a_request_is_repeated_after_what_may_pass(kind: Kind) -> None:
    trial = Trial(pick=max)
    request = Requests(trial.clock, no_page(kind), no_page(kind))
    assert repeat(request, trial.pauses, trial.clock) == "done"
    assert trial.clock.waits == [1.0, 2.0]
    assert trial.pauses.waited == 5.0 + 1.0 + 5.0 + 2.0
    trial.pauses.page_came(new=False)
    assert trial.pauses.waited == 13.0


@cases(Kind.REFUSED, Kind.NOT_A_PAGE, Kind.MISCONFIGURED)
def test_a_request_is_not_repeated_after_what_does_not_pass(kind: Kind) -> None:
    trial = Trial()
    with pytest.raises(Outcome) as caught:
        repeat(Requests(trial.clock, no_page(kind)), trial.pauses, trial.clock)
    assert caught.value.kind is kind
    assert trial.clock.waits == []


def test_the_caller_may_say_what_passes() -> None:
    trial = Trial()
    request = Requests(trial.clock, UNREACHABLE)
    with pytest.raises(Outcome):
        repeat(request, trial.pauses, trial.clock, passing={Kind.UNCLEAR})
