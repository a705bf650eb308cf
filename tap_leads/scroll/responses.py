"""What a response, or an error of the HTTP library in its place, means: its kind.

This module sorts; what follows from a kind stands in `reactions`, what is said in `explanations`.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from socket import gaierror

import msgspec
import requests
import urllib3.exceptions

from tap_leads.scroll import explanations
from tap_leads.scroll.explanations import Explanation
from tap_leads.scroll.reactions import Kind
from tap_leads.scroll.session import BodyTooLargeError

RATE_WINDOW = 10.0
"""Seconds of a window of the rate limit (Intercom's page "Rate limiting")."""

_REFUSED = frozenset({400, 401, 402, 403, 405, 406, 407, *range(411, 418), 422, 426, 428, 431, 451})
"""The statuses of 4xx that say for certain that a repetition brings the same.

All others (408, 409, 421, 425, 499 …) leave open whether the page was served.
"""

_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_CODE = re.compile(r"[a-z0-9_.]{1,60}", re.ASCII)
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,40}/[\w.+-]{1,60}", re.ASCII)
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})\b")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a request to the scroll brought.

    Attributes:
        kind: The row of the table.
        explanation: What happened, and what the user can do.
        wait: For `Kind.RATE_LIMITED`, the seconds until Intercom's window ends.
        body: For `Kind.LEADS`, the page without the leads that were passed on before.
    """

    kind: Kind
    explanation: Explanation
    wait: float = 0.0
    body: bytes = b""


LEAD_WITHOUT_ID = Outcome(Kind.LEAD_WITHOUT_ID, explanations.LEAD_WITHOUT_ID)
"""The outcome of a page with a lead that has no id."""


class NoPageError(Exception):
    """A request brought no page; the outcome says what it brought instead."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.explanation.what)
        self.outcome = outcome


def kind_of(status: int, code: str) -> Kind | None:
    """The kind of a response, by its status and the code of its error; None if it may be a page."""
    if code == "scroll_exists":
        return Kind.SCROLL_EXISTS
    if status == HTTPStatus.OK:
        return None
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Kind.RATE_LIMITED
    if status in _GONE:
        return Kind.NOT_FOUND
    if status in _REFUSED or (
        HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
        and status != HTTPStatus.NOT_MODIFIED
    ):
        return Kind.REFUSED
    if status < HTTPStatus.BAD_REQUEST:
        return Kind.NOT_A_PAGE
    return Kind.UNCLEAR


def check(response: requests.Response, region: str) -> None:
    """Lets a response pass that may be a page.

    Args:
        response: The response, its body read.
        region: The region that was asked, for the advice.

    Raises:
        NoPageError: It is certainly not a page.
    """
    ok = response.status_code == HTTPStatus.OK
    kind = kind_of(response.status_code, "" if ok else _error_code(response.content))
    if kind is not None:
        raise NoPageError(_of_response(response, kind, region))


def not_a_page(response: requests.Response, region: str) -> Outcome:
    """The outcome of a response that turned out not to be a page."""
    return _of_response(response, Kind.NOT_A_PAGE, region)


def _of_response(response: requests.Response, kind: Kind, region: str) -> Outcome:
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
    explanation = explanations.response(
        kind,
        response.status_code,
        _error_code(response.content),
        media_type if _MEDIA_TYPE.fullmatch(media_type) else "",
        region,
    )
    wait = _window_left(response) if kind is Kind.RATE_LIMITED else 0.0
    return Outcome(kind, explanation, wait)


def of_error(error: Exception, host: str, *, sent: bool) -> Outcome:
    """The outcome of an error in place of a response.

    Args:
        error: What an HTTP library raised; its text may hold addresses and headers.
        host: The host that was asked.
        sent: Whether any part of the request may have been sent.
    """
    if isinstance(error, BodyTooLargeError):
        return Outcome(Kind.NOT_A_PAGE, explanations.TOO_LARGE)
    causes = list(_causes(error))
    if not sent:
        if (blocked := _blocked(causes, host)) is not None:
            return Outcome(Kind.MISCONFIGURED, blocked)
        return Outcome(Kind.UNREACHABLE, explanations.unreachable(host, _reason(causes)))
    if any(isinstance(cause, TimeoutError | requests.Timeout) for cause in causes):
        return Outcome(Kind.UNCLEAR, explanations.TOO_LATE)
    lost = isinstance(error, OSError | urllib3.exceptions.HTTPError)  # requests' are OSErrors
    return Outcome(Kind.UNCLEAR, explanations.incomplete(type(error).__name__, lost=lost))


