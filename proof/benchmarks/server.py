"""A simulated API of Intercom that is faster than any client, for measuring and nothing else.

    python -m proof.benchmarks.server LEADS [LATENCY [KIND [FAILS_AT]]]

The sandbox keeps every rule of the scroll and makes each lead on request. That takes longer than
the tap needs for the lead, so the benchmark would measure the sandbox. This server sends prepared
pages (see `templates`) over real HTTP on the loopback interface, from a process of its own. It
keeps four of the rules: a request without a token opens a scroll, each other request gets the next
page, the last page is empty, and after it the scroll is not found.

Its first line tells the port; it ends when its standard input does.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from typing import Self
from urllib.request import urlopen

from proof.benchmarks.programs import ROOT, BenchmarkError
from proof.benchmarks.templates import PAGE_SIZE, Kind, Pages
from tap_leads.sandbox import data_attributes

HOST = "127.0.0.1"
_SEND_BUFFER = 1 << 20  # a page fits in, so that sending does not wait for the reader
_SECONDS = 60
_NOT_FOUND = (
    b'{"type":"error.list","errors":[{"code":"not_found","message":"scroll parameter not found"}]}'
)


class Server:
    """Serves one workspace, one scroll at a time."""

    def __init__(self, leads: int, latency: float, kind: Kind, fails_at: int = 0) -> None:
        self._leads = leads
        self._fails_at = fails_at
        self._pages = Pages(leads, kind=kind)
        self._latency = latency
        self._position = 0
        self._first = self._pages.page(0)
        self._next: bytes | None = None
        self._others = {
            b"/data_attributes": {"data_attributes": data_attributes()},
            b"/counts": {"lead": {"count": leads}},
            b"/contacts": {"contacts": [], "total_count": leads},
        }
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]

    def serve(self) -> None:
        """Accepts connections, until the process ends."""
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        received = b""
        with connection:
            while True:
                while b"\r\n\r\n" not in received:
                    data = connection.recv(1 << 16)
                    if not data:
                        return
                    received += data
                request, _, received = received.partition(b"\r\n\r\n")
                try:
                    self._respond(connection, request.split(b" ", 2)[1])
                except ConnectionError:
                    return

    def _respond(self, connection: socket.socket, target: bytes) -> None:
        path, _, query = target.partition(b"?")
        if path == b"/progress":
            connection.sendall(_response(b"%d" % self._position))
        elif path == b"/contacts/scroll":
            self._scroll(connection, opening=b"scroll_param=" not in query)
        elif path in self._others:
            connection.sendall(_response(json.dumps(self._others[path]).encode()))
        else:
            connection.sendall(_response(_NOT_FOUND, b"404 Not Found"))

    def _scroll(self, connection: socket.socket, *, opening: bool) -> None:
        time.sleep(self._latency)
        if 0 < self._fails_at <= self._position:
            self._fails_at = 0
            connection.sendall(_response(b"", b"500 Internal Server Error"))
            return
        if opening:
            self._position = 0
            self._next = self._first
        if self._next is None:
            connection.sendall(_response(_NOT_FOUND, b"404 Not Found"))
            return
        connection.sendall(_response(self._next))
        # While the client reads:
        over = self._position >= self._leads
        self._position += PAGE_SIZE
        self._next = None if over else self._pages.page(self._position)


def _response(body: bytes, status: bytes = b"200 OK") -> bytes:
    head = (
        b"HTTP/1.1 %s\r\nContent-Type: application/json; charset=utf-8\r\n"
        b"X-RateLimit-Limit: 1000\r\nX-RateLimit-Remaining: 999\r\nContent-Length: %d\r\n\r\n"
    )
    return head % (status, len(body)) + body


class SimulatedApi:
    """A server in a process of its own, for as long as a `with` statement lasts.

    Attributes:
        url: Where it serves.
    """

    url: str

    def __init__(
        self, leads: int, latency: float = 0.0, kind: Kind = Kind.NONE, *, fails_at: int = 0
    ) -> None:
        self.leads = leads
        self._arguments = [str(leads), str(latency), kind, str(fails_at)]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "proof.benchmarks.server", *self._arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the benchmark, which then closes the pipe
        )
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        port = self._process.stdout.readline().decode().strip()
        if not port:
            raise BenchmarkError("the simulated API did not start")
        self.url = f"http://{HOST}:{port}"
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._process.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def progress(self) -> int:
        """How many leads the scroll has sent."""
        with urlopen(f"{self.url}/progress", timeout=_SECONDS) as response:  # noqa: S310 - ours
            return min(int(response.read()), self.leads)


def main(leads: str, latency: str = "0", kind: str = Kind.NONE, fails_at: str = "0") -> None:
    """Serves until standard input ends."""
    server = Server(int(leads), float(latency), Kind(kind), int(fails_at))
    threading.Thread(target=server.serve, daemon=True).start()
    print(server.port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
