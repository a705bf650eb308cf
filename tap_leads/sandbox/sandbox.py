"""The sandbox as a whole: workspaces, faults, and a server in a thread."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from email.message import Message
from typing import Literal, Self
from urllib.parse import parse_qs, urlsplit

from tap_leads.sandbox import endpoints, intercom_errors
from tap_leads.sandbox.caching_proxy import caching
from tap_leads.sandbox.fault_kind import SCROLL
from tap_leads.sandbox.faults import Fault, deviation
from tap_leads.sandbox.http_response import Response
from tap_leads.sandbox.http_server import HOST, Server
from tap_leads.sandbox.rate_limit import RateLimit
from tap_leads.sandbox.workspace import ScrollError, ScrollRequest, Workspace

_POLL = 0.02  # seconds within which the accepting thread notices that it must stop
_HEADERS_KEPT = 1_000


class Sandbox:
    """A simulated Intercom; use it in a `with` statement, or `start` and `stop` it.

    In a test suite of your own:

        from tap_leads import leads
        from tap_leads.sandbox import Sandbox

        def test_my_pipeline():
            with Sandbox(leads=250, faults=["429@2"]) as sandbox:
                assert len(list(leads(**sandbox.settings))) == 250

    The sandbox listens on a free port of 127.0.0.1 as soon as the block begins. Its leads are the
    same in every run. `sandbox.workspace` lists and changes them: `leads`, `add`, `update`,
    `delete` and more. After a fault that breaks the scroll, the tap waits a minute until the scroll
    expires; `idle_limit` and the tap's setting `scroll_expiry` shorten this.

    Args:
        leads: Leads of the workspace.
        seed: Decides the leads; another seed makes other leads.
        idle_limit: Seconds after which an unused scroll expires.
        latency: Seconds before every response.
        scroll_param: Whether a scroll keeps its parameter, or gets a new one with each page.
        faults: What goes wrong, written [PATH/]KIND@WHEN[:ARG]; in every workspace.
        cache: Whether a proxy in front of the API caches responses, unless a request forbids it.
        rate_limit: Requests per token and window.
        rate_window: Seconds per window.
        token: Access token of the workspace.
        workspaces: Leads by token, for several workspaces; replaces `leads` and `token`.
        clock: Seconds that never decrease, for the idle time and the rate limit.
        page_size: Leads per page.
        port: Port to listen on; 0 finds a free port.

    Raises:
        ValueError: A fault is malformed.
    """

    def __init__(  # noqa: PLR0913 - each is an option with a default
        self,
        leads: int = 250,
        *,
        seed: int = 1,
        idle_limit: float = 60.0,
        latency: float = 0.0,
        scroll_param: Literal["constant", "changing"] = "constant",
        faults: Iterable[str] = (),
        cache: bool = False,
        rate_limit: int = 1000,
        rate_window: float = 10.0,
        token: str = "sandbox",  # noqa: S107 - opens nothing
        workspaces: Mapping[str, int] | None = None,
        clock: Callable[[], float] = time.monotonic,
        page_size: int = 100,
        port: int = 0,
    ) -> None:
        counts = workspaces or {token: leads}
        self.workspaces = {
            name: Workspace(
                count,
                seed=seed,
                number=number,
                page_size=page_size,
                idle_limit=idle_limit,
                scroll_param=scroll_param,
                clock=clock,
            )
            for number, (name, count) in enumerate(counts.items())
        }
        self.token, self.workspace = next(iter(self.workspaces.items()))
        self.requests = 0  # how many reached the API, on any path
        self._headers_seen: deque[dict[str, str]] = deque(maxlen=_HEADERS_KEPT)
        self._faults = [Fault.parse(fault) for fault in faults]
        self._latency = latency
        self._lock = threading.Lock()
        # Requests with a wrong token share one limit.
        self._limits = {
            name: RateLimit(rate_limit, rate_window, clock) for name in (*self.workspaces, None)
        }
        self._responder = caching(self._get) if cache else self._get
        self._port = port
        self._server: Server | None = None

    def start(self) -> Self:
        """Start to serve, in another thread.

        Raises:
            OSError: The port is taken.
        """
        self._server = Server(self._responder, self._port)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(_POLL,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop at once, and close the connections of clients that wait for a response."""
        if self._server:
            self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The address of the API, without a slash at the end."""
        return f"http://{HOST}:{self._port}"

    @property
    def settings(self) -> dict[str, str]:
        """The settings that connect the tap to the sandbox: address and access token."""
        return {"api_url": self.url, "access_token": self.token}

    @property
    def connections(self) -> int:
        """The number of connections that were accepted."""
        return self._server.accepted if self._server else 0

    @property
    def headers_seen(self) -> list[dict[str, str]]:
        """Headers of the latest 1,000 requests; the token is replaced by "right" or "wrong"."""
        return list(self._headers_seen)

    def _get(self, target: str, headers: Message) -> Response:
        """Respond to one GET, with path and query in `target`."""
        token = endpoints.access_token(headers)
        workspace = self.workspaces.get(token)
        seen = dict(headers.items())
        for name in seen:
            if name.lower() == "authorization":
                seen[name] = "right" if workspace else "wrong"
        with self._lock:
            self.requests += 1
            self._headers_seen.append(seen)
        within, rate_headers = self._limits[token if workspace else None].use()
        refusal = None if within else intercom_errors.rate_limit_exceeded()
        if workspace:
            response = self._respond(workspace, target, headers, refusal)
        else:
            response = refusal or intercom_errors.unauthorized()
        return replace(
            response,
            headers={**rate_headers, **response.headers},
            delay=response.delay + self._latency,
        )

    def _respond(
        self, workspace: Workspace, target: str, headers: Message, refusal: Response | None
    ) -> Response:
        """Respond under the faults of this request, and remember the requests to the scroll."""
        arrived = workspace.clock()
        parts = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        scroll_param = query.get("scroll_param")
        is_scroll = parts.path == "/contacts/scroll"
        path = SCROLL if is_scroll else parts.path.strip("/").partition("/")[0]
        ordinal, of_scroll = workspace.arrive(path, opens=is_scroll and scroll_param is None)
        faults = [f for f in self._faults if f.path == path and f.fires(ordinal, of_scroll)]
        replacements = [
            (response, fault.kind.lost)
            for fault in faults
            if (response := fault.kind.before(workspace, fault.argument))
        ]
        instead, lost = replacements[0] if replacements else (refusal, False)
        if lost and is_scroll:
            with suppress(ScrollError):
                workspace.scroll(scroll_param, deviation(faults), deliver=False)
        response = instead or endpoints.serve(workspace, parts.path, query, headers, faults)
        for fault in faults:
            response = fault.kind.change(response, fault.argument)
        if is_scroll:
            workspace.remember(
                ScrollRequest(ordinal, arrived, scroll_param, response.status, response.leads)
            )
        return response
