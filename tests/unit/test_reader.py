"""A reading of all leads: its pages, its report, and what is closed at its end."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest
from support.cases import cases
from support.lifecycle import (
    ADVICE,
    Answer,
    Recorder,
    Script,
    ScriptedSource,
    no_page,
    page,
    passed_on,
)

from tap_leads.errors import TapLeadsError
from tap_leads.scroll.client import Client
from tap_leads.scroll.limits import Limits, WaitedTooLongError
from tap_leads.scroll.outcomes import Outcome
from tap_leads.scroll.reactions import Kind
from tap_leads.scroll.reader import Reader, attribute_definitions

QUICK = Limits(scroll_expiry=0.001, scroll_wait_timeout=0.01)
EMPTY = page()


@dataclass
class Source(ScriptedSource):
    """A source of pages that notes whether it is aborted, and how often it is closed."""

    aborted: threading.Event = field(default_factory=threading.Event)
    closed: int = 0

    def abort(self) -> None:
        self.aborted.set()

    def close(self) -> None:
        self.closed += 1


class Trial:
    """A reader of scripted scrolls.

    Attributes:
        passed_on: How many pages were passed on.
        log: What was logged.
    """

    def __init__(
        self, *scripts: Script, count: Answer = None, limits: Limits = QUICK, **options: Any
    ) -> None:
        self.passed_on = 0
        self.source = Source(list(scripts), [count], [None])
        recorder = Recorder()
        self.log = recorder.lines
        logger = logging.Logger("reader", logging.INFO)  # noqa: LOG001 - of this trial alone
        logger.addHandler(recorder)
        self.reader = Reader(self.source, limits, logger, **options)  # type: ignore[arg-type]

    def read(self) -> list[str]:
        """The versions that are passed on."""
        with self.reader:
            bodies = list(self.reader.pages())
        self.passed_on = len(bodies)
        return [version for body in bodies for version in passed_on(body)]


def test_all_pages_are_passed_on_and_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([100.0, 107.4, 109.0])
    monkeypatch.setattr("tap_leads.scroll.reader.time.monotonic", lambda: next(now))
    trial = Trial([page("a", "b"), page("c"), EMPTY], count=3)
    assert trial.read() == ["a@1", "b@1", "c@1"]
    assert trial.log[-3:] == [
        "INFO: Opened the scroll.",
        "INFO: Completed: 3 leads in 2 pages, 7 s, 0 restarts, 0 unchanged leads skipped.",
        "INFO: Intercom counts 3 leads.",
    ]
    assert trial.reader.elapsed == 9.0
    assert trial.reader.counted == 3
    assert trial.reader.tally.leads == 3
    assert trial.reader.obstacle_to_deletes == ""


def test_a_restart_is_reported_with_what_was_skipped() -> None:
    trial = Trial([page("a"), no_page(Kind.UNCLEAR)], [page("a"), page("b"), EMPTY])
    assert trial.read() == ["a@1", "b@1"]
    assert trial.passed_on == 2, "a page without anything new is not passed on"
    assert "2 leads in 3 pages, 0 s, 1 restart, 1 unchanged leads skipped." in trial.log[-1]
    assert trial.reader.counted is None
    assert "did not say how many" in trial.reader.obstacle_to_deletes


def test_a_sync_that_fails_reports_nothing_and_lets_nothing_be_deleted() -> None:
    trial = Trial([page("a"), no_page(Kind.REFUSED)], count=1)
    with pytest.raises(TapLeadsError):
        trial.read()
    assert "Completed" not in " ".join(trial.log)
    assert trial.reader.obstacle_to_deletes == "the sync is not complete"


@cases(({}, True), ({"mismatch": "fail"}, True), ({"mismatch": "warn"}, False))
def test_the_setting_count_mismatch_decides(options: dict[str, Any], fails: bool) -> None:
    scroll: Script = [page("a", size=100), EMPTY]
    trial = Trial(scroll, scroll, count=900, **options)
    if fails:
        with pytest.raises(TapLeadsError, match="counts 900"):
            trial.read()
    else:
        assert len(trial.read()) == 100


def test_leaving_ends_the_thread_and_closes_the_client() -> None:
    before = threading.active_count()
    trial = Trial([page("a"), EMPTY])
    trial.read()
    assert trial.source.closed == 1
    assert not trial.source.aborted.is_set()
    assert threading.active_count() == before


def test_leaving_early_aborts_the_request_under_way() -> None:
    trial = Trial([page("a")])
    asked, aborted = threading.Event(), trial.source.aborted
    first = trial.source.page

    def hang(scroll_param: str | None) -> Any:
        if scroll_param is None:
            return first(None)
        asked.set()
        assert aborted.wait(10)
        raise no_page(Kind.UNCLEAR)

    trial.source.page = hang  # type: ignore[method-assign]
    with trial.reader:
        assert passed_on(next(iter(trial.reader.pages()))) == ["a@1"]
        assert asked.wait(10)
    assert aborted.is_set()
    assert trial.source.closed == 1


def test_leaving_ends_a_pause_at_once() -> None:
    before = threading.active_count()
    trial = Trial([page("a"), no_page(Kind.UNCLEAR)], limits=Limits())
    with trial.reader:
        assert passed_on(next(iter(trial.reader.pages()))) == ["a@1"]
    assert threading.active_count() == before


def test_the_caller_hears_of_each_wait_and_of_pages_that_wait() -> None:
    trial = Trial([page("a"), page("b"), EMPTY])
    waits = []
    with trial.reader:
        pages = trial.reader.pages(lambda: waits.append(trial.reader.waiting))
        for _ in pages:
            pass
    assert waits
    assert set(waits) <= {0, 1, 2}
    assert trial.reader.waiting == 0


@dataclass
class Attributes:
    """A client whose responses about attributes are scripted."""

    answers: list[object]

    def attribute_definitions(self) -> object:
        answer = self.answers.pop(0)
        if isinstance(answer, Outcome):
            raise answer
        return answer


def definitions(*answers: object, log: logging.Logger | None = None) -> object:
    """What is read from a client with these responses."""
    client: Client = Attributes(list(answers))  # type: ignore[assignment]
    return attribute_definitions(client, QUICK, log or logging.getLogger("attributes"))


def test_attributes_are_asked_for_again_after_what_may_pass() -> None:
    recorder = Recorder()
    logger = logging.Logger("attributes")  # noqa: LOG001 - of this test alone
    logger.addHandler(recorder)
    assert definitions(no_page(Kind.UNREACHABLE), {"x": 1}, log=logger) == {"x": 1}
    assert [line.partition(".")[0] for line in recorder.lines] == [
        "WARNING: Nothing: the request could not be sent"
    ]


@pytest.mark.parametrize(
    ("answers", "error", "words"),
    [
        ([no_page(Kind.REFUSED)], TapLeadsError, f"A refusal. {ADVICE}."),
        ([no_page(Kind.UNCLEAR)] * 3, WaitedTooLongError, "'scroll_wait_timeout' allows 0 s"),
    ],
    ids=["at-once", "in-the-end"],
)
def test_attributes_that_cannot_be_read_are_an_error(
    answers: list[object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error) as caught:
        definitions(*answers)
    assert words in str(caught.value)
