"""The sandbox as a whole: workspaces, the API over them, and a server in a thread."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, Self

from tap_leads.sandbox.api import Api
from tap_leads.sandbox.caching_proxy import CachingProxy
from tap_leads.sandbox.faults import Fault
from tap_leads.sandbox.http_server import HOST, Server
from tap_leads.sandbox.rate_limit import RateLimit
from tap_leads.sandbox.workspace import Workspace

_POLL = 0.02  # seconds that the accepting thread takes at most to notice the end


class Sandbox:
    """A simulated Intercom; use it in a `with` statement, or `start` and `stop` it.

    In a test suite of your own:

        from tap_leads import leads
        from tap_leads.sandbox import Sandbox

        def test_my_pipeline():
            with Sandbox(leads=250, faults=["429@2"]) as sandbox:
                assert len(list(leads(**sandbox.settings))) == 250

    It listens on 127.0.0.1, on a free port, and is ready when the block begins. Its leads are the
    same in every run. `sandbox.workspace` lists and changes them: `leads`, `add`, `update`,
    `delete` and more. A fault that breaks the scroll makes the tap wait until the scroll expires,
    which takes a minute.

    Args:
        leads: Leads of the workspace.
        seed: Decides the leads; another seed makes other leads.
        idle_limit: Seconds after which an unused scroll expires.
        latency: Seconds before every response.
        scroll_param: Whether a scroll keeps its parameter or has another on each page.
        faults: What goes wrong, each written [PATH/]KIND@WHEN[:ARG]; in every workspace.
        cache: Whether a proxy before the API caches responses, unless a request forbids it.
        rate_limit: Requests that a token has in each window.
        rate_window: Seconds of such a window.
        token: Access token of the workspace.
        workspaces: Leads by token, for several workspaces; `leads` and `token` are then unused.
        clock: Seconds that only ever grow; they decide the idle time and the rate limit.
        page_size: Leads per page.
        port: Where to listen; 0 finds a free port.

    Raises:
        ValueError: A fault is not written as it should be.
    """

    def __init__(  # noqa: PLR0913 - each is a knob with a default
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
        self._api = Api(
            self.workspaces,
            map(Fault.parse, faults),
            new_rate_limit=lambda: RateLimit(rate_limit, rate_window, clock),
            latency=latency,
        )
        self._responder = CachingProxy(self._api.get).get if cache else self._api.get
        self._port = port
        self._server: Server | None = None
        self._connections = 0

    def start(self) -> Self:
        """Start to serve, in a thread of its own.

        Raises:
            OSError: The port is taken.
        """
        self._server = server = Server(self._responder, self._port)
        self._port = server.server_port  # `url` stays true after the end
        threading.Thread(target=server.serve_forever, args=(_POLL,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop at once: clients that still wait for a response find the connection closed."""
        if self._server:
            self._server.stop()
            self._connections, self._server = self.connections, None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where it serves, without a slash at the end."""
        return f"http://{HOST}:{self._port}"

    @property
    def settings(self) -> dict[str, str]:
        """The settings of the tap that lead here: address and access token."""
        return {"api_url": self.url, "access_token": self.token}

    @property
    def requests(self) -> int:
        """The number of requests that reached the API, on any path."""
        return self._api.requests

    @property
    def connections(self) -> int:
        """The number of connections that were accepted."""
        return self._server.accepted if self._server else self._connections

    @property
    def headers_seen(self) -> list[dict[str, str]]:
        """Headers of the latest 1,000 requests; of the Authorization only "right" or "wrong"."""
        return list(self._api.headers_seen)
