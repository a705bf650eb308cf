"""Faults of a response: another one in its place.

They are of two sorts. A refusal comes before anything is served: the position of the scroll stays,
and its idle time continues. With `lost=True` the page is served and then lost: the position moves.
Intercom's document says of such errors that "it is not possible to continue from a specific point";
a client that continues skips a page.
"""

import json
import math
import time

from tap_leads.sandbox import intercom_errors
from tap_leads.sandbox.fault_kind import SCROLL, Argument, FaultKind, number, seconds
from tap_leads.sandbox.http_response import Response, ok, phrase

_HTML = "text/html"
_BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>\n"
_NOT_JSON = b"upstream connect error or disconnect/reset before headers\n"
_AN_HOUR = 3600.0
_MEGABYTE = 1 << 20
_LISTS = (SCROLL, "contacts")
_RATE_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
_NO_CONTENT, _RESET_CONTENT, _NOT_MODIFIED = 204, 205, 304


def _reset_in(seconds: float) -> dict[str, str | None]:
    return {
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(math.ceil(time.time() + seconds)),
    }


def _status(status: int) -> Response:
    name = phrase(status)
    if status < 200:  # noqa: PLR2004 - interim responses: no body, and the final one never comes
        headers = {"Content-Length": None, "Connection": "close"}
        return Response(status, headers=headers, then="close")
    if status in {_NO_CONTENT, _NOT_MODIFIED}:
        return Response(status, headers={"Content-Length": None})
    if status == _RESET_CONTENT:
        return Response(status)
    return intercom_errors.error(status, name.lower().replace(" ", "_").replace("'", ""), name)


def _redirect(megabytes: int) -> Response:
    block = b" " * _MEGABYTE
    return Response(
        302,
        headers={"Location": "/moved", "Content-Length": str(megabytes * _MEGABYTE)},
        # In pieces, so that the sandbox itself needs no memory for a huge body.
        pieces=lambda head, _: (head, *(block,) * megabytes),
    )


def _false_end() -> Response:
    body = json.loads(intercom_errors.error(200, "server_error", "Internal error").body)
    return ok({**body, "contacts": []})


RESPONSE_FAULTS = {
    # Refused: nothing is served.
    "429": FaultKind(
        "rate limit exceeded; Reset is SECONDS ahead",
        seconds(1.0),
        instead=lambda time: intercom_errors.rate_limit_exceeded(_reset_in(time)),
    ),
    "429-bare": FaultKind(
        "429 without any X-RateLimit header",
        instead=lambda _: intercom_errors.rate_limit_exceeded(dict.fromkeys(_RATE_HEADERS)),
    ),
    "429-skewed": FaultKind(
        "429 whose Reset lies an hour in the past",
        instead=lambda _: intercom_errors.rate_limit_exceeded(_reset_in(-_AN_HOUR)),
    ),
    "401": FaultKind("401 unauthorized", instead=lambda _: intercom_errors.unauthorized()),
    "403": FaultKind("403 forbidden", instead=lambda _: intercom_errors.forbidden()),
    "404": FaultKind("404, as for a wrong path", instead=lambda _: intercom_errors.no_such_path()),
    "version": FaultKind(
        "400 intercom_version_invalid", instead=lambda _: intercom_errors.version_invalid()
    ),
    "302": FaultKind(
        "redirects to another path, with a body of N megabytes", number("N", 0), instead=_redirect
    ),
    # Served, then lost on the way.
    "restart": FaultKind(
        "500 asks to restart the scroll; the page is gone",
        instead=lambda _: intercom_errors.restart(),
        lost=True,
    ),
    "status": FaultKind(
        "responds with STATUS (100 to 599) and an error.list; the page is gone",
        Argument("STATUS", "[1-5][0-9][0-9]", int, required=True),
        instead=_status,
        lost=True,
    ),
    "html502": FaultKind(
        "502 with an HTML body; the page is gone",
        instead=lambda _: Response(502, _BAD_GATEWAY, _HTML),
        lost=True,
    ),
    "503": FaultKind(
        "503 with an empty body; the page is gone",
        instead=lambda _: Response(503, content_type="text/plain"),
        lost=True,
    ),
    "nojson": FaultKind(
        "200 with text that is no JSON; the page is gone",
        instead=lambda _: Response(200, _NOT_JSON),
        lost=True,
    ),
    "empty-body": FaultKind(
        "200 with zero bytes; the page is gone", instead=lambda _: Response(200), lost=True
    ),
    "body": FaultKind(
        "200 with TEXT as its body; the page is gone",
        Argument("TEXT", ".*", required=True),
        instead=lambda text: Response(200, text.encode()),
        lost=True,
    ),
    "false-end": FaultKind(
        "200 with an error.list that has an empty `contacts` too; the page is gone",
        paths=_LISTS,
        instead=lambda _: _false_end(),
        lost=True,
    ),
}
