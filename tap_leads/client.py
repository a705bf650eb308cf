"""The requests to Intercom: one scroll is one pass over its pages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

import msgspec
import requests
import urllib3
from singer_sdk import RESTStream, Tap
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.helpers.types import Context
from singer_sdk.pagination import BaseAPIPaginator
from typing_extensions import override

from tap_leads.scroll.limits import Limits, Patience
from tap_leads.scroll.reactions import Answer
from tap_leads.scroll.responses import UnusableAnswerError, check, outcome_unknown, page_of
from tap_leads.singer.logs import unlogged_request
from tap_leads.singer.settings import HOSTS

LEADS_LIST = "/contacts"

BEST_EFFORT_TIMEOUT = 10
"""Seconds to wait for an answer that the sync can do without."""

Send = Callable[..., requests.Response]


class _Session(requests.Session):
    """A session whose requests the HTTP library does not log."""

    @override
    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        with unlogged_request():
            return super().send(request, **kwargs)


class ScrollPaginator(BaseAPIPaginator[str | None]):
    """Follows a scroll: the next page's token is the `scroll_param` of the last answer.

    The token is usually the same on every page, though it may change: neither means anything. The
    end is a page without leads, and nothing else.
    """

    def __init__(self) -> None:
        super().__init__(None)

    @override
    def has_more(self, response: requests.Response) -> bool:
        return bool(page_of(response).versions)

    @override
    def get_next(self, response: requests.Response) -> str:
        token = page_of(response).scroll_param
        if token is None:
            raise UnusableAnswerError(Answer.NO_PAGE, "the page names no scroll to go on with")
        return token

    @override
    def continue_if_empty(self, response: requests.Response) -> bool:
        return True  # has_more decides, here as for every page

    @override
    def advance(self, response: requests.Response) -> None:
        # The SDK's own refuses a token that is the same twice.
        self._page_count += 1
        if self.has_more(response):
            self._value = self.get_next(response)
        else:
            self._finished = True


class IntercomStream(RESTStream[str | None]):
    """A stream whose items are the pages of Intercom's leads."""

    path = "/contacts/scroll"
    allow_redirects = False  # the access token would travel with them
    _LOG_REQUEST_METRICS = False  # a line a page; the progress says as much in one a half minute

    def __init__(self, tap: Tap) -> None:
        super().__init__(tap)
        self._patience = self._new_patience(time.sleep)

    def _new_patience(self, sleep: Callable[[float], None]) -> Patience:
        limits = Limits(
            self.config["scroll_expiry"],
            self.config["scroll_wait_timeout"],
            self.config["max_restarts"],
        )
        return Patience(limits, self.logger, sleep=sleep)

    @property
    def is_sample(self) -> bool:
        """Whether a few leads will do, as for `--test`: then no scroll is opened.

        Nothing can close a scroll, so the sync that follows a test would have to wait for it.
        """
        return self.ABORT_AT_RECORD_COUNT is not None

    @property
    @override
    def url_base(self) -> str:
        address = self.config.get("api_url") or HOSTS[self.config["region"]]
        return str(address).rstrip("/")

    @override
    def get_url(self, context: Context | None) -> str:
        return self.url_base + (LEADS_LIST if self.is_sample else self.path)

    @override
    def get_url_params(
        self, context: Context | None, next_page_token: str | None
    ) -> dict[str, Any]:
        if self.is_sample:
            return {"per_page": min(self.ABORT_AT_RECORD_COUNT or 1, 50)}
        return {"scroll_param": next_page_token}

    @override
    def get_new_paginator(self) -> BaseAPIPaginator[str | None] | None:
        return None if self.is_sample else ScrollPaginator()

    @cached_property
    @override
    def authenticator(self) -> BearerTokenAuthenticator:
        return BearerTokenAuthenticator(token=self.config["access_token"])

    @property
    @override
    def http_headers(self) -> dict[str, str]:
        return {
            "Accept": "application/json",
            # Without it, the version of the token's app applies, and later ones have no leads.
            "Intercom-Version": self.config["api_version"],
        }

    @property
    @override
    def timeout(self) -> int:
        return int(self.config["request_timeout"])

    @cached_property
    @override
    def requests_session(self) -> requests.Session:
        session = _Session()
        # Session.send, which the SDK calls, does not look for REQUESTS_CA_BUNDLE by itself; proxies
        # it would look up anew, three times a page.
        found = session.merge_environment_settings(self.url_base, {}, None, None, None)
        session.verify, session.proxies = found["verify"], found["proxies"]
        session.trust_env = False
        return session

    @override
    def request_decorator(self, func: Send) -> Send:
        """In place of the SDK's retries, which send a request again and so skip a page."""
        return self._patience.repeat(self._answered(func))

    def _answered(self, send: Send) -> Send:
        def answered(*args: Any) -> requests.Response:
            try:
                return send(*args)
            except (OSError, urllib3.exceptions.HTTPError) as error:  # requests' are OSErrors
                raise outcome_unknown(error, self.timeout) from None

        return answered

    @override
    def validate_response(self, response: requests.Response) -> None:
        check(response, self.config["region"])

    def ask(self, path: str) -> Any:
        """The JSON of an answer that the sync can do without; None if there is none."""
        try:
            response = self.requests_session.send(
                self.build_prepared_request(
                    method="GET", url=self.url_base + path, headers=self.http_headers
                ),
                timeout=min(self.timeout, BEST_EFFORT_TIMEOUT),
                allow_redirects=False,
            )
            return msgspec.json.decode(response.content) if response.ok else None
        except (OSError, urllib3.exceptions.HTTPError, ValueError, LookupError, RecursionError):
            return None  # a LookupError: discovery may come without a token

    def count_leads(self) -> int | None:
        """How many leads Intercom counts; its count may be cached, and so be off a little."""
        try:
            count = self.ask("/counts")["lead"]["count"]
        except (LookupError, TypeError):
            return None
        return count if isinstance(count, int) else None

    def attribute_definitions(self) -> Any:
        """What Intercom says of the workspace's attributes; None if it says nothing.

        The path changed with API 1.4, as Intercom's changelog of that version says.
        """
        if self.config["api_version"] == "1.4":
            return self.ask("/data_attributes?model=customer")
        return self.ask("/data_attributes/customer")

    @override
    def request_records(self, context: Context | None) -> Iterable[Any]:
        """The pages of one scroll, from its first to its end; each a `Page`.

        Raises:
            UnusableAnswerError: Something else came back than the next page.
            LeadWithoutIdError: A lead has no id.
        """
        return super().request_records(context)

    @override
    def parse_response(self, response: requests.Response) -> Iterable[Any]:
        page = page_of(response)
        if page.versions:
            yield page
