"""The limits of a request in time and size, without a network."""

from __future__ import annotations

import io
import os
from typing import Any

import pytest
from requests.adapters import HTTPAdapter
from support.cases import cases

from tap_leads.scroll import transport
from tap_leads.scroll.transport import MAX_BODY, BodyTooLargeError, Session

URL = "https://api.example.com"


class Body:
    """The body of a response; notes how it is read."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = list(chunks)
        self.asked: list[tuple[int, bool]] = []

    def read1(self, size: int, *, decode_content: bool) -> bytes:
        self.asked.append((size, decode_content))
        return self.chunks.pop(0) if self.chunks else b""


class Answer:
    """What `requests` returns."""

    def __init__(self, *chunks: bytes, is_redirect: bool = False) -> None:
        self.status_code = 207
        self.headers = {"X": "y"}
        self.raw = Body(*chunks)
        self.is_redirect = is_redirect
        self.closed = False

    def close(self) -> None:
        self.closed = True


class Recorded(Session):
    """A session that notes its requests and limits, and has one response."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.limits: list[tuple[float, float]] = []

    def get(self, url: str, **options: Any) -> Any:  # type: ignore[override]
        assert not self.sent
        self.asked.append((url, options))
        return self.answer

    def limit(self, silence: float, total: float) -> None:
        self.limits.append((silence, total))


@cases(
    (90.0, None, 10.0, (90.0, 180.0)),
    (4.0, None, 4.0, (4.0, 8.0)),
    (90.0, 15.0, 10.0, (90.0, 15.0)),
)
def test_a_request_has_its_limits_and_follows_no_redirect(
    timeout: float, total: float | None, connect: float, limits: tuple[float, float]
) -> None:
    session = Recorded(Answer(b"ab", b"c"))
    session.sent = True
    response = session.fetch(URL, {"x": 1}, timeout, total)
    assert response == (207, {"X": "y"}, b"abc")
    assert session.limits == [limits]
    options = {"params": {"x": 1}, "timeout": (connect, timeout), "stream": True}
    assert session.asked == [(URL, {**options, "allow_redirects": False})]
    assert session.answer.raw.asked == [(256 * 1024, True)] * 3


def test_the_body_of_a_redirect_is_not_read() -> None:
    session = Recorded(Answer(b"ab", is_redirect=True))
    assert session.fetch(URL, {}, 1.0) == (207, {"X": "y"}, b"")
    assert session.answer.closed
    assert session.answer.raw.asked == []


def test_a_body_may_have_64_mb_and_not_a_byte_more(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_BODY == 64 * 2**20
    monkeypatch.setattr(transport, "MAX_BODY", 4)
    assert Recorded(Answer(b"ab", b"cd")).fetch(URL, {}, 1.0).body == b"abcd"
    session = Recorded(Answer(b"ab", b"cd", b"e", b"f"))
    with pytest.raises(BodyTooLargeError):
        session.fetch(URL, {}, 1.0)
    assert session.answer.closed
    assert session.answer.raw.chunks == [b"f"]


class Clock:
    """Time that passes while something is read; the socket notes how long it may take."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.timeouts: list[float] = []
        monkeypatch.setattr("tap_leads.scroll.transport.time.monotonic", lambda: self.now)

    def settimeout(self, seconds: float) -> None:
        self.timeouts.append(seconds)


class Slow(io.RawIOBase):
    """A connection on which each read takes a while."""

    def __init__(self, clock: Clock, *seconds: float) -> None:
        super().__init__()
        self._clock = clock
        self._seconds = list(seconds)

    def readinto(self, buffer: Any) -> int:
        self._clock.now += self._seconds.pop(0)
        if not self._seconds:
            raise OSError
        return len(buffer)


def test_each_read_may_take_the_time_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    session = Session()
    session.connected(clock)  # type: ignore[arg-type]
    session.limit(3.0, 7.0)
    slow = Slow(clock, 2.0, 3.0, 1.5, 0.5, 0.0)
    assert [session.read_into(slow, bytearray(5)) for _ in range(4)] == [5] * 4
    assert clock.timeouts == [3.0, 3.0, 2.0, 0.5]
    with pytest.raises(TimeoutError):
        session.read_into(slow, bytearray(5))
    assert len(clock.timeouts) == 4


def test_time_in_which_the_process_was_suspended_does_not_use_up_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A read that fails counts as long as it lasted, at most as long as it may be silent."""
    clock = Clock(monkeypatch)
    session = Session()
    session.connected(clock)  # type: ignore[arg-type]
    session.limit(3.0, 7.0)
    with pytest.raises(OSError):  # noqa: PT011 - it has no message
        session.read_into(Slow(clock, 3600.0), bytearray(5))
    session.read_into(Slow(clock, 1.0, 0.0), bytearray(5))
    session.read_into(Slow(clock, 1.0, 0.0), bytearray(5))
    assert clock.timeouts == [3.0, 3.0, 3.0]


def test_no_read_starts_when_the_time_is_used_up() -> None:
    session = Session()
    session.limit(1.0, 0.0)
    with io.FileIO(os.devnull) as raw, pytest.raises(TimeoutError):
        session.read_into(raw, bytearray(1))


def test_a_session_that_has_sent_nothing_can_be_aborted_and_closed() -> None:
    session = Session()
    assert not session.sent
    session.abort()
    session.close()


def test_the_limits_hold_for_http_and_https() -> None:
    session = Session()
    adapter = session.get_adapter("https://example.com")
    assert adapter is session.get_adapter("http://example.com")
    assert type(adapter) is not HTTPAdapter
