"""The requests to Intercom. What follows from a response is decided elsewhere: `scroll`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec
import requests
from singer_sdk import RESTStream, Tap
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.helpers.types import Context
from typing_extensions import override

from tap_leads.errors import TapLeadsError
from tap_leads.pagination import ScrollPaginator, page_of
from tap_leads.records.pages import LeadWithoutIdError, NotAPageError, Page
from tap_leads.scroll import responses
from tap_leads.scroll.responses import NoPageError
from tap_leads.scroll.session import Session
from tap_leads.singer.logs import unlogged_request
from tap_leads.singer.settings import HOSTS

SCROLL = "/contacts/scroll"
LIST = "/contacts"
COUNTS = "/counts"
ATTRIBUTES = "/data_attributes"

BEST_EFFORT_SECONDS = 10.0
"""What a request may take that the sync can do without."""

_ABSURD = 10**12
# From here on, a count of leads is not one.


class _UnloggedSession(Session):
    """A session whose requests the HTTP library does not log."""

    @override
    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        with unlogged_request():
            return super().send(request, **kwargs)


class IntercomStream(RESTStream[str | None]):
    """A stream whose items are the pages of Intercom's leads."""

    path = SCROLL
    allow_redirects = False  # the access token would be sent with them
    _LOG_REQUEST_METRICS = False  # a line per page; the progress says as much twice a minute

    def __init__(self, tap: Tap) -> None:
        super().__init__(tap)
        self._start: str | None = None
        self._aborted = False

    def follow(self, scroll_param: str | None) -> Iterator[Page]:
        """The pages of a scroll from a token on, up to the first empty one.

        Args:
            scroll_param: The token; None opens a new scroll, on a new connection.

        Raises:
            NoPageError: Something else came in place of a page.
        """
        self._start = scroll_param
        self._aborted = False
        if scroll_param is None:
            self.requests_session.use_new_connections()
        with self._as_outcomes():
            # The SDK types items as records; here they are pages.
            yield from cast("Iterable[Page]", self.request_records(None))

    def list_leads(self, most: int) -> Page:
        """Some leads, read without a scroll: nothing closes a scroll, so the next sync would wait.

        Raises:
            NoPageError: Something else came in place of them.
        """
        with self._as_outcomes():
            return self._read(self._get(LIST, {"per_page": most}))

    def ask(self, path: str) -> Any:
        """The JSON of a response that the sync can do without; None if it does not come in time."""
        try:
            response = self._get(path, {}, total=BEST_EFFORT_SECONDS)
            return msgspec.json.decode(response.content) if response.ok else None
        except Exception:  # noqa: BLE001 - whatever it is, it must not end the sync
            return None

    def count_leads(self) -> int | None:
        """How many leads Intercom counts; None if it does not tell.

        Its count may be cached, and so be a little off (`GET /counts`, API 1.1 to 1.4).
        """
        try:
            count = self.ask(COUNTS)["lead"]["count"]
        except (LookupError, TypeError):
            return None
        return count if type(count) is int and 0 <= count < _ABSURD else None

    def attribute_definitions(self) -> Any:
        """What Intercom answers about the workspace's attributes; None if it does not answer."""
        # Since 1.4, the model is a parameter (changelog of API 1.4).
        old = self.config["api_version"] != "1.4"
        return self.ask(f"{ATTRIBUTES}/customer" if old else f"{ATTRIBUTES}?model=customer")

    def abort(self) -> None:
        """For another thread: ends the request under way."""
        self._aborted = True
        self.requests_session.abort()

    def _get(
        self, path: str, params: dict[str, Any], total: float | None = None
    ) -> requests.Response:
        request = self.build_prepared_request(
            method="GET", url=self.url_base + path, params=params, headers=self.http_headers
        )
        return self.requests_session.send(
            request,
            timeout=min(self.timeout, total or self.timeout),
            total=total,
            allow_redirects=False,
        )

    @contextmanager
    def _as_outcomes(self) -> Iterator[None]:
        """Turns whatever the HTTP libraries raise into an outcome: none of it is a crash."""
        try:
            yield
        except (NoPageError, TapLeadsError):
            raise
        except Exception as error:
            if self._aborted:
                raise
            host = urlsplit(self.url_base).hostname or ""
            sent = self.requests_session.sent
            raise NoPageError(responses.of_error(error, host, sent=sent)) from None

    @property
    @override
    def url_base(self) -> str:
        address = self.config.get("api_url") or HOSTS[self.config["region"]]
        return str(address).rstrip("/")

    @override
    def get_url_params(
        self, context: Context | None, next_page_token: str | None
    ) -> dict[str, Any]:
        return {"scroll_param": next_page_token}

    @override
    def get_new_paginator(self) -> ScrollPaginator:
        return ScrollPaginator(self._start)

    @cached_property
    @override
    def authenticator(self) -> BearerTokenAuthenticator:
        return BearerTokenAuthenticator(token=self.config["access_token"])

    @property
    @override
    def http_headers(self) -> dict[str, str]:
        return {
            "Accept": "application/json",
            # Without it, the version of the token's app applies, and later ones have no scroll.
            "Intercom-Version": self.config["api_version"],
            # The same address brings page after page: an answer from a cache would repeat one.
            "Cache-Control": "no-cache, no-store",
            "Pragma": "no-cache",
        }

    @property
    @override
    def timeout(self) -> int:
        return int(self.config["request_timeout"])

    @cached_property
    @override
    def requests_session(self) -> Session:
        session = _UnloggedSession()
        # Session.send, which the SDK calls, does not look for REQUESTS_CA_BUNDLE by itself; proxies
        # it would look up again, three times per page.
        found = session.merge_environment_settings(self.url_base, {}, None, None, None)
        session.verify, session.proxies = found["verify"], found["proxies"]
        session.trust_env = False
        return session

    @override
    def request_decorator(self, func: Callable[..., requests.Response]) -> Any:
        """No retries here: the SDK's send a request again and so skip a page."""
        return func

    @override
    def validate_response(self, response: requests.Response) -> None:
        page = self._read(response)
        if page.versions and page.scroll_param is None:
            raise NoPageError(responses.not_a_page(response, self.config["region"]))

    def _read(self, response: requests.Response) -> Page:
        responses.check(response, self.config["region"])
        try:
            return page_of(response)
        except NotAPageError:
            raise NoPageError(responses.not_a_page(response, self.config["region"])) from None
        except LeadWithoutIdError:
            raise NoPageError(responses.LEAD_WITHOUT_ID) from None

    @override
    def parse_response(self, response: requests.Response) -> Iterable[Any]:
        yield page_of(response)
