"""The HTTP session on real connections: what it takes for sent, and how a request ends."""

from __future__ import annotations

import gzip
import itertools
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, contextmanager

import pytest
import requests
from support.cases import cases
from support.relay import listening
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from tap_leads.scroll.transport import Session

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"


@contextmanager
def serving(*responses: bytes) -> Iterator[tuple[Session, str, list[tuple[int, str]]]]:
    """A session, the address of a server, and the number of the connection of each request.

    The server sends these responses, and keeps its connections open; it closes the connection in
    place of an empty response.
    """
    left, requests_, numbers = list(responses), list[tuple[int, str]](), itertools.count(1)

    def converse(connection: socket.socket) -> None:
        number = next(numbers)
        with connection.makefile("rb") as lines:
            while line := lines.readline():
                requests_.append((number, line.decode().strip()))
                while lines.readline().strip():
                    pass
                response = left.pop(0)
                if not response:
                    return
                connection.sendall(response)

    with listening(converse) as port, closing(Session()) as session:
        session.trust_env = False
        yield session, f"http://127.0.0.1:{port}", requests_


def test_a_response_has_its_status_headers_and_unpacked_body() -> None:
    packed = gzip.compress(b"leads")
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
    with serving(head.encode() + packed) as (session, url, asked):
        response = session.fetch(f"{url}/x", {"a": "b", "none": None}, 5.0)
    assert (response.status, response.body) == (200, b"leads")
    assert response.headers["content-ENCODING"] == "gzip"
    assert asked == [(1, "GET /x?a=b HTTP/1.1")]
    assert session.sent


def test_connections_are_kept_until_new_ones_are_asked_for() -> None:
    with serving(OK, OK, OK) as (session, url, asked):
        for _ in range(2):
            session.fetch(url, {}, 5.0)
        session.use_new_connections()
        session.fetch(url, {}, 5.0)
        session.close()
        session.abort()  # there is nothing to abort
    assert [number for number, _ in asked] == [1, 1, 2]


def test_a_redirect_to_a_malformed_address_is_an_error() -> None:
    redirect = b"HTTP/1.1 302 Found\r\nLocation: http://[\r\n\r\n"
    with serving(redirect) as (session, url, _), pytest.raises(ValueError, match="IPv6"):
        session.fetch(url, {}, 5.0)


def test_a_request_without_a_response_was_sent_and_one_without_a_connection_was_not() -> None:
    with serving(b"") as (session, url, _):
        with pytest.raises(requests.ConnectionError):
            session.fetch(url, {}, 5.0)
        assert session.sent
    with pytest.raises(requests.ConnectionError):
        session.fetch(url, {}, 5.0)
    assert not session.sent


def test_a_request_that_a_proxy_refuses_was_not_sent() -> None:
    with serving(REFUSED) as (session, url, asked):
        session.proxies = {"https": url}
        with pytest.raises(requests.exceptions.ProxyError):
            session.fetch("https://leads.invalid", {}, 5.0)
    assert asked[0][1].startswith("CONNECT leads.invalid:443 ")
    assert not session.sent


@cases(in_the_headers=b"HTTP/1.1 200 OK\r\n", in_the_body=b"HTTP/1.1 200 OK\r\n\r\n")
def test_silence_ends_a_request(start: bytes) -> None:
    with serving(start) as (session, url, _):
        with pytest.raises((TimeoutError, requests.Timeout, ReadTimeoutError)):
            session.fetch(url, {}, 0.1)
        assert session.sent


@cases(
    in_the_headers=b"HTTP/1.1 ",
    in_the_body=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
)
def test_another_thread_can_end_a_request(start: bytes) -> None:
    with serving(start) as (session, url, _), ThreadPoolExecutor() as threads:
        fetched = threads.submit(session.fetch, url, {}, 60.0)
        while not fetched.done():  # the client may not have begun to read
            session.abort()
            wait([fetched], 0.05)
        with pytest.raises((OSError, ProtocolError)):
            fetched.result()
