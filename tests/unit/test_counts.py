"""The counts of leads: whom the sync asks, how long it waits, and what it logs."""

from __future__ import annotations

from support.cases import cases
from support.lifecycle import ADVICE, Clock, VirtualPauses, no_page

from tap_leads.scroll.counts import Counts
from tap_leads.scroll.ends import Count
from tap_leads.scroll.reactions import Kind

BOUND = Count(2, exact=False)
FIRST, SECOND = "INFO: Intercom's count of leads", "INFO: The number of leads in Intercom's list"
REFUSED = f"{FIRST} is not known: a refusal. {ADVICE}."
NO_PAGE = f"{SECOND} is not known: a response that is not a page of leads. {ADVICE}."


class Trial(Counts):
    """Two witnesses, each with its responses; the last one is repeated."""

    def __init__(self, first: list[Count | Kind], second: Count | Kind, **limits: float) -> None:
        self.first, self.second = first, second
        self.asked: list[str] = []
        self.lasts = 0.0
        self.clock = Clock()
        self.pauses = VirtualPauses(self.clock, max, **limits)
        super().__init__(self, self.pauses, self.pauses.recorder, self.clock)

    def count(self) -> Count:
        self.asked.append("first")
        return self.answer(self.first.pop(0) if len(self.first) > 1 else self.first[0])

    def list_count(self) -> Count:
        self.asked.append("second")
        return self.answer(self.second)

    def answer(self, answer: Count | Kind) -> Count:
        self.clock.now += self.lasts
        if isinstance(answer, Kind):
            raise no_page(answer)
        return answer


@cases(
    the_first=(Count(3), Count(2), Count(3), ["first"], []),
    the_first_with_none=(Count(0), BOUND, Count(0), ["first"], []),
    the_second=(Kind.REFUSED, BOUND, BOUND, ["first", "second"], [REFUSED]),
    neither=(Kind.REFUSED, Kind.NOT_A_PAGE, None, ["first", "second"], [REFUSED, NO_PAGE]),
    no_connection=(Kind.UNREACHABLE, Count(2), None, ["first"], []),
    not_allowed_here=(Kind.MISCONFIGURED, Count(2), None, ["first"], []),
)
def test_the_second_is_asked_if_the_first_does_not_know(
    first: Count | Kind, second: Count | Kind, count: Count | None, asked: list[str], log: list[str]
) -> None:
    """A missing connection is left to the scroll to explain."""
    trial = Trial([first], second)
    assert trial.ask() == count
    assert (trial.asked, trial.clock.waits, trial.pauses.log) == (asked, [], log)


def test_a_missing_count_is_logged_once_unless_it_was_known_in_between() -> None:
    trial = Trial([Kind.REFUSED, Kind.REFUSED, Count(3), Kind.REFUSED], Count(2))
    assert [trial.ask() for _ in range(4)] == [Count(2), Count(2), Count(3), Count(2)]
    assert trial.pauses.log == [REFUSED] * 2


@cases(
    rate_limited=(Kind.RATE_LIMITED, 600.0, 30.0),
    unclear=(Kind.UNCLEAR, 600.0, 30.0),
    limit_of_the_sync=(Kind.UNCLEAR, 4.0, 4.0),
)
def test_a_failure_that_may_pass_is_repeated_for_half_a_minute_the_first_time(
    kind: Kind, limit: float, waits: float
) -> None:
    trial = Trial([kind], Count(2), scroll_wait_timeout=limit)
    assert trial.ask() == Count(2)
    assert (sum(trial.clock.waits), trial.pauses.waited) == (waits, 0.0)
    trial.asked.clear()
    assert trial.ask() == Count(2)
    assert (trial.asked, sum(trial.clock.waits)) == (["first", "second"], waits)


@cases(
    one=(Kind.REFUSED, [REFUSED, f"{SECOND} is known."]),
    both=(Count(3), [f"{FIRST} is known.", f"{SECOND} is known."]),
)
def test_a_connection_test_logs_each_count_that_is_known(
    first: Count | Kind, log: list[str]
) -> None:
    trial = Trial([first], Count(2))
    trial.report()
    assert trial.pauses.log == log


def test_the_clock_of_the_sync_tells_how_long_a_request_lasted() -> None:
    trial = Trial([Kind.UNCLEAR], Count(2))
    trial.lasts = 20.0
    assert trial.ask() == Count(2)
    assert trial.clock.waits == [1.0]
