"""Faults on the way of a response: each does what it says, and nothing else."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
import requests
from support.cases import cases
from support.scroll_client import Start


@cases("lost@2", "hang@2:0.01", "cut@2")
def test_a_response_lost_on_the_way(fault: str, scroll: Start) -> None:
    """There is no response, or half of one, and the page is gone."""
    client = scroll(fault)
    client.page()
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        client.ask()
    assert client.page() == client.expected(3)
    lost = client.workspace.history[1]
    assert (lost.status, lost.leads) == (200 if fault == "cut@2" else 0, 0)


def test_cut_announces_the_whole_body(scroll: Start) -> None:
    """A client can tell by Content-Length."""
    client = scroll("cut@1")
    url = f"{client.sandbox.url}/contacts/scroll"
    received: list[bytes] = []
    with client.session.get(url, stream=True, timeout=5) as response:
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            received.extend(response.iter_content(1))
        assert sum(map(len, received)) == int(response.headers["Content-Length"]) // 2


def test_hang_keeps_the_client_waiting(scroll: Start) -> None:
    """Until the client gives up. The page is gone."""
    client = scroll("hang@2")
    client.page()
    with pytest.raises(requests.ReadTimeout):
        client.ask(timeout=0.1)
    client.wait_for_requests(2)
    assert client.page() == client.expected(3)


def test_reset_loses_nothing(scroll: Start) -> None:
    """It happens before the request is read."""
    client = scroll("reset@2")
    client.page()
    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        client.ask()
    assert client.page() == client.expected(2)


@cases("slow@2:0.1", "hang@2:0.1")
def test_a_wait_is_as_long_as_it_says(fault: str, scroll: Start) -> None:
    """Also before a response that another fault gives."""
    client = scroll(fault, "503@3", "slow@3:0.1")
    client.page()
    for _ in range(2):
        start = time.monotonic()
        with suppress(requests.ConnectionError):
            client.ask()
        assert time.monotonic() - start >= 0.1


def test_slow_is_only_slow(scroll: Start) -> None:
    """The response is right."""
    client = scroll("slow@1:0.01")
    assert client.page() == client.expected(1)


@cases("drip@1:0.0005", "drip-head@1:0.0005")
def test_a_dripping_page_is_right(fault: str, scroll: Start) -> None:
    """It takes the given time per byte, of the body or of the head."""
    client = scroll(fault, leads=1)
    start = time.monotonic()
    response = client.ask()
    taken = time.monotonic() - start
    assert response.json()["contacts"] == list(client.workspace.leads())
    head = "".join(f"{name}: {value}\r\n" for name, value in response.headers.items())
    assert taken >= 0.0005 * len(head if "head" in fault else response.content)


@cases(
    ("drip@1:600", "/contacts/scroll"),
    ("contacts/drip@1:600", "/contacts"),
    ("counts/drip@1:600", "/counts"),
    ("data_attributes/drip@1:600", "/data_attributes?model=customer"),
)
def test_a_dripping_body_begins_at_once(fault: str, path: str, scroll: Start) -> None:
    """Only the body drips: the head and the first byte arrive."""
    client = scroll(fault)
    with client.session.get(client.sandbox.url + path, stream=True, timeout=5) as response:
        assert int(response.headers["Content-Length"]) > 1
        assert next(response.iter_content(1)) == b"{"


def test_a_dripping_head_does_not_end(scroll: Start) -> None:
    """The client receives a byte, and no headers."""
    client = scroll("drip-head@1:600")
    with pytest.raises(requests.ReadTimeout):
        client.ask(timeout=0.1)


def test_a_bomb_unpacks_to_the_page_and_many_blanks(scroll: Start) -> None:
    """It is a thousand times larger than what was sent, and all of it is JSON."""
    client = scroll("bomb@2:16")
    client.page()
    response = client.ask()
    assert len(response.content) > 16 << 20
    assert int(response.headers["Content-Length"]) < len(response.content) // 500
    assert [lead["id"] for lead in response.json()["contacts"]] == client.expected(2)
    assert client.page() == client.expected(3)


@cases(
    ("malformed@2:header", b"\r\na header line without a colon\r\n\r\n{"),
    ("malformed@2:location", b"\r\nLocation: http://[::1\r\n"),
    ("malformed@2:location-bytes", b"\r\nLocation: http://127.0.0.1/\xff\xfe\r\n"),
    ("malformed@2:chunk", b"\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n"),
    ("malformed@2:length", b"\r\nContent-Length: many\r\n"),
    ("malformed@2:status-line", b"HTTP/1.1 2"),
    ("malformed@2:date", b"\r\nDate: Fri, 31 Dec 99999 23:59:59 GMT\r\n"),
    ("malformed@2:reset", b"\r\nX-RateLimit-Reset: 999999999999999999999999999999\r\n"),
)
def test_malformed_http(fault: str, found: bytes, scroll: Start) -> None:
    """The page was served. The next response is well-formed."""
    client = scroll(fault)
    client.page()
    with client.send() as connection:
        received = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    assert found in received
    assert received.startswith(b"HTTP/1.1 302 Found" if "location" in fault else b"HTTP/1.1 2")
    if fault.endswith("status-line"):
        assert received == found
    assert client.page() == client.expected(3)


def test_malformed_headers_of_a_429(scroll: Start) -> None:
    """The scroll keeps its position."""
    client = scroll("429@2", "malformed@2:date", "malformed@2:reset")
    client.page()
    response = client.ask()
    assert response.status_code == 429
    assert "99999" in response.headers["Date"]
    assert response.headers["X-RateLimit-Reset"] == "9" * 30
    assert client.page() == client.expected(2)
