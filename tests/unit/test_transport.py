"""The limits of a request in time and size, without a network."""

from __future__ import annotations

import io
from typing import Any
from unittest.mock import Mock, call

import pytest
from requests.adapters import HTTPAdapter
from support.cases import cases
from typing_extensions import override

from tap_leads.scroll import transport
from tap_leads.scroll.transport import MAX_BODY, BodyTooLargeError, Session

URL = "https://api.example.com"


class Recorded(Session):
    """A session that notes its requests and limits, and has one response with these chunks."""

    def __init__(self, *chunks: bytes, is_redirect: bool = False) -> None:
        super().__init__()
        self.noted: list[object] = []
        self.answer = Mock(status_code=207, headers={"X": "y"}, is_redirect=is_redirect)
        self.read = self.answer.raw.read1
        self.read.side_effect = [*chunks, b""]

    def get(self, url: str, **options: Any) -> Any:  # type: ignore[override]
        self.noted += [self.sent, url, options]
        return self.answer

    @override
    def limit(self, silence: float, total: float) -> None:
        self.noted.append((silence, total))


@cases(
    (90.0, None, 10.0, (90.0, 180.0)),
    (4.0, None, 4.0, (4.0, 8.0)),
    (90.0, 15.0, 10.0, (90.0, 15.0)),
)
def test_a_request_has_its_limits_and_follows_no_redirect(
    timeout: float, total: float | None, connect: float, limits: tuple[float, float]
) -> None:
    session = Recorded(b"ab", b"c")
    session.sent = True
    assert session.fetch(URL, {"x": 1}, timeout, total) == (207, {"X": "y"}, b"abc")
    options = {"params": {"x": 1}, "timeout": (connect, timeout), "stream": True}
    assert session.noted == [limits, False, URL, {**options, "allow_redirects": False}]
    assert session.read.mock_calls == [call(256 * 1024, decode_content=True)] * 3


def test_the_body_of_a_redirect_is_not_read() -> None:
    session = Recorded(b"ab", is_redirect=True)
    assert session.fetch(URL, {}, 1.0) == (207, {"X": "y"}, b"")
    assert session.answer.mock_calls == [call.close()]


def test_a_body_may_have_64_mb_and_not_a_byte_more(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_BODY == 64 * 2**20
    monkeypatch.setattr(transport, "MAX_BODY", 4)
    assert Recorded(b"ab", b"cd").fetch(URL, {}, 1.0).body == b"abcd"
    session = Recorded(b"ab", b"cd", b"e", b"f")
    with pytest.raises(BodyTooLargeError):
        session.fetch(URL, {}, 1.0)
    assert (session.answer.close.call_count, session.read.call_count) == (1, 3)


class Slow(io.RawIOBase):
    """A connection on which each read takes a while, until one fails; notes the limit of each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *seconds: float) -> None:
        super().__init__()
        self.now = 100.0
        self.seconds = list(seconds)
        self.timeouts: list[float] = []
        self.session = Session()
        self.session.connected(self)  # type: ignore[arg-type]
        self.session.limit(3.0, 7.0)
        monkeypatch.setattr("tap_leads.scroll.transport.time.monotonic", lambda: self.now)

    def settimeout(self, seconds: float) -> None:
        self.timeouts.append(seconds)

    def readinto(self, buffer: Any) -> int:
        self.now += self.seconds.pop(0)
        if self.now > 3600.0:
            raise OSError
        return len(buffer)

    def reads(self) -> object:
        return self.session.read_into(self, bytearray(5))


def test_each_read_may_take_the_time_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow(monkeypatch, 2.0, 3.0, 1.5, 0.5)
    assert [slow.reads() for _ in range(4)] == [5] * 4
    with pytest.raises(TimeoutError):
        slow.reads()
    assert slow.timeouts == [3.0, 3.0, 2.0, 0.5]


def test_time_in_which_the_process_was_suspended_does_not_use_up_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A read that fails counts as long as it lasted, at most as long as it may be silent."""
    slow = Slow(monkeypatch, 3600.0, 1.0, 1.0)
    with pytest.raises(OSError):  # noqa: PT011 - it has no message
        slow.reads()
    slow.now = 0.0
    assert [slow.reads() for _ in range(2)] == [5] * 2
    assert slow.timeouts == [3.0, 3.0, 3.0]


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
