"""The paths of the API that the sandbox serves. No sockets in here."""

import base64
import binascii
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from email.message import Message
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from tap_leads.sandbox import endpoints, intercom_errors
from tap_leads.sandbox.fault_kind import SCROLL
from tap_leads.sandbox.faults import Fault, Firing
from tap_leads.sandbox.http_response import Response
from tap_leads.sandbox.rate_limit import RateLimit
from tap_leads.sandbox.request_log import ScrollRequest
from tap_leads.sandbox.workspace import ScrollExistsError, ScrollNotFoundError, Workspace

_LATEST_VERSION = "1.4"  # the last one that has leads; without the header it applies
_VERSIONS = frozenset({"1.0", "1.1", "1.2", "1.3", _LATEST_VERSION})
_HEADERS_KEPT = 1_000


class _Request(NamedTuple):
    host: str
    path: str
    query: Mapping[str, str]
    latest: bool  # API version
    refusal: Response | None  # by the rate limit or the version

    @property
    def fault_path(self) -> str:
        """What the path is called in a fault."""
        if self.path == "/contacts/scroll":
            return SCROLL
        return self.path.split("/")[1]

    @property
    def scroll_param(self) -> str | None:
        return self.query.get("scroll_param")


class Api:
    """Responds to requests for several workspaces, each with a token of its own.

    Args:
        workspaces: By access token.
        faults: What goes wrong, in every workspace.
        new_rate_limit: Makes the limit of one token.
        latency: Seconds before every response.
    """

    def __init__(
        self,
        workspaces: Mapping[str, Workspace],
        faults: Iterable[Fault],
        *,
        new_rate_limit: Callable[[], RateLimit],
        latency: float,
    ) -> None:
        self.workspaces = workspaces
        self.requests = 0
        self.headers_seen: deque[dict[str, str]] = deque(maxlen=_HEADERS_KEPT)
        self._faults = tuple(faults)
        self._latency = latency
        self._lock = threading.Lock()
        # Requests with a wrong token share one limit.
        self._limits = {token: new_rate_limit() for token in (*workspaces, None)}

    def get(self, target: str, headers: Message) -> Response:
        """Respond to one GET.

        Args:
            target: Path and query.
            headers: Of the request.
        """
        sent = _token(headers)
        token = sent if sent in self.workspaces else None
        with self._lock:
            self.requests += 1
            self.headers_seen.append(_without_token(headers, right=token is not None))
        within, rate_headers = self._limits[token].use()
        version = headers.get("Intercom-Version", _LATEST_VERSION)
        refusal = None
        if not within:
            refusal = intercom_errors.rate_limit_exceeded()
        elif token is None:
            refusal = intercom_errors.unauthorized()
        elif version not in _VERSIONS:
            refusal = intercom_errors.version_invalid()
        if token is None:
            response = refusal or intercom_errors.unauthorized()
        else:
            parts = urlsplit(target)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            latest = version == _LATEST_VERSION
            request = _Request(headers.get("Host", ""), parts.path, query, latest, refusal)
            response = self._respond(self.workspaces[token], request)
        return replace(
            response,
            headers={**rate_headers, **response.headers},
            delay=response.delay + self._latency,
        )

    def _respond(self, workspace: Workspace, request: _Request) -> Response:
        """Respond under the faults that fire; requests to the scroll go into the history."""
        arrived = workspace.clock()
        is_scroll = request.fault_path == SCROLL
        opens = request.scroll_param is None if is_scroll else None
        ordinal, of_scroll = workspace.log.arrive(request.fault_path, opens=opens)
        faults = Firing(self._faults, request.fault_path, ordinal, of_scroll)
        faults.prepare(workspace)
        instead, lost = faults.instead()
        if instead and lost and is_scroll:
            with suppress(ScrollExistsError, ScrollNotFoundError):
                workspace.scroll(request.scroll_param, faults.deviation(), deliver=False)
        response = instead or request.refusal or self._route(workspace, request, faults)
        response = faults.change(response)
        if is_scroll:
            workspace.log.remember(
                ScrollRequest(
                    ordinal, arrived, request.scroll_param, response.status, response.leads
                )
            )
        return response

    def _route(self, workspace: Workspace, request: _Request, faults: Firing) -> Response:
        # Changelog of API 1.4: the path became a parameter, and the old one "will no longer work".
        model = request.query.get("model")
        match request.path:
            case "/contacts/scroll":
                response = endpoints.next_page(workspace, request.scroll_param, faults)
            case "/contacts":
                response = endpoints.contacts(workspace, request.query, request.host)
            case "/counts":
                response = endpoints.counts(workspace)
            case "/data_attributes" if request.latest and model == "customer":
                response = endpoints.attributes()
            case "/data_attributes/customer" if not request.latest:
                response = endpoints.attributes()
            case _:
                response = intercom_errors.no_such_path()
        return response


def _token(headers: Message) -> str:
    """Find the token: as a bearer token, or as the user name of Basic authentication.

    Intercom's own clients send it the second way (`curl -u TOKEN:`).
    """
    scheme, _, sent = headers.get("Authorization", "").partition(" ")
    match scheme.lower():
        case "bearer":
            return sent
        case "basic":
            try:
                return base64.b64decode(sent).decode().partition(":")[0]
            except (binascii.Error, UnicodeDecodeError):
                return ""
    return ""


def _without_token(headers: Message, *, right: bool) -> dict[str, str]:
    return {
        name: ("right" if right else "wrong") if name.lower() == "authorization" else value
        for name, value in headers.items()
    }
