"""The lifecycle, row by row, without sockets and without waiting."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from tap_leads import TapLeadsError
from tap_leads.records.pages import Page, read_page
from tap_leads.scroll.ledger import Ledger
from tap_leads.scroll.limits import Limits, Patience
from tap_leads.scroll.reactions import REACTIONS, Answer, Reaction
from tap_leads.scroll.responses import UnusableAnswerError
from tap_leads.scroll.scroll import Scroll

LIMITS = Limits(scroll_expiry=60.0, scroll_wait_timeout=600.0, max_restarts=5)
LOGGER = logging.getLogger("test")


@dataclass
class Clock:
    """Time that passes only when somebody sleeps, or a request takes a while."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


Script = Sequence[Page | Answer | float]


def page(*leads: str, size: int = 0) -> Page:
    """A page with these leads, each `id` or `id@version`, filled up to a size."""
    names = [*leads, *(f"filler-{leads[0]}-{number}" for number in range(size - len(leads)))]
    parts = [name.partition("@") for name in names]
    items = ", ".join(f'{{"id": "{i}", "updated_at": "{v or 1}"}}' for i, _, v in parts)
    return read_page(f'{{"contacts": [{items}], "scroll_param": "s"}}'.encode())


END = page("nothing")  # a mark: a pass ends here with the empty page


class Night:
    """Runs the lifecycle over a script: for each scroll, what its requests bring.

    A number in a scroll's script lets as many seconds pass.
    """

    def __init__(self, *scrolls: Script, limits: Limits = LIMITS) -> None:
        self.clock = Clock()
        self.delivered: list[str] = []
        self.opened = 0
        self._scrolls = iter(scrolls)
        patience = Patience(limits, LOGGER, sleep=self.clock.sleep, jitter=lambda low, _high: low)
        with Ledger() as ledger:
            self.scroll = Scroll(
                self._open, self._deliver, ledger, patience, LOGGER, clock=self.clock
            )
            self.error = self._run()

    def _run(self) -> TapLeadsError | None:
        try:
            self.scroll.run()
        except TapLeadsError as error:
            return error
        return None

    def _open(self) -> Iterator[Page]:
        self.opened += 1
        for step in next(self._scrolls):
            if isinstance(step, float):
                self.clock.now += step
            elif isinstance(step, Answer):
                raise UnusableAnswerError(step, step.value)
            elif step is END:
                return
            else:
                yield step

    def _deliver(self, body: bytes) -> None:
        self.delivered += ["@".join(version) for version in read_page(body).versions]


A, B, C = page("a"), page("b"), page("c")


def test_the_pages_of_a_scroll_are_delivered_up_to_its_end() -> None:
    night = Night([A, B, C, END])
    assert night.error is None
    assert night.delivered == ["a@1", "b@1", "c@1"]
    assert night.clock.slept == []


def test_every_answer_has_a_reaction() -> None:
    assert set(REACTIONS) == set(Answer)


RESTARTING = [
    pytest.param(answer, opening, id=f"{answer.name.lower()}-{'opening' if opening else 'later'}")
    for answer, reactions in REACTIONS.items()
    for opening, reaction in ((True, reactions.opening), (False, reactions.later))
    if reaction is Reaction.RESTART
]


@pytest.mark.parametrize(("answer", "opening"), RESTARTING)
def test_a_lost_scroll_is_begun_anew_after_it_has_expired(answer: Answer, opening: bool) -> None:
    night = Night([*([] if opening else [A]), answer], [A, B, END])
    assert night.error is None
    assert night.delivered == ["a@1", "b@1"]
    assert night.clock.slept == [60.0]
    assert night.scroll.summary.restarts == 1


def test_which_answers_restart_the_scroll() -> None:
    """The table of the design, word by word, so that no edit of it goes unseen."""
    assert {parameter.id for parameter in RESTARTING} == {
        "no_page-opening",
        "no_page-later",
        "scroll_exists-later",
        "not_found-later",
        "unknown_outcome-opening",
        "unknown_outcome-later",
    }


@pytest.mark.parametrize(
    ("answer", "opening"),
    [
        pytest.param(Answer.NOT_FOUND, True, id="not-found-at-opening"),
        pytest.param(Answer.REFUSED, True, id="refused-at-opening"),
        pytest.param(Answer.REFUSED, False, id="refused-later"),
    ],
)
def test_what_a_new_scroll_cannot_mend_fails_at_once(answer: Answer, opening: bool) -> None:
    night = Night([*([] if opening else [A]), answer])
    assert night.error is not None
    assert night.opened == 1
    assert night.clock.slept == []


def test_pauses_grow_and_each_lets_the_scroll_expire() -> None:
    night = Night(*[[Answer.NO_PAGE]] * 6)
    assert night.error is not None
    assert "5 time(s)" in str(night.error)
    assert night.opened == 6
    assert night.clock.slept == sorted(set(night.clock.slept))
    assert night.clock.slept[0] == 60.0


