"""The counts of leads: whom the sync asks, how long it waits, and what it logs."""

from __future__ import annotations

import logging

from support.cases import cases
from support.lifecycle import ADVICE, Clock, Recorder, no_page

from tap_leads.scroll.counts import COUNT_WAIT, Counts
from tap_leads.scroll.ends import Count
from tap_leads.scroll.limits import Limits, Pauses
from tap_leads.scroll.outcomes import Outcome
from tap_leads.scroll.reactions import Kind

FIRST, SECOND = "Intercom's count of leads", "The number of leads in Intercom's list"
BOUND = Count(2, exact=False)


class Trial:
    """Two witnesses, each with its responses; the last one is repeated."""

    def __init__(
        self, first: list[Count | Kind], second: list[Count | Kind], limits: Limits | None = None
    ) -> None:
        self.answers = {"first": first, "second": second}
        self.asked: list[str] = []
        self.clock = Clock()
        recorder = Recorder()
        self.log = recorder.lines
        logger = logging.Logger("counts")  # noqa: LOG001 - of this trial alone
        logger.addHandler(recorder)
        self.pauses = Pauses(
            limits or Limits(), logger, sleep=self.clock.sleep, jitter=lambda _low, high: high
        )
        self.counts = Counts(self, self.pauses, logger, self.clock)

    def count(self) -> Count:
        return self._answer("first")

    def list_count(self) -> Count:
        return self._answer("second")

    def _answer(self, name: str) -> Count:
        self.asked.append(name)
        answers = self.answers[name]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Kind):
            raise no_page(answer)
        return answer


@cases(
    the_first=(Count(3), Count(2), Count(3), ["first"]),
    the_first_with_none=(Count(0), BOUND, Count(0), ["first"]),
    the_second=(Kind.REFUSED, BOUND, BOUND, ["first", "second"]),
    neither=(Kind.NOT_A_PAGE, Kind.REFUSED, None, ["first", "second"]),
    no_connection=(Kind.UNREACHABLE, Count(2), None, ["first"]),
    not_allowed_here=(Kind.MISCONFIGURED, Count(2), None, ["first"]),
)
def test_the_second_is_asked_if_the_first_does_not_know(
    first: Count | Kind, second: Count | Kind, count: Count | None, asked: list[str]
) -> None:
    trial = Trial([first], [second])
    assert trial.counts.ask() == count
    assert trial.asked == asked
    assert trial.clock.waits == []


@cases(Kind.UNREACHABLE, Kind.MISCONFIGURED)
def test_a_missing_connection_is_left_to_the_scroll_to_explain(kind: Kind) -> None:
    trial = Trial([kind], [Count(2)])
    trial.counts.ask()
    assert trial.log == []


def test_a_missing_count_is_logged_with_its_reason() -> None:
    trial = Trial([Kind.REFUSED], [Kind.NOT_A_PAGE])
    trial.counts.ask()
    assert trial.log == [
        f"INFO: {FIRST} is not known: a refusal. {ADVICE}.",
        f"INFO: {SECOND} is not known: a response that is not a page of leads. {ADVICE}.",
    ]


def test_it_is_logged_once_unless_the_count_was_known_in_between() -> None:
    trial = Trial([Kind.REFUSED, Kind.REFUSED, Count(3), Kind.REFUSED], [Count(2)])
    counts = [trial.counts.ask() for _ in range(4)]
    assert counts == [Count(2), Count(2), Count(3), Count(2)]
    assert trial.log == [f"INFO: {FIRST} is not known: a refusal. {ADVICE}."] * 2


@cases(Kind.RATE_LIMITED, Kind.UNCLEAR)
def test_a_failure_that_may_pass_is_repeated_for_half_a_minute_the_first_time(kind: Kind) -> None:
    trial = Trial([kind], [Count(2)])
    assert trial.counts.ask() == Count(2)
    assert sum(trial.clock.waits) == COUNT_WAIT == 30.0
    waited = len(trial.clock.waits)
    trial.asked.clear()
    assert trial.counts.ask() == Count(2)
    assert trial.asked == ["first", "second"]
    assert len(trial.clock.waits) == waited


def test_no_count_is_waited_for_longer_than_the_sync_may_wait() -> None:
    trial = Trial([Kind.UNCLEAR], [Count(2)], Limits(scroll_wait_timeout=4.0))
    assert trial.counts.ask() == Count(2)
    assert sum(trial.clock.waits) == 4.0


def test_time_waited_for_counts_is_not_time_waited_for_a_scroll() -> None:
    trial = Trial([Kind.UNCLEAR, Count(3)], [Count(2)])
    assert trial.counts.ask() == Count(3)
    assert trial.clock.waits == [1.0]
    assert trial.pauses.waited == 0.0


def test_a_connection_test_logs_each_count_that_is_known() -> None:
    trial = Trial([Kind.REFUSED], [Count(2)])
    trial.counts.report()
    assert trial.log == [
        f"INFO: {FIRST} is not known: a refusal. {ADVICE}.",
        f"INFO: {SECOND} is known.",
    ]
    both = Trial([Count(3)], [Count(2)])
    both.counts.report()
    assert both.log == [f"INFO: {FIRST} is known.", f"INFO: {SECOND} is known."]


def test_the_clock_of_the_sync_tells_how_long_a_request_lasted() -> None:
    trial = Trial([Kind.UNCLEAR], [Count(2)])

    def slow() -> Count:
        trial.clock.now += 20.0
        raise Outcome(Kind.UNCLEAR, "slow")

    trial.count = slow  # type: ignore[method-assign]
    trial.counts = Counts(trial, trial.pauses, logging.getLogger("counts"), trial.clock)
    assert trial.counts.ask() == Count(2)
    assert sum(trial.clock.waits) < 11.0
