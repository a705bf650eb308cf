"""What an answer of Intercom means, and what is said of it.

Nothing of an answer's text is ever said: it may hold names and addresses. Of an error, its code is.
"""

from __future__ import annotations

import re
import ssl
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http import HTTPStatus

import msgspec
import requests

from tap_leads import TapLeadsError
from tap_leads.records.pages import NotAPageError, Page, read_page
from tap_leads.scroll.reactions import Answer


class UnusableAnswerError(Exception):
    """What came back brings no page of leads.

    Attributes:
        answer: What kind of answer it was.
        wait: For `Answer.RATE_LIMITED`, the seconds until Intercom's window ends.
    """

    def __init__(self, answer: Answer, message: str, *, wait: float = 0.0) -> None:
        super().__init__(message)
        self.answer = answer
        self.wait = wait


RATE_WINDOW = 10.0
"""Seconds of a window of the rate limit (Intercom's page "Rate limiting")."""

_CODE = re.compile(r"[a-z0-9_]{1,60}", re.ASCII)


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


def check(response: requests.Response, region: str) -> None:
    """Lets an answer pass that may bring a page.

    Args:
        response: The answer.
        region: The region that was asked, for the advice.

    Raises:
        UnusableAnswerError: It brings none.
    """
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
        raise UnusableAnswerError(Answer.NOT_FOUND, f"Intercom did not find the scroll ({what})")
    raise UnusableAnswerError(Answer.REFUSED, f"{_refusal(status, code, region)} ({what}).")


def outcome_unknown(error: Exception, timeout: float) -> UnusableAnswerError:
    """What to make of an answer that did not arrive.

    Args:
        error: What the HTTP library raised; its text holds addresses.
        timeout: Seconds that the library waited.

    Raises:
        TapLeadsError: The server is not who it says it is.
    """
    if _is_certificate_error(error):
        raise TapLeadsError(
            "Intercom's certificate could not be verified. If a proxy of yours inspects the "
            "traffic, name its certificates in REQUESTS_CA_BUNDLE."
        )
    if isinstance(error, requests.Timeout):
        return UnusableAnswerError(Answer.UNKNOWN_OUTCOME, f"no answer within {timeout:.0f} s")
    return UnusableAnswerError(
        Answer.UNKNOWN_OUTCOME, f"the connection was lost ({type(error).__name__})"
    )


def _refusal(status: int, code: str, region: str) -> str:
    if status == HTTPStatus.UNAUTHORIZED:
        return (
            "Intercom refused the access token. Check that 'access_token' is complete, not "
            f"revoked, and of a workspace in the region '{region}'"
        )
    if status == HTTPStatus.FORBIDDEN:
        return (
            "Intercom does not let this access token read leads. Give its app the permission to "
            "read users and companies, and check that the workspace's plan includes the API"
        )
    if code == "intercom_version_invalid":
        return (
            "Intercom has no scroll over leads in the API version asked for. Set 'api_version' to "
            "1.4, or another of 1.0 to 1.4"
        )
    if status < HTTPStatus.BAD_REQUEST:
        return (
            "The address answered with a redirect, which is not followed, as the access token "
            "would travel with it. Check 'api_url' and 'region'"
        )
    return "Intercom did not accept the request. Check 'api_url' and 'api_version'"


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
    """Whether a certificate is behind an error; the libraries wrap it several times."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        inner = [getattr(error, "reason", None), *error.args]
        error = next((part for part in inner if isinstance(part, BaseException)), None)
    return False
