"""A client that scrolls through a sandbox, whatever it receives."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import TypeAlias

import requests

from tap_leads.sandbox import Sandbox

PAGE = 10


class Clock:
    """Does not run: a test sets it."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class ScrollClient:
    """A client with one connection to a sandbox.

    It is careless: whatever happens, it continues with the latest scroll parameter it has.
    """

    def __init__(
        self, sandbox: Sandbox, clock: Clock, stack: ExitStack, token: str | None = None
    ) -> None:
        self.sandbox = sandbox
        self.clock = clock
        self.param: str | None = None
        self.session = stack.enter_context(requests.Session())
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {token or sandbox.token}"
        self.workspace = sandbox.workspaces.get(token or sandbox.token, sandbox.workspace)
        self.ids = [lead["id"] for lead in self.workspace.leads()]
        self._stack = stack

    def other(self, token: str | None = None) -> ScrollClient:
        """Make another client of the same sandbox."""
        return ScrollClient(self.sandbox, self.clock, self._stack, token)

    def get(self, path: str, timeout: float = 5, **headers: str) -> requests.Response:
        """Send one request to any path."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.session.get(
            self.sandbox.url + path, timeout=timeout, headers=sent, allow_redirects=False
        )

    def ask(self, timeout: float = 5) -> requests.Response:
        """Send the next request to the scroll."""
        response = self.get(self._path, timeout)
        if response.status_code == 200:
            with suppress(ValueError, TypeError, KeyError):
                self.param = response.json()["scroll_param"]
        return response

    def send(self, target: str | None = None) -> socket.socket:
        """Send a request, or the next one, on another connection without waiting for a response."""
        host, _, port = self.sandbox.url.removeprefix("http://").partition(":")
        connection = socket.create_connection((host, int(port)), timeout=5)
        connection.sendall(
            f"GET {target or self._path} HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n"
            f"Authorization: Bearer {self.sandbox.token}\r\n\r\n".encode()
        )
        return connection

    def open(self) -> requests.Response:
        """Open a scroll."""
        self.param = None
        return self.ask()

    def page(self) -> list[str]:
        """Receive the ids of the next page."""
        response = self.ask()
        assert response.status_code == 200, response.text
        return ids(response)

    def pages(self, number: int) -> list[list[str]]:
        """Receive the ids of the next pages."""
        return [self.page() for _ in range(number)]

    def rest(self) -> list[str]:
        """Scroll to the empty page, and return all ids."""
        found: list[str] = []
        while page := self.page():
            found += page
        return found

    def wait_for_requests(self, number: int) -> None:
        """Wait until the scroll has received that many requests, also ones without a response."""
        self.wait_until(lambda: len(self.workspace.history) >= number)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition is true."""
        began = time.monotonic()
        while not condition():
            assert time.monotonic() - began < 5
            time.sleep(0.005)

    @property
    def _path(self) -> str:
        return f"/contacts/scroll?scroll_param={self.param}" if self.param else "/contacts/scroll"

    def expected(self, *numbers: int) -> list[str]:
        """Tell the ids of these pages, counted from 1."""
        return [i for n in numbers for i in self.ids[(n - 1) * PAGE : n * PAGE]]


# Starts a sandbox with these faults and options, and returns a client of it.
Start: TypeAlias = Callable[..., ScrollClient]


def ids(response: requests.Response) -> list[str]:
    """Tell the ids of the leads of a page."""
    return [lead["id"] for lead in response.json()["contacts"]]


def code(response: requests.Response) -> tuple[int, str]:
    """Tell the status and the code of a refusal, which must be a complete `error.list`."""
    body = response.json()
    assert body["type"] == "error.list"
    assert body["request_id"]
    assert body["errors"][0]["message"]
    return response.status_code, body["errors"][0]["code"]
