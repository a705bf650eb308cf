"""The thread that reads pages ahead leaves nothing behind, and keeps no process from ending."""

from __future__ import annotations

import threading
from collections.abc import Generator

import pytest

from tap_leads.scroll.prefetch import Prefetch


def test_a_prefetch_that_was_never_started_can_be_stopped() -> None:
    threads, aborted = threading.active_count(), threading.Event()
    Prefetch(aborted.set).stop()
    assert (threading.active_count(), aborted.is_set()) == (threads, False)


def test_the_thread_is_a_daemon_and_is_waited_for_two_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits, started, aborted = [], threading.Event(), threading.Event()
    join = threading.Thread.join

    def waited(thread: threading.Thread, timeout: float | None = None) -> None:
        waits.append((thread.name, thread.daemon, timeout))
        join(thread, 10)

    def source() -> Generator[bytes, None, None]:
        yield b"page"
        started.set()
        assert aborted.wait(10)

    prefetch = Prefetch(aborted.set)
    assert next(iter(prefetch.pages(source()))) == b"page"
    assert started.wait(10)
    monkeypatch.setattr(threading.Thread, "join", waited)
    prefetch.stop()
    assert waits == [("prefetch", True, 2.0)]


def test_the_caller_is_told_before_it_waits_for_a_page() -> None:
    told = threading.Event()

    def source() -> Generator[bytes, None, None]:
        assert told.wait(5)
        yield b"page"

    prefetch = Prefetch(told.set)
    assert list(prefetch.pages(source(), told.set)) == [b"page"]
    prefetch.stop()
