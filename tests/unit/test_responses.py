"""What each HTTP status and error code of Intercom means, and what the user is told."""

from __future__ import annotations

import json

import pytest
from support.cases import cases

from tap_leads.scroll.outcomes import LATER, Outcome
from tap_leads.scroll.reactions import Kind
from tap_leads.scroll.responses import ATTRIBUTES, COUNTS, LEADS, Subject, check, not_a_page
from tap_leads.scroll.transport import Response

HTML = {"Content-Type": "text/html; charset=utf-8"}


def errors(code: object, name: str = "code") -> bytes:
    """Intercom's list of errors, with one."""
    return json.dumps({"type": "error.list", "errors": [{name: code}]}).encode()


def outcome(
    status: int,
    body: bytes = b"<html>",
    headers: dict[str, str] | None = None,
    subject: Subject = LEADS,
) -> Outcome:
    """What a response means that is no page."""
    with pytest.raises(Outcome) as caught:
        check(Response(status, headers or {}, body), "eu", subject)
    return caught.value


ABOVE_410 = (*range(411, 418), 422, 426, 428, 431, 451)


@cases(
    (Kind.NOT_A_PAGE, (100, 201, 202, 204, 206, 299, 304)),
    (Kind.REFUSED, (300, 301, 303, 305, 399, 400, 401, 402, 403, 405, 406, 407, *ABOVE_410)),
    (Kind.NOT_FOUND, (404, 410)),
    (Kind.RATE_LIMITED, (429,)),
    # No certain refusal, so the page may have been served.
    (Kind.UNCLEAR, (408, 409, 418, 421, 423, 425, 427, 430, 432, 450, 452, 499, 500, 503, 599)),
)
def test_each_status_has_its_kind(kind: Kind, statuses: tuple[int, ...]) -> None:
    assert {status: outcome(status).kind for status in statuses} == dict.fromkeys(statuses, kind)


def test_a_response_with_status_200_may_be_a_page_whatever_it_holds() -> None:
    check(Response(200, {}, errors("scroll_exists")), "eu")


@cases(
    (301, "", "the response is a redirect, which is not followed", "'api_url' and 'region'"),
    (399, "", "the response is a redirect", "'api_url' and 'region'"),
    (400, "", "Intercom did not accept the request", "'api_url', 'api_version' and 'region'"),
    (400, "intercom_version_invalid", "no scroll over leads in the API version", "1.0 to 1.4"),
    (400, "scroll_exists", "another scroll is open in this workspace", "'scroll_wait_timeout'"),
    (500, "scroll_exists", "another scroll is open in this workspace", "'scroll_wait_timeout'"),
    (401, "", "Intercom refused the access token", "in the region 'eu'"),
    (403, "", "forbidden, but not by Intercom's API", "firewall or proxy"),
    (403, "forbidden", "let this access token read leads", "*Read and list users and comp"),
    (404, "", "Intercom did not find the scroll", "check 'api_version'"),
    (407, "", "the proxy wants a user name and a password", "HTTPS_PROXY"),
    (429, "", "Intercom's rate limit is used up", "'scroll_wait_timeout'"),
    (499, "", "Intercom did not serve the request", LATER),
    (500, "", "Intercom failed", LATER),
)
def test_the_user_is_told_what_happened_and_what_to_do(
    status: int, code: str, what: str, advice: str
) -> None:
    found = outcome(status, errors(code))
    assert what in found.what
    assert advice in found.advice
    assert found.what.endswith(f" (HTTP {status}, {code or 'no content type'})")


@cases(
    (COUNTS, 403, "read counts"),
    (COUNTS, 404, "did not find its counts"),
    (COUNTS, 204, "was not a count of leads"),
    (ATTRIBUTES, 403, "read attributes"),
    (ATTRIBUTES, 404, "did not find the attributes"),
    (ATTRIBUTES, 204, "was not definitions of attributes"),
)
def test_what_was_asked_for_is_named(subject: Subject, status: int, words: str) -> None:
    found = outcome(status, errors("some_code"), subject=subject)
    assert words in found.what
    permission = {"counts": "*Read counts*", "attributes": "*Read and list users and companies*"}
    assert status != 403 or permission[subject.name] in found.advice


LONGEST = "a" + 59 * "b"


@cases(
    code=(errors("server_error"), HTML, "server_error"),
    older_code=(errors("Server Error", "type"), HTML, "server_error"),
    longest_code=(errors(LONGEST), {}, LONGEST),
    too_long_a_code=(errors(LONGEST + "c"), {}, "no content type"),
    no_code=(errors("jane@example.com"), {}, "no content type"),
    code_a_number=(errors(5), HTML, "text/html"),
    no_errors=(b'{"errors": []}', HTML, "text/html"),
    errors_of_text=(b'{"errors": ["x"]}', HTML, "text/html"),
    no_object=(b"[]", HTML, "text/html"),
    too_deep=(b"[" * 100_000, HTML, "text/html"),
    blanks=(b"", {"Content-Type": " text/plain "}, "text/plain"),
    no_type=(b"", {"Content-Type": "jane@example.com"}, "no content type"),
    not_ascii=(b"", {"Content-Type": "text/hüsh"}, "no content type"),
    nothing=(b"", {}, "no content type"),
)
def test_of_a_response_only_its_code_or_its_media_type_is_named(
    body: bytes, headers: dict[str, str], details: str
) -> None:
    assert not_a_page(Response(200, headers, body)).what == (
        f"the response was not a page of leads (HTTP 200, {details})"
    )
    assert outcome(500, body, headers).what == f"Intercom failed (HTTP 500, {details})"


NOW = "Sun, 06 Nov 1994 08:49:37 GMT"
SECONDS = 784111777


@cases(
    within_the_window=(SECONDS + 3, NOW, 4.0),
    at_its_end=(SECONDS, NOW, 1.0),
    over=(SECONDS - 1, NOW, 10.0),
    a_whole_window=(SECONDS + 10, NOW, 11.0),
    more_than_a_window=(SECONDS + 11, NOW, 10.0),
    no_number=("soon", NOW, 10.0),
    infinite=("1e999", NOW, 10.0),
    no_reset=(None, NOW, 10.0),
    no_date=(SECONDS + 3, None, 10.0),
    bad_date=(SECONDS + 3, "today", 10.0),
    malformed_date=(SECONDS, "Fri, 31 Dec 99999 23:59:59 GMT", 10.0),
)
def test_the_rate_limit_is_waited_for_by_intercoms_clock(
    reset: object, date: str | None, wait: float
) -> None:
    given = {"X-RateLimit-Reset": reset, "Date": date}
    headers = {name: str(value) for name, value in given.items() if value is not None}
    assert outcome(429, headers=headers).wait == wait
    assert outcome(500, headers=headers).wait == 0.0
