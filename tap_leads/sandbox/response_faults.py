"""Faults that give another response in place of the real one.

There are two sorts. With `_refused` nothing is served: the position of the scroll stays, and its
idle time continues. With `_lost` the page is served and then lost: the position moves.
Intercom's document says of such errors that "it is not possible to continue from a specific point";
a client that continues skips a page.
"""

import json
import math
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from tap_leads.sandbox import intercom_errors
from tap_leads.sandbox.fault_kind import LISTS, PATHS, Argument, FaultKind, number, seconds
from tap_leads.sandbox.http_response import Response, ok, phrase

_BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>\n"
_NOT_JSON = b"upstream connect error or disconnect/reset before headers\n"
_AN_HOUR = 3600.0
_MEGABYTE = 1 << 20
_RATE_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
_NO_CONTENT, _RESET_CONTENT, _NOT_MODIFIED = 204, 205, 304


def _refused(what: str, response: Callable[[], Response]) -> FaultKind:
    return FaultKind(what, instead=lambda _: response())


def _lost(
    what: str,
    response: Callable[[Any], Response],
    argument: Argument | None = None,
    paths: Collection[str] = PATHS,
) -> FaultKind:
    return FaultKind(f"{what}; the page is gone", argument, paths, instead=response, lost=True)


def _rate_limit(reset_in: float) -> Response:
    reset = str(math.ceil(time.time() + reset_in))
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    return replace(intercom_errors.rate_limit_exceeded(), headers=headers)


def _bare_rate_limit() -> Response:
    return replace(intercom_errors.rate_limit_exceeded(), headers=dict.fromkeys(_RATE_HEADERS))


def _redirect(megabytes: int) -> Response:
    block = b" " * _MEGABYTE
    return Response(
        302,
        headers={"Location": "/moved", "Content-Length": str(megabytes * _MEGABYTE)},
        # In pieces, so that the sandbox itself needs no memory for a huge body.
        pieces=lambda head, _: (head, *(block,) * megabytes),
    )


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


def _false_end(_: None) -> Response:
    body = json.loads(intercom_errors.error(200, "server_error", "Internal error").body)
    return ok({**body, "contacts": []})


RESPONSE_FAULTS = {
    "429": FaultKind(
        "rate limit exceeded; Reset is SECONDS ahead", seconds(1.0), instead=_rate_limit
    ),
    "429-bare": _refused("429 without any X-RateLimit header", _bare_rate_limit),
    "429-skewed": _refused(
        "429 whose Reset lies an hour in the past", lambda: _rate_limit(-_AN_HOUR)
    ),
    "401": _refused("401 unauthorized", intercom_errors.unauthorized),
    "403": _refused("403 forbidden", intercom_errors.forbidden),
    "404": _refused("404, as for a wrong path", intercom_errors.no_such_path),
    "version": _refused("400 intercom_version_invalid", intercom_errors.version_invalid),
    "302": FaultKind(
        "redirects to another path, with a body of N megabytes", number("N", 0), instead=_redirect
    ),
    "restart": _lost("500 asks to restart the scroll", lambda _: intercom_errors.restart()),
    "status": _lost(
        "responds with STATUS (100 to 599) and an error.list",
        _status,
        Argument("STATUS", "[1-5][0-9][0-9]", int, required=True),
    ),
    "html502": _lost("502 with an HTML body", lambda _: Response(502, _BAD_GATEWAY, "text/html")),
    "503": _lost("503 with an empty body", lambda _: Response(503, content_type="text/plain")),
    "nojson": _lost("200 with text that is no JSON", lambda _: Response(200, _NOT_JSON)),
    "empty-body": _lost("200 with zero bytes", lambda _: Response(200)),
    "body": _lost(
        "200 with TEXT as its body",
        lambda text: Response(200, text.encode()),
        Argument("TEXT", ".*", required=True),
    ),
    "false-end": _lost(
        "200 with an error.list that has an empty `contacts` too", _false_end, paths=LISTS
    ),
}
