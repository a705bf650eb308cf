"""Explains responses that do not contain what the tap asked for."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import NamedTuple

import msgspec

from tap_leads.scroll.outcomes import LATER, PROXY_REFUSED, Explanation, Outcome
from tap_leads.scroll.reactions import Kind
from tap_leads.scroll.transport import Response

RATE_WINDOW = 10.0
"""Seconds of a window of the rate limit (Intercom's page "Rate limiting")."""

_REFUSED = frozenset({400, 401, 402, 403, 405, 406, 407, *range(411, 418), 422, 426, 428, 431, 451})
"""The 4xx statuses after which a retry cannot help.

All others (408, 409, 421, 425, 499 …) leave open whether Intercom served the page.
"""

_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_CODE = re.compile(r"[a-z][a-z0-9_]{0,59}", re.ASCII)
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,40}/[\w.+-]{1,60}", re.ASCII)


class Subject(NamedTuple):
    """What a request asks for, in the words of the messages.

    Attributes:
        name: What the app reads.
        place: The address of the request.
        content: What a response contains.
        permission: Intercom's name of the permission that the app needs.
    """

    name: str
    place: str
    content: str
    permission: str


_PEOPLE = "Read and list users and companies"
LEADS = Subject("leads", "the scroll", "a page of leads", _PEOPLE)
COUNTS = Subject("counts", "its counts", "a count of leads", "Read counts")
ATTRIBUTES = Subject("attributes", "the attributes", "definitions of attributes", _PEOPLE)


def not_a_page(response: Response, subject: Subject = LEADS) -> Outcome:
    """The outcome of a response that does not contain what the tap asked for."""
    what = f"the response was not {subject.content} ({_details(response)})"
    return Outcome(Kind.NOT_A_PAGE, what)


def check(response: Response, region: str, subject: Subject = LEADS) -> None:
    """Raises an outcome if a response cannot contain what the tap asked for.

    Args:
        response: The response, its body read.
        region: The setting of the same name, for advice.
        subject: What the tap asked for.

    Raises:
        Outcome: The response is something else.
    """
    status = response.status
    code = "" if status == HTTPStatus.OK else _error_code(response.body)
    kind = kind_of(status, code)
    if kind is None:
        return
    if kind is Kind.NOT_A_PAGE:
        raise not_a_page(response, subject)
    what, advice = _explanation(kind, status, code, region, subject)
    wait = _window_left(response) if kind is Kind.RATE_LIMITED else 0.0
    raise Outcome(kind, f"{what} ({_details(response)})", advice, wait)


def kind_of(status: int, code: str) -> Kind | None:
    """The kind of a response, by its status and its error code; None if it may be a page."""
    if code == "scroll_exists":
        return Kind.SCROLL_EXISTS
    if status == HTTPStatus.OK:
        return None
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Kind.RATE_LIMITED
    if status in _GONE:
        return Kind.NOT_FOUND
    is_redirect = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
    if status in _REFUSED or (is_redirect and status != HTTPStatus.NOT_MODIFIED):
        return Kind.REFUSED
    return Kind.NOT_A_PAGE if status < HTTPStatus.BAD_REQUEST else Kind.UNCLEAR


def _explanation(kind: Kind, status: int, code: str, region: str, subject: Subject) -> Explanation:
    """What happened, and what the user can do."""
    match kind:
        case Kind.SCROLL_EXISTS:
            return Explanation(
                "another scroll is open in this workspace, and there can be only one",
                "Find out what else reads this workspace's leads by scroll (another sync, another "
                "extractor), or raise 'scroll_wait_timeout'",
            )
        case Kind.RATE_LIMITED:
            return Explanation(
                "Intercom's rate limit is used up",
                "Find out what else uses the app's access token, or raise 'scroll_wait_timeout'",
            )
        case Kind.NOT_FOUND:
            return Explanation(
                f"Intercom did not find {subject.place}",
                "The scroll over leads is in the API 1.0 to 1.4 only: check 'api_version', and "
                "'api_url' if it is set",
            )
        case Kind.REFUSED:
            return _refusal(status, code, region, subject)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Explanation("Intercom failed", LATER)
    return Explanation("Intercom did not serve the request", LATER)


def _refusal(status: int, code: str, region: str, subject: Subject) -> Explanation:
    if status == HTTPStatus.UNAUTHORIZED:
        return Explanation(
            "Intercom refused the access token",
            "Check that 'access_token' is complete, not revoked, and of a workspace in the region "
            f"'{region}'",
        )
    if status == HTTPStatus.FORBIDDEN and code:
        return Explanation(
            f"Intercom does not let this access token read {subject.name}",
            f"Give its app the permission *{subject.permission}*, and check that the workspace's "
            "plan includes the API",
        )
    if status == HTTPStatus.FORBIDDEN:
        return Explanation(
            "the request was forbidden, but not by Intercom's API",
            "Check that no firewall or proxy on the way blocks it",
        )
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return PROXY_REFUSED
    if code == "intercom_version_invalid":
        return Explanation(
            "Intercom has no scroll over leads in the API version asked for",
            "Set 'api_version' to 1.4, or another of 1.0 to 1.4",
        )
    if status < HTTPStatus.BAD_REQUEST:
        return Explanation(
            "the response is a redirect, which is not followed, as the access token would be sent "
            "with it",
            "Check 'api_url' and 'region'",
        )
    return Explanation(
        "Intercom did not accept the request", "Check 'api_url', 'api_version' and 'region'"
    )


def _details(response: Response) -> str:
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
    name = _error_code(response.body)
    name = name or (media_type if _MEDIA_TYPE.fullmatch(media_type) else "no content type")
    return f"HTTP {response.status}, {name}"


def _error_code(body: bytes) -> str:
    """The first code of Intercom's error list; empty if the body is no such list.

    Older bodies have the code in `type`. Some codes have capitals and spaces.
    """
    try:
        first = msgspec.json.decode(body)["errors"][0]
        code = first.get("code") or first.get("type")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return ""
    code = code.lower().replace(" ", "_") if isinstance(code, str) else ""
    return code if _CODE.fullmatch(code) else ""


def _window_left(response: Response) -> float:
    """Seconds until the window of the rate limit ends, by Intercom's clock.

    If the headers are missing or make no sense, it is a whole window.
    """
    try:
        reset = float(response.headers["X-RateLimit-Reset"])
        now = parsedate_to_datetime(response.headers["Date"]).timestamp()
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return RATE_WINDOW
    # Both times are whole seconds. One more second makes sure that the window is over.
    left = reset - now + 1
    return left if 0 < left <= RATE_WINDOW + 1 else RATE_WINDOW