def _blocked(causes: list[BaseException], host: str) -> Explanation | None:
    """What of this machine's configuration keeps a request from being sent, if anything does."""
    for cause in causes:
        match cause:
            case ssl.SSLCertVerificationError():
                return explanations.CERTIFICATE
            case UnicodeEncodeError():  # all other headers are plain ASCII, as the settings are
                return explanations.PROXY_PASSWORD
            case requests.exceptions.InvalidSchema() if "SOCKS" in str(cause):
                return explanations.SOCKS
            case requests.exceptions.InvalidProxyURL() | urllib3.exceptions.ProxySchemeUnknown():
                return explanations.PROXY_ADDRESS
            case OSError() if tunnel := _TUNNEL.search(str(cause)):
                status = int(tunnel[1])
                # A proxy's 5xx says that it could not reach the host: that may pass.
                if status < HTTPStatus.INTERNAL_SERVER_ERROR:
                    return explanations.proxy_blocks(host, status)
            case _ if _is_certificate_file(cause):
                return explanations.CERTIFICATE_FILE
    if any(isinstance(cause, ValueError) for cause in causes):
        return explanations.ADDRESS
    return None


def _is_certificate_file(cause: BaseException) -> bool:
    """Whether the configured certificates are missing, or are none."""
    if isinstance(cause, ssl.SSLError):
        return "NO_CERTIFICATE_OR_CRL_FOUND" in str(cause) or "PEM lib" in str(cause)
    return isinstance(cause, OSError) and "CA certificate bundle" in str(cause)


def _reason(causes: list[BaseException]) -> str:
    """Why a request could not be sent, in a few words and without its address."""
    proxy = any(isinstance(cause, urllib3.exceptions.ProxyError) for cause in causes)
    place = "the proxy: " if proxy else ""
    for cause in causes:
        match cause:
            case gaierror() | urllib3.exceptions.NameResolutionError():
                return f"{place}the name was not found"
            case ConnectionRefusedError():
                return f"{place}the connection was refused"
            case TimeoutError() | requests.ConnectTimeout():
                return f"{place}no connection within the time limit"
            case ssl.SSLError():
                return f"{place}TLS could not be set up"
            case OSError(errno=int(), strerror=str(text)):
                return f"{place}{text[0].lower()}{text[1:]}"
    return f"{place}no connection ({type(causes[0]).__name__})"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and those behind it; the libraries wrap them in several ways."""
    left: list[object] = [error]
    seen: set[int] = set()
    while left:
        found = left.pop(0)
        if isinstance(found, BaseException) and id(found) not in seen:
            seen.add(id(found))
            yield found
            inner = (getattr(found, "reason", None), found.__cause__, found.__context__)
            left += [*found.args, *inner]


def _error_code(body: bytes) -> str:
    """The first code of Intercom's error list; empty when the body is none.

    Older bodies name it `type`, and some write it in capitals and with blanks.
    """
    try:
        first = msgspec.json.decode(body)["errors"][0]
        code = first.get("code") or first.get("type")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return ""
    code = code.lower().replace(" ", "_") if isinstance(code, str) else ""
    return code if _CODE.fullmatch(code) else ""


def _window_left(response: requests.Response) -> float:
    """Seconds until the window of the rate limit ends, by Intercom's own clock.

    Where the headers are missing or make no sense, a whole window.
    """
    try:
        end = float(response.headers["X-RateLimit-Reset"])
        now = parsedate_to_datetime(response.headers["Date"]).timestamp()
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return RATE_WINDOW
    # Both are whole seconds: one more makes sure that the window is over.
    left = end - now + 1
    return left if 0 < left <= RATE_WINDOW + 1 else RATE_WINDOW
