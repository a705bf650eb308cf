"""One request to Intercom, and what its answer means."""

from __future__ import annotations

import logging
import re
import ssl
import time
from collections.abc import Callable, Iterable
from email.utils import parsedate_to_datetime
from functools import cached_property, lru_cache
from http import HTTPStatus
from typing import Any

import msgspec
import requests
import urllib3
from singer_sdk import RESTStream
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.helpers.types import Context
from singer_sdk.pagination import BaseAPIPaginator
from typing_extensions import override

from tap_leads.errors import TapLeadsError, UnusableAnswerError
from tap_leads.pages import NotAPageError, Page, read_page
from tap_leads.scroll import Answer, repeating
from tap_leads.settings import HOSTS

LEADS_LIST = "/contacts"

RATE_WINDOW = 10.0
"""Seconds of a window of the rate limit (Intercom's page "Rate limiting")."""

# At DEBUG, urllib3 logs each address, and the scroll's token stands in it.
logging.getLogger("urllib3").setLevel(logging.INFO)

Send = Callable[..., requests.Response]

_CODE = re.compile(r"[a-z0-9_]{1,60}", re.ASCII)


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


@lru_cache(maxsize=1)  # the stream and its paginator both ask for it
def page_of(response: requests.Response) -> Page:
    """The page that an answer brings.

    Raises:
        UnusableAnswerError: It brings none.
        LeadWithoutIdError: A lead has no id.
    """
    try:
        return read_page(response.content)
    except NotAPageError:
        raise UnusableAnswerError(Answer.NO_PAGE, "the answer was no page of leads") from None


class IntercomStream(RESTStream[str | None]):
    """A stream whose items are the pages of Intercom's leads."""

    path = "/contacts/scroll"
    allow_redirects = False  # the access token would travel with them
    _LOG_REQUEST_METRICS = False  # a line a page; the progress says as much in one a half minute

    _sleep: Callable[[float], None] = staticmethod(time.sleep)

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
        session = requests.Session()
        # Session.send, which the SDK calls, does not look for REQUESTS_CA_BUNDLE by itself.
        found = session.merge_environment_settings(self.url_base, {}, None, None, None)
        session.verify = found["verify"]
        return session

    @override
    def request_decorator(self, func: Send) -> Send:
        """In place of the SDK's retries, which send a request again and so skip a page."""
        return repeating(
            self._answered(func),
            sleep=self._sleep,
            timeout=self.config["scroll_wait_timeout"],
            logger=self.logger,
        )

    def _answered(self, send: Send) -> Send:
        """Makes an answer of what goes wrong on the way; the library's texts hold addresses."""

        def answered(*args: Any) -> requests.Response:
            try:
                return send(*args)
            except requests.Timeout:
                why = f"no answer within {self.timeout} s"
            except (OSError, urllib3.exceptions.HTTPError) as error:
                if _is_certificate_error(error):
                    raise TapLeadsError(
                        "Intercom's certificate could not be verified. If a proxy of yours "
                        "inspects the traffic, name its certificates in REQUESTS_CA_BUNDLE."
                    ) from None
                why = f"the connection was lost ({type(error).__name__})"
            raise UnusableAnswerError(Answer.UNKNOWN_OUTCOME, why)

        return answered

    @override
    def validate_response(self, response: requests.Response) -> None:
        status = response.status_code
        if status == HTTPStatus.OK:
            return
        code = _error_code(response)
        what = f"HTTP {status}, {code}" if code else f"HTTP {status}"
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            raise UnusableAnswerError(
                Answer.RATE_LIMITED, f"too many requests ({what})", wait=_window_left(response)
            )
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise UnusableAnswerError(Answer.UNKNOWN_OUTCOME, f"Intercom failed ({what})")
        if status < HTTPStatus.MULTIPLE_CHOICES:
            raise UnusableAnswerError(Answer.NO_PAGE, f"the answer was no page of leads ({what})")
        if code == "scroll_exists":
            raise UnusableAnswerError(Answer.SCROLL_EXISTS, f"another scroll is open ({what})")
        if status == HTTPStatus.NOT_FOUND:
            raise UnusableAnswerError(Answer.NOT_FOUND, f"the scroll is gone ({what})")
        raise UnusableAnswerError(Answer.REFUSED, f"{self._refusal(status, code)} ({what}).")

    def _refusal(self, status: int, code: str) -> str:
        if status == HTTPStatus.UNAUTHORIZED:
            return (
                "Intercom refused the access token. Check that 'access_token' is complete, not "
                f"revoked, and of a workspace in the region '{self.config['region']}'"
            )
        if status == HTTPStatus.FORBIDDEN:
            return (
                "Intercom does not let this access token read leads. Give its app the permission "
                "to read users and companies, and check that the workspace's plan includes the API"
            )
        if code == "intercom_version_invalid":
            return (
                "Intercom has no scroll over leads in the API version asked for. Set 'api_version'"
                " to 1.4, or another of 1.0 to 1.4"
            )
        if status < HTTPStatus.BAD_REQUEST:
            return (
                "The address answered with a redirect, which is not followed, as the access token "
                "would travel with it. Check 'api_url' and 'region'"
            )
        return "Intercom did not accept the request. Check 'api_url' and 'api_version'"

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


def _error_code(response: requests.Response) -> str:
    """The first code of Intercom's error list; empty when the body is none."""
    try:
        code = msgspec.json.decode(response.content)["errors"][0]["code"]
    except (msgspec.DecodeError, UnicodeDecodeError, LookupError, TypeError, RecursionError):
        return ""
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""


def _window_left(response: requests.Response) -> float:
    """Seconds until the window of the rate limit ends, by Intercom's own clock.

    Where the headers are missing or make no sense, a whole window.
    """
    try:
        end = float(response.headers["X-RateLimit-Reset"])
        now = parsedate_to_datetime(response.headers["Date"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return RATE_WINDOW
    # Both are whole seconds: one more makes sure that the window is over.
    left = end - now + 1
    return left if 0 < left <= RATE_WINDOW + 1 else RATE_WINDOW


def _is_certificate_error(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        reason = getattr(error, "reason", None) or next(
            (part for part in error.args if isinstance(part, BaseException)), None
        )
        error = reason if isinstance(reason, BaseException) else None
    return False
