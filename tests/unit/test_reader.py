"""A reading of all leads: its pages, its report, and what is closed at its end."""

from __future__ import annotations

import re
import threading
from typing import Any
from unittest.mock import Mock

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
from tap_leads.records.pages import Page
from tap_leads.scroll.limits import Limits, WaitedTooLongError
from tap_leads.scroll.outcomes import Outcome
from tap_leads.scroll.reactions import Kind
from tap_leads.scroll.reader import Reader, attribute_definitions

QUICK = Limits(scroll_expiry=0.001, scroll_wait_timeout=0.01)
EMPTY = page()


class Trial(Reader):
    """A reader of scripted scrolls."""

    def __init__(
        self, *scripts: Script, count: Answer = None, limits: Limits = QUICK, **options: Any
    ) -> None:
        self.source = ScriptedSource(list(scripts), [count])
        self.client = Mock(wraps=self.source, abort=Mock(), close=Mock())
        recorder = Recorder()
        self.log = recorder.lines
        super().__init__(self.client, limits, recorder, **options)

    def read(self) -> list[list[str]]:
        """The versions of each page that is passed on."""
        with self:
            return [passed_on(body) for body in self.pages()]


def test_all_pages_are_passed_on_and_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([100.0, 107.4, 109.0])
    monkeypatch.setattr("tap_leads.scroll.reader.time.monotonic", lambda: next(now))
    threads = threading.active_count()
    trial = Trial([page("a", "b"), page("c"), EMPTY], count=3)
    assert trial.read() == [["a@1", "b@1"], ["c@1"]]
    assert trial.log[-3:] == [
        "INFO: Opened the scroll.",
        "INFO: Completed: 3 leads in 2 pages, 7 s, 0 restarts, 0 unchanged leads skipped.",
        "INFO: Intercom counts 3 leads.",
    ]
    assert (trial.elapsed, trial.counted, trial.tally.leads) == (9.0, 3, 3)
    assert trial.obstacle_to_deletes == ""
    assert (trial.client.close.call_count, trial.client.abort.called) == (1, False)
    assert threading.active_count() == threads


def test_a_restart_is_reported_with_what_was_skipped() -> None:
    """A page without anything new is not passed on."""
    trial = Trial([page("a"), no_page(Kind.UNCLEAR)], [page("a"), page("b"), EMPTY])
    assert trial.read() == [["a@1"], ["b@1"]]
    assert "2 leads in 3 pages, 0 s, 1 restart, 1 unchanged leads skipped." in trial.log[-1]
    assert trial.counted is None
    assert "did not say how many" in trial.obstacle_to_deletes


def test_a_sync_that_fails_reports_nothing_and_lets_nothing_be_deleted() -> None:
    trial = Trial([page("a"), no_page(Kind.REFUSED)], count=1)
    with pytest.raises(TapLeadsError):
        trial.read()
    assert trial.log == ["INFO: Opened the scroll."]
    assert trial.obstacle_to_deletes == "the sync is not complete"


@cases(default={}, fail={"mismatch": "fail"})
def test_the_setting_count_mismatch_decides(options: dict[str, Any]) -> None:
    scroll: Script = [page("a", size=100), EMPTY]
    with pytest.raises(TapLeadsError, match="counts 900"):
        Trial(scroll, scroll, count=900, **options).read()
    ((*leads,),) = Trial(scroll, scroll, count=900, mismatch="warn").read()
    assert len(leads) == 100


def test_leaving_early_aborts_the_request_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread is waited for two seconds, and is a daemon, so that the process can end."""
    trial, asked, aborted = Trial([page("a")]), threading.Event(), threading.Event()
    join = threading.Thread.join
    joins = []

    def page_or_wait(scroll_param: str | None) -> Page:
        if scroll_param is None:
            return trial.source.page(None)
        asked.set()
        assert aborted.wait(10)
        raise no_page(Kind.UNCLEAR)

    def noted(thread: threading.Thread, timeout: float | None = None) -> None:
        joins.append((thread.name, thread.daemon, timeout))
        join(thread, 10)

    trial.client.page.side_effect, trial.client.abort.side_effect = page_or_wait, aborted.set
    with trial:
        assert passed_on(next(iter(trial.pages()))) == ["a@1"]
        assert asked.wait(10)
        monkeypatch.setattr(threading.Thread, "join", noted)
    assert (joins, trial.client.close.call_count) == ([("prefetch", True, 2.0)], 1)


def test_leaving_ends_a_pause_at_once() -> None:
    threads = threading.active_count()
    trial = Trial([page("a"), no_page(Kind.UNCLEAR)], limits=Limits())
    with trial:
        assert passed_on(next(iter(trial.pages()))) == ["a@1"]
    assert threading.active_count() == threads


def test_a_reader_that_was_never_started_can_be_left() -> None:
    threads = threading.active_count()
    with Trial() as trial:
        pass
    assert (threading.active_count(), trial.client.abort.called) == (threads, False)


def test_the_caller_hears_of_each_wait_before_it_and_of_pages_that_wait() -> None:
    trial, told = Trial([page("a"), page("b"), EMPTY]), threading.Event()
    waits: list[int] = []

    def wait() -> None:
        waits.append(trial.waiting)
        told.set()

    def page_after_that(scroll_param: str | None) -> Page:
        assert told.wait(5)
        return trial.source.page(scroll_param)

    trial.client.page.side_effect = page_after_that
    with trial:
        assert len(list(trial.pages(wait))) == 2
    assert (waits[0], trial.waiting) == (0, 0)


def test_attributes_are_asked_for_again_after_what_may_pass() -> None:
    log, client = Recorder(), Mock()
    client.attribute_definitions.side_effect = [no_page(Kind.UNREACHABLE), {"x": 1}]
    assert attribute_definitions(client, QUICK, log) == {"x": 1}
    assert [line.partition(".")[0] for line in log.lines] == [
        "WARNING: Nothing: the request could not be sent"
    ]


@cases(
    at_once=(no_page(Kind.REFUSED), TapLeadsError, f"A refusal. {ADVICE}."),
    in_the_end=(no_page(Kind.UNCLEAR), WaitedTooLongError, "'scroll_wait_timeout' allows 0 s"),
)
def test_attributes_that_cannot_be_read_are_an_error(
    answer: Outcome, error: type[Exception], words: str
) -> None:
    client = Mock()
    client.attribute_definitions.side_effect = answer
    with pytest.raises(error, match=re.escape(words)):
        attribute_definitions(client, QUICK, Recorder())
