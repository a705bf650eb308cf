"""The paths of the API that the sandbox serves. No sockets in here."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from email.message import Message
from urllib.parse import parse_qs, urlsplit

from tap_leads.sandbox import answers, scroll
from tap_leads.sandbox.answers import Answer
from tap_leads.sandbox.faults import Fault
from tap_leads.sandbox.leads import data_attributes
from tap_leads.sandbox.limits import RateLimit
from tap_leads.sandbox.pages import Pages
from tap_leads.sandbox.workspace import Workspace

_LATEST_VERSION = "1.4"  # the last one that has leads; without the header it applies
_VERSIONS = frozenset({"1.0", "1.1", "1.2", "1.3", _LATEST_VERSION})
_MOST_PER_PAGE = 60  # of the leads list, which is not the scroll
_HEADERS_KEPT = 1_000


class Api:
    """Answers requests for several workspaces, each with a token of its own.

    Args:
        workspaces: By access token.
        faults: What goes wrong, in every workspace.
        rate_limit: Requests that a token has in each window.
        rate_window: Seconds of such a window.
        latency: Seconds before every answer.
        clock: Seconds that only ever grow, for the rate limit.
    """

    def __init__(  # noqa: PLR0913 - as Sandbox, which fills them in
        self,
        workspaces: Mapping[str, Workspace],
        *,
        faults: Iterable[Fault] = (),
        rate_limit: int = 1000,
        rate_window: float = 10.0,
        latency: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.workspaces = workspaces
        self.requests = 0
        self.headers_seen: deque[dict[str, str]] = deque(maxlen=_HEADERS_KEPT)
        self._faults = tuple(faults)
        self._latency = latency
        self._pages = Pages()
        self._lock = threading.Lock()
        # Requests with a wrong token share one limit.
        self._limits = {
            token: RateLimit(rate_limit, rate_window, clock) for token in (*workspaces, None)
        }

    def get(self, target: str, headers: Message) -> Answer:
        """Answer one GET.

        Args:
            target: Path and query.
            headers: Of the request.
        """
        kind, _, sent = headers.get("Authorization", "").partition(" ")
        token = sent if kind.lower() == "bearer" and sent in self.workspaces else None
        with self._lock:
            self.requests += 1
            self.headers_seen.append(_without_token(headers, right=token is not None))
        within, rate_headers = self._limits[token].use()
        version = headers.get("Intercom-Version", _LATEST_VERSION)
        refusal = None
        if not within:
            refusal = answers.rate_limit_exceeded()
        elif version not in _VERSIONS:
            refusal = answers.version_invalid()
        if token is None:
            answer = answers.unauthorized() if within else answers.rate_limit_exceeded()
        else:
            answer = self._route(self.workspaces[token], target, version, refusal)
        return replace(
            answer,
            headers={**rate_headers, **answer.headers},
            delay=answer.delay + self._latency,
        )

    def _route(
        self, workspace: Workspace, target: str, version: str, refusal: Answer | None
    ) -> Answer:
        parts = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/contacts/scroll":
            return scroll.answer(
                workspace,
                query.get("scroll_param"),
                faults=self._faults,
                pages=self._pages,
                refusal=refusal,
            )
        if refusal:
            return refusal
        # Changelog of API 1.4: the path became a parameter, and the old one "will no longer work".
        latest = version == _LATEST_VERSION
        match parts.path:
            case "/contacts":
                answer = _list(workspace, query)
            case "/counts":
                answer = _counts(workspace)
            case "/data_attributes" if latest and query.get("model") == "customer":
                answer = _data_attributes()
            case "/data_attributes/customer" if not latest:
                answer = _data_attributes()
            case _:
                answer = answers.no_such_path()
        return answer


def _without_token(headers: Message, *, right: bool) -> dict[str, str]:
    return {
        name: ("right" if right else "wrong") if name.lower() == "authorization" else value
        for name, value in headers.items()
    }


def _list(workspace: Workspace, query: Mapping[str, str]) -> Answer:
    try:
        per_page = min(max(1, int(query.get("per_page", "50"))), _MOST_PER_PAGE)
        number = max(1, int(query.get("page", "1")))
    except ValueError:
        return answers.error(400, "parameter_invalid", "page and per_page are numbers")
    count = workspace.count()
    total_pages = -(-count // per_page)
    indexes = workspace.indexes((number - 1) * per_page, per_page)
    pages = {
        "type": "pages",
        "next": f"https://api.intercom.io/contacts?per_page={per_page}&page={number + 1}"
        if number < total_pages
        else None,
        "page": number,
        "per_page": per_page,
        "total_pages": total_pages,
    }
    contacts = [workspace.lead(index) for index in indexes]
    return answers.ok(
        {"type": "contact.list", "pages": pages, "contacts": contacts, "total_count": count}
    )


def _counts(workspace: Workspace) -> Answer:
    others = {name: {"count": 0} for name in ("company", "segment", "tag", "user")}
    return answers.ok({"type": "count.hash", "lead": {"count": workspace.count()}, **others})


def _data_attributes() -> Answer:
    return answers.ok({"type": "data_attribute.list", "data_attributes": data_attributes()})