def test_restarts_are_counted_over_the_whole_sync() -> None:
    night = Night(
        [A, Answer.NO_PAGE],
        [A, B, Answer.NO_PAGE],
        [A, B, C, Answer.NO_PAGE],
        limits=Limits(max_restarts=2),
    )
    assert night.error is not None
    assert night.opened == 3


def test_no_restart_at_all_where_none_is_allowed() -> None:
    night = Night([A, Answer.UNKNOWN_OUTCOME], limits=Limits(max_restarts=0))
    assert night.error is not None
    assert night.clock.slept == []


def test_an_open_scroll_is_asked_for_once_an_idle_time_until_the_wait_is_used_up() -> None:
    night = Night(*[[Answer.SCROLL_EXISTS]] * 11)
    assert night.error is not None
    assert "scroll_wait_timeout" in str(night.error)
    assert night.clock.slept == [60.0] * 10


def test_a_wait_for_another_scroll_is_no_restart() -> None:
    night = Night([Answer.SCROLL_EXISTS], [A, END], limits=Limits(max_restarts=0))
    assert night.error is None
    assert night.scroll.summary.restarts == 0


def test_leads_that_come_again_are_not_delivered_again() -> None:
    night = Night([A, B, Answer.NO_PAGE], [page("a", "c"), page("b@2"), END])
    assert night.error is None
    assert night.delivered == ["a@1", "b@1", "c@1", "b@2"]
    assert night.scroll.summary.repeated == 1


def test_a_page_without_a_lead_new_to_this_scroll_restarts_it_and_fails_in_the_end() -> None:
    night = Night(*[[A, B, A]] * 3, limits=Limits(max_restarts=2))
    assert night.error is not None
    assert "repeated" in str(night.error)


def test_a_page_of_known_leads_in_new_versions_is_a_repetition_too() -> None:
    night = Night([A, page("a@2"), END], [A, END])
    assert night.scroll.summary.restarts == 1
    assert night.delivered == ["a@1", "a@2"]


SHORT_END: Script = [page("a", size=100), page("b", size=30), Answer.NOT_FOUND]
FULL_END: Script = [page("a", size=100), page("b", size=100), Answer.NOT_FOUND]


def test_not_found_is_the_end_when_two_scrolls_come_to_it_in_the_same_way() -> None:
    night = Night(SHORT_END, SHORT_END)
    assert night.error is None
    assert len(night.delivered) == 130


@pytest.mark.parametrize(
    "scrolls",
    [
        pytest.param([SHORT_END, [*SHORT_END[:1], Answer.NOT_FOUND]], id="another-place"),
        pytest.param([FULL_END, FULL_END], id="after-a-full-page"),
        pytest.param(
            [SHORT_END, [*SHORT_END[:2], 60.0, Answer.NOT_FOUND]], id="after-the-idle-limit"
        ),
        pytest.param([[*SHORT_END[:2], 60.0, Answer.NOT_FOUND], SHORT_END], id="expired-first"),
        pytest.param(
            [SHORT_END, [SHORT_END[0], page("b", "new", size=30), Answer.NOT_FOUND]],
            id="with-a-new-lead",
        ),
        pytest.param([SHORT_END, [*SHORT_END[:2], Answer.NO_PAGE]], id="in-another-way"),
    ],
)
def test_not_found_is_not_the_end_otherwise(scrolls: list[Script]) -> None:
    night = Night(*scrolls, limits=Limits(max_restarts=1))
    assert night.error is not None


def test_only_a_rate_limited_request_is_sent_again() -> None:
    clock = Clock()
    answers = iter([Answer.RATE_LIMITED, Answer.RATE_LIMITED])

    def send() -> str:
        for answer in answers:
            raise UnusableAnswerError(answer, "", wait=7.0)
        return "page"

    assert Patience(LIMITS, LOGGER, sleep=clock.sleep).repeat(send)() == "page"
    assert clock.slept == [7.0, 7.0]


@pytest.mark.parametrize("answer", [each for each in Answer if each is not Answer.RATE_LIMITED])
def test_no_other_request_is_ever_sent_again(answer: Answer) -> None:
    sent = 0

    def send() -> None:
        nonlocal sent
        sent += 1
        raise UnusableAnswerError(answer, "")

    with pytest.raises(UnusableAnswerError):
        Patience(LIMITS, LOGGER, sleep=Clock().sleep).repeat(send)()
    assert sent == 1


def test_a_rate_limit_is_waited_for_within_the_timeout() -> None:
    clock = Clock()

    def send() -> None:
        raise UnusableAnswerError(Answer.RATE_LIMITED, "", wait=10.0)

    limits = Limits(scroll_wait_timeout=35.0)
    with pytest.raises(TapLeadsError, match="rate limit"):
        Patience(limits, LOGGER, sleep=clock.sleep).repeat(send)()
    assert clock.slept == [10.0] * 3
