"""The HTTP session on real connections: what it takes for sent, and how a request ends."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import pytest
import requests
from support.cases import cases
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from tap_leads.scroll.transport import Session

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"


@dataclass
class Server:
    """A server that responds with given bytes, and keeps connections open until it ends.

    Attributes:
        requests: The first line of each request.
        connections: How many connections it accepted.
    """

    responses: list[bytes]
    requests: list[str] = field(default_factory=list)
    connections: int = 0
    waiting: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._respond, args=(connection,), daemon=True).start()

    def _respond(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines, suppress(OSError):
            while line := lines.readline():
                self.requests.append(line.decode().strip())
                while lines.readline().strip():
                    pass
                response = self.responses.pop(0)
                if not response:
                    return
                connection.sendall(response)
                if b"Content-Length" not in response:
                    self.waiting.set()
                    self.ended.wait(10)
                    return

    def close(self) -> None:
        self.ended.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@contextmanager
def serving(*responses: bytes) -> Iterator[tuple[Session, Server]]:
    """A session, and a server with these responses; an empty one closes the connection."""
    server = Server(list(responses))
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    session = Session()
    session.trust_env = False
    try:
        yield session, server
    finally:
        session.close()
        server.close()
        thread.join(5)


def test_a_response_has_its_status_headers_and_unpacked_body() -> None:
    packed = gzip.compress(b"leads")
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
    with serving(head.encode() + packed) as (session, server):
        response = session.fetch(f"{server.url}/x", {"a": "b", "none": None}, 5.0)
    assert (response.status, response.body) == (200, b"leads")
    assert response.headers["content-ENCODING"] == "gzip"
    assert server.requests == ["GET /x?a=b HTTP/1.1"]
    assert session.sent


def test_connections_are_kept_until_new_ones_are_asked_for() -> None:
    with serving(OK, OK, OK) as (session, server):
        for _ in range(2):
            session.fetch(server.url, {}, 5.0)
        assert server.connections == 1
        session.use_new_connections()
        session.fetch(server.url, {}, 5.0)
        assert server.connections == 2
        session.close()
        session.abort()  # there is nothing to abort


def test_a_redirect_is_not_followed_and_its_body_is_not_read() -> None:
    redirect = b"HTTP/1.1 302 Found\r\nLocation: http://example.com\r\n\r\n"
    with serving(redirect) as (session, server):
        assert session.fetch(server.url, {}, 5.0)[::2] == (302, b"")
        assert len(server.requests) == 1


def test_a_redirect_to_a_malformed_address_is_an_error() -> None:
    malformed = b"HTTP/1.1 302 Found\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n"
    with serving(malformed) as (session, server), pytest.raises(ValueError, match="IPv6"):
        session.fetch(server.url, {}, 5.0)


def test_a_request_without_a_response_was_sent_and_one_without_a_connection_was_not() -> None:
    with serving(b"") as (session, server):
        with pytest.raises(requests.ConnectionError):
            session.fetch(server.url, {}, 5.0)
        assert session.sent
        url = server.url
    with pytest.raises(requests.ConnectionError):
        session.fetch(url, {}, 5.0)
    assert not session.sent


def test_a_request_that_a_proxy_refuses_was_not_sent() -> None:
    with serving(REFUSED) as (session, server):
        session.proxies = {"https": server.url}
        with pytest.raises(requests.exceptions.ProxyError):
            session.fetch("https://leads.invalid", {}, 5.0)
        assert server.requests[0].startswith("CONNECT leads.invalid:443 ")
    assert not session.sent


@cases(in_the_headers=b"HTTP/1.1 200 OK\r\n", in_the_body=b"HTTP/1.1 200 OK\r\n\r\n")
def test_silence_ends_a_request(start: bytes) -> None:
    with serving(start) as (session, server):
        with pytest.raises((TimeoutError, requests.Timeout, ReadTimeoutError)):
            session.fetch(server.url, {}, 0.1)
        assert session.sent


@cases(
    in_the_headers=b"HTTP/1.1 ",
    in_the_body=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
)
def test_another_thread_can_end_a_request(start: bytes) -> None:
    with serving(start) as (session, server):
        errors: list[Exception] = []

        def fetch() -> None:
            try:
                session.fetch(server.url, {}, 60.0)
            except (OSError, ProtocolError) as error:
                errors.append(error)

        thread = threading.Thread(target=fetch)
        thread.start()
        assert server.waiting.wait(5)
        while thread.is_alive():  # the client may not have begun to read
            session.abort()
            thread.join(0.05)
        assert len(errors) == 1
