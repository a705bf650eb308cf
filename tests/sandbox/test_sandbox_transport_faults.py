"""Faults on the way of a response: each does what it says, and nothing else."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
import requests
from support.scroll_client import ScrollClient


@pytest.mark.parametrize("fault", ["lost@2", "hang@2:0.01", "cut@2"])
def test_a_response_lost_on_the_way(scroll: Callable[..., ScrollClient], fault: str) -> None:
    """No response, or half of one; and the page is gone."""
    client = scroll(fault)
    client.page()
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        client.ask()
    assert client.page() == client.expected(3)
    lost = client.sandbox.workspace.history[1]
    assert (lost.status, lost.leads) == (200 if fault == "cut@2" else 0, 0)


def test_cut_announces_the_whole_body(scroll: Callable[..., ScrollClient]) -> None:
    """A client can tell by Content-Length."""
    client = scroll("cut@1")
    url = f"{client.sandbox.url}/contacts/scroll"
    received: list[bytes] = []
    with client.session.get(url, stream=True, timeout=5) as response:
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            received.extend(response.iter_content(1))
        assert sum(map(len, received)) == int(response.headers["Content-Length"]) // 2


def test_hang_keeps_the_client_waiting(scroll: Callable[..., ScrollClient]) -> None:
    """Until the client gives up; the page is gone."""
    client = scroll("hang@2")
    client.page()
    with pytest.raises(requests.ReadTimeout):
        client.ask(timeout=0.1)
    assert client.page() == client.expected(3)


def test_reset_loses_nothing(scroll: Callable[..., ScrollClient]) -> None:
    """It happened before the request was read."""
    client = scroll("reset@2")
    client.page()
    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        client.ask()
    assert client.page() == client.expected(2)


@pytest.mark.parametrize("fault", ["slow@2:0.1", "hang@2:0.1"])
def test_a_wait_is_as_long_as_it_says(scroll: Callable[..., ScrollClient], fault: str) -> None:
    """Also before a response that another fault gives."""
    client = scroll(fault, "503@3", "slow@3:0.1")
    client.page()
    for _ in range(2):
        start = time.monotonic()
        with suppress(requests.ConnectionError):
            client.ask()
        assert time.monotonic() - start >= 0.1


def test_slow_is_only_slow(scroll: Callable[..., ScrollClient]) -> None:
    """The response is right."""
    client = scroll("slow@1:0.01")
    assert client.page() == client.expected(1)


@pytest.mark.parametrize("fault", ["drip@1:0.0005", "drip-head@1:0.0005"])
def test_a_dripping_page_is_right(scroll: Callable[..., ScrollClient], fault: str) -> None:
    """It takes the given time per byte, of the body or of the head."""
    client = scroll(fault, leads=1)
    start = time.monotonic()
    response = client.ask()
    taken = time.monotonic() - start
    assert response.json()["contacts"] == list(client.sandbox.workspace.leads())
    head = "".join(f"{name}: {value}\r\n" for name, value in response.headers.items())
    assert taken >= 0.0005 * len(head if "head" in fault else response.content)


PATHS = {
    "": "/contacts/scroll",
    "contacts/": "/contacts",
    "counts/": "/counts",
    "data_attributes/": "/data_attributes?model=customer",
}


@pytest.mark.parametrize("path", PATHS)
def test_a_dripping_body_begins_at_once(scroll: Callable[..., ScrollClient], path: str) -> None:
    """Only the body drips: the head and the first byte are there."""
    client = scroll(f"{path}drip@1:600")
    url = client.sandbox.url + PATHS[path]
    with client.session.get(url, stream=True, timeout=5) as response:
        assert int(response.headers["Content-Length"]) > 1
        assert next(response.iter_content(1)) == b"{"


def test_a_dripping_head_does_not_end(scroll: Callable[..., ScrollClient]) -> None:
    """The client gets a byte, and no headers."""
    client = scroll("drip-head@1:600")
    with pytest.raises(requests.ReadTimeout):
        client.ask(timeout=0.1)


def test_a_bomb_unpacks_to_the_page_and_many_blanks(scroll: Callable[..., ScrollClient]) -> None:
    """A thousand times as many bytes as were sent, all of them JSON."""
    client = scroll("bomb@2:16")
    client.page()
    response = client.ask()
    assert len(response.content) > 16 << 20
    assert int(response.headers["Content-Length"]) < len(response.content) // 500
    assert [lead["id"] for lead in response.json()["contacts"]] == client.expected(2)
    assert client.page() == client.expected(3)


def receive(client: ScrollClient) -> bytes:
    """Send the next request, and receive every byte of the response."""
    request = (
        f"GET /contacts/scroll?scroll_param={client.param} HTTP/1.1\r\nHost: sandbox\r\n"
        f"Authorization: Bearer {client.sandbox.token}\r\nConnection: close\r\n\r\n"
    )
    port = int(client.sandbox.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(request.encode())
        return b"".join(iter(lambda: connection.recv(1 << 16), b""))


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("malformed@2:header", b"\r\na header line without a colon\r\n\r\n{"),
        ("malformed@2:location", b"\r\nLocation: http://[::1\r\n"),
        ("malformed@2:location-bytes", b"\r\nLocation: http://127.0.0.1/\xff\xfe\r\n"),
        ("malformed@2:chunk", b"\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n"),
        ("malformed@2:length", b"\r\nContent-Length: many\r\n"),
        ("malformed@2:status-line", b"HTTP/1.1 2"),
        ("malformed@2:date", b"\r\nDate: Fri, 31 Dec 99999 23:59:59 GMT\r\n"),
        ("malformed@2:reset", b"\r\nX-RateLimit-Reset: 999999999999999999999999999999\r\n"),
    ],
)
def test_malformed_http(scroll: Callable[..., ScrollClient], fault: str, found: bytes) -> None:
    """The page was served; the next response is well-formed."""
    client = scroll(fault)
    client.page()
    received = receive(client)
    assert found in received
    assert received.startswith(b"HTTP/1.1 302 Found" if "location" in fault else b"HTTP/1.1 2")
    if fault.endswith("status-line"):
        assert received == found
    assert client.page() == client.expected(3)


def test_malformed_headers_of_a_429(scroll: Callable[..., ScrollClient]) -> None:
    """The scroll goes on where it was."""
    client = scroll("429@2", "malformed@2:date", "malformed@2:reset")
    client.page()
    response = client.ask()
    assert response.status_code == 429
    assert "99999" in response.headers["Date"]
    assert response.headers["X-RateLimit-Reset"] == "9" * 30
    assert client.page() == client.expected(2)
