"""A client that scrolls through a sandbox, whatever it receives."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from types import SimpleNamespace
from typing import Any, TypeAlias

import pytest
import requests

from tap_leads.sandbox import Sandbox

PAGE = 10


class ScrollClient:
    """A client with one connection to a sandbox.

    It is careless: whatever happens, it continues with the latest scroll parameter it has.
    """

    def __init__(
        self, sandbox: Sandbox, clock: SimpleNamespace, stack: ExitStack, token: str | None = None
    ) -> None:
        self.sandbox = sandbox
        self.clock = clock
        self.param: str | None = None
        self.param_before: str | None = None
        self.session = stack.enter_context(requests.Session())
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {token or sandbox.token}"
        self.workspace = sandbox.workspaces.get(token or sandbox.token, sandbox.workspace)
        self.ids = [lead["id"] for lead in self.workspace.leads()]
        self._stack = stack

    def other(self, token: str | None = None) -> ScrollClient:
        """Makes another client of the same sandbox."""
        return ScrollClient(self.sandbox, self.clock, self._stack, token)

    def receives(self, steps: str) -> None:
        """Sends requests to the scroll, and checks what each of them receives.

        Args:
            steps: Divided by commas. `open` forgets the scroll parameter, `back` goes back to the
                one before, and `+30` moves the clock by 30 seconds. Any other step says what the
                next request receives: see `named`, or how the connection ends without a response
                (`lost`, `reset`) or during one (`cut`). `other` precedes what another client
                receives, which opens a scroll, and a path what a request to it receives.
        """
        done = []
        for step in steps.split(", "):
            done.append(step)
            if step == "open":
                self.param = None
            elif step == "back":
                self.param, self.param_before = self.param_before, self.param
            elif step[0] == "+":
                self.clock.now += float(step)
            elif step.startswith("other "):
                done[-1] = f"other {self.named(self.other().ask())}"
            elif step[0] == "/":
                path = step.split()[0]
                done[-1] = f"{path} {self.named(self.get(path))}"
            else:
                try:
                    done[-1] = self.named(self.ask())
                except requests.exceptions.ChunkedEncodingError:
                    done[-1] = "cut"
                except requests.ConnectionError as error:
                    done[-1] = "reset" if "reset by peer" in str(error) else "lost"
        assert ", ".join(done) == steps, f"received {done}"

    def named(self, response: requests.Response) -> str:
        """Names a response.

        A page is its number, `end` if it is empty, or the positions of its leads (`4:14`). Counts
        and attributes are their type. Other responses are the status with the code of a complete
        `error.list`, the last member of another object, how another body begins, or the media type
        if it is not JSON.
        """
        status = response.status_code
        kind = response.headers["Content-Type"].partition(";")[0].partition("/")[2]
        if kind != "json":
            return f"{status} {kind}"
        with suppress(ValueError):
            match response.json():
                case {
                    "type": "error.list",
                    "request_id": str(),
                    "errors": [{"code": str(code), "message": str()}],
                }:
                    return f"{status} {code}"
                case {"contacts": [*leads]} if status == 200:
                    found = [lead["id"] for lead in leads]
                    if not found:
                        return "end"
                    start = self.ids.index(found[0])
                    end = start + len(found)
                    assert found == self.ids[start:end]
                    whole = start % PAGE == 0 and len(found) == PAGE
                    return f"{end // PAGE}" if whole else f"{start}:{end}"
                case {"type": "count.hash" | "data_attribute.list" as kind} if status == 200:
                    return str(kind)
                case dict(body):
                    return f"{status} {[*body][-1]}"
        return f"{status} {response.text[:8]}".strip()

    def get(self, path: str, timeout: float = 5) -> requests.Response:
        """Sends one request to any path."""
        url = self.sandbox.url + path
        return self.session.get(url, timeout=timeout, allow_redirects=False)

    def ask(self, timeout: float = 5) -> requests.Response:
        """Sends the next request to the scroll."""
        response = self.get(self._path, timeout)
        if response.status_code == 200:
            with suppress(ValueError, TypeError, KeyError):
                self.param_before, self.param = self.param, response.json()["scroll_param"]
        return response

    def send(self, target: str | None = None) -> socket.socket:
        """Sends a request on another connection, without waiting for a response."""
        host, _, port = self.sandbox.url.removeprefix("http://").partition(":")
        connection = socket.create_connection((host, int(port)), timeout=5)
        connection.sendall(
            f"GET {target or self._path} HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n"
            f"Authorization: Bearer {self.sandbox.token}\r\n\r\n".encode()
        )
        return connection

    def raw(self, target: str | None = None) -> bytes:
        """Receives all bytes of a response to `send`."""
        with self.send(target) as connection:
            return b"".join(iter(lambda: connection.recv(1 << 16), b""))

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Waits until a condition is true."""
        began = time.monotonic()
        while not condition():
            assert time.monotonic() - began < 5
            time.sleep(0.005)

    @property
    def _path(self) -> str:
        return f"/contacts/scroll?scroll_param={self.param}" if self.param else "/contacts/scroll"


Start: TypeAlias = Callable[..., ScrollClient]


@pytest.fixture
def scroll() -> Iterator[Start]:
    """Starts sandboxes of 50 leads with faults, and stops them after the test."""
    with ExitStack() as stack:

        def start(*faults: str, headers: Any = (), **options: Any) -> ScrollClient:
            clock = SimpleNamespace(now=1000.0)
            usual: dict[str, Any] = {"leads": 50, "page_size": PAGE, "faults": faults}
            sandbox = Sandbox(clock=lambda: clock.now, **usual | options)
            client = ScrollClient(stack.enter_context(sandbox), clock, stack)
            client.session.headers.update(headers)
            return client

        yield start
