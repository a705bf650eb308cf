"""Faults that change a response, real or not: its body, and how it is sent."""

import gzip
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal

from tap_leads.sandbox.fault_kind import LISTS, PATHS, Argument, FaultKind
from tap_leads.sandbox.http_response import Pieces, Response

_BLOCKED = b"<html><head><title>Blocked</title></head><body>Ask your network team.</body></html>\n"
_COUNTING = ("counts", "contacts")  # the paths that tell how many leads there are
_PATHS_WITH = {"contacts": LISTS, "limited": ("contacts",), "errors": PATHS}  # by JSON member
_COUNT = re.compile(rb'(?<="lead":\{"count":)-?\d+|(?<="total_count":)-?\d+')
_LONG = 1000  # digits
_BLOCK = 16  # megabytes of the gzip bomb that are compressed at once


def _in_json(what: str, member: str, change: Callable[[dict[str, Any]], object]) -> FaultKind:
    """Make a kind that changes the JSON bodies that have a member."""

    def changed(response: Response, _: None) -> Response:
        try:
            body = json.loads(response.body)
        except ValueError:
            return response
        if not isinstance(body, dict) or member not in body:
            return response
        change(body)
        return replace(response, body=json.dumps(body, separators=(",", ":")).encode(), leads=0)

    return FaultKind(what, paths=_PATHS_WITH[member], change=changed)


def _rename_code(body: dict[str, Any]) -> None:
    for error in body["errors"]:
        error["type"] = error.pop("code", None)


def _spell_out_code(body: dict[str, Any]) -> None:
    for error in body["errors"]:
        for key in {"code", "type"} & error.keys():
            error[key] = error[key].replace("_", " ").title()


def _shift_count(response: Response, by: int) -> Response:
    def shifted(count: re.Match[bytes]) -> bytes:
        # `number` can write thousands of digits, which Python refuses to convert.
        return b"%d" % max(0, int(count[0]) + by) if len(count[0]) < _LONG else count[0]

    return replace(response, body=_COUNT.sub(shifted, response.body))


BODY_FAULTS: dict[str, FaultKind] = {
    "number": FaultKind(
        "the response counts N leads; N may have thousands of digits",
        Argument("N", r"-?(0|[1-9]\d*)", str.encode, required=True),
        _COUNTING,
        change=lambda response, n: replace(response, body=_COUNT.sub(n, response.body)),
    ),
    "off": FaultKind(
        "the response counts N leads more than there are; N may be negative",
        Argument("N", r"[+-]?\d{1,9}", int, required=True),
        _COUNTING,
        change=_shift_count,
    ),
    "limited": _in_json(
        "`limited` is true, with few leads too", "limited", lambda body: body.update(limited=True)
    ),
    "nolist": _in_json(
        "no `contacts`; the page is gone", "contacts", lambda body: body.pop("contacts")
    ),
    "null-list": _in_json(
        "`contacts` is null; the page is gone", "contacts", lambda body: body.update(contacts=None)
    ),
    "wrong-key": _in_json(
        "the leads are in `data` in place of `contacts`; the page is gone",
        "contacts",
        lambda body: body.update(data=body.pop("contacts")),
    ),
    "bom": FaultKind(
        "a byte order mark before the body",
        change=lambda response, _: replace(response, body=b"\xef\xbb\xbf" + response.body),
    ),
    "html": FaultKind(
        "a firewall's HTML page as the body; the status stays, so combine it with status or 403. "
        "Alone it has the status 200, and the page is gone",
        change=lambda response, _: replace(
            response, body=_BLOCKED, content_type="text/html", leads=0
        ),
    ),
    "old-errors": _in_json(
        "errors have a `type` in place of a `code`, as in older versions", "errors", _rename_code
    ),
    "spelled-out": _in_json(
        "error codes are like Request Timeout, not request_timeout", "errors", _spell_out_code
    ),
}


def _with(response: Response, headers: Mapping[str, str | None], **changes: Any) -> Response:
    """Replace headers and other parts of a response."""
    return replace(response, headers={**response.headers, **headers}, **changes)


def _redirect(response: Response, location: str) -> Response:
    return _with(response, {"Location": location}, status=302, body=b"", leads=0)


def _bad_chunk(response: Response) -> Response:
    headers = {"Content-Length": None, "Transfer-Encoding": "chunked"}
    body = b"-5\r\n" + response.body + b"\r\n0\r\n\r\n"
    return _with(response, headers, body=body, leads=0, then="close")


def _bad_header(head: bytes, body: bytes) -> Iterable[bytes]:
    return (head[:-2] + b"a header line without a colon\r\n\r\n" + body,)


# WHAT -> how the response becomes malformed.
_MALFORMED: dict[str, Callable[[Response], Response]] = {
    "header": lambda response: replace(response, pieces=_bad_header),
    "location": lambda response: _redirect(response, "http://[::1"),
    # Sent as Latin-1, so it is no UTF-8.
    "location-bytes": lambda response: _redirect(response, "http://127.0.0.1/\xff\xfe"),
    "chunk": _bad_chunk,
    "length": lambda response: _with(response, {"Content-Length": "many"}, then="close"),
    "status-line": lambda response: replace(
        response, pieces=lambda *_: (b"HTTP/1.1 2",), leads=0, then="close"
    ),
    "date": lambda response: _with(response, {"Date": "Fri, 31 Dec 99999 23:59:59 GMT"}),
    "reset": lambda response: _with(response, {"X-RateLimit-Reset": "9" * 30}),
}


def _bomb(response: Response, megabytes: int) -> Response:
    # Several gzip members in a row are one stream (RFC 1952), and JSON may end in blanks.
    blanks = gzip.compress(b" " * (_BLOCK << 20)) * -(-megabytes // _BLOCK)
    body = gzip.compress(response.body) + blanks
    return _with(response, {"Content-Encoding": "gzip"}, body=body)


def _bytewise(data: bytes) -> Iterable[bytes]:
    return (data[at : at + 1] for at in range(len(data)))


def _slowly(pieces: Pieces) -> Callable[[Response, float], Response]:
    return lambda response, seconds: replace(response, pieces=pieces, pause=seconds)


def _no_response(then: Literal["close", "reset"], delay: float = 0.0) -> Response:
    return Response(0, pieces=lambda *_: (), then=then, delay=delay)


def _half(head: bytes, body: bytes) -> Iterable[bytes]:
    return (head + body[: len(body) // 2],)


TRANSPORT_FAULTS: dict[str, FaultKind] = {
    "reset": FaultKind(
        "the connection is reset before the request is read",
        before=lambda *_: _no_response("reset"),
    ),
    "lost": FaultKind(
        "the connection is closed without a response; the page is gone",
        before=lambda *_: _no_response("close"),
        lost=True,
    ),
    "hang": FaultKind(
        "no response for SECONDS, then the connection is closed; the page is gone",
        Argument.seconds(3600),
        before=lambda _, seconds: _no_response("close", seconds),
        lost=True,
    ),
    "slow": FaultKind(
        "the right response, after SECONDS",
        Argument.seconds(1),
        change=lambda response, seconds: replace(response, delay=response.delay + seconds),
    ),
    "cut": FaultKind(
        "half of the body, then the connection is closed; the page is gone",
        change=lambda response, _: replace(response, pieces=_half, leads=0, then="close"),
    ),
    "drip": FaultKind(
        "one byte of the body every SECONDS",
        Argument.seconds(0.5),
        change=_slowly(lambda head, body: (head + body[:1], *_bytewise(body[1:]))),
    ),
    "drip-head": FaultKind(
        "one byte of the status line and headers every SECONDS",
        Argument.seconds(0.5),
        change=_slowly(lambda head, body: (*_bytewise(head), body)),
    ),
    "bomb": FaultKind(
        "a small gzip body that unpacks to the page and N megabytes of blanks",
        Argument.number("N", 800),
        change=_bomb,
    ),
    "malformed": FaultKind(
        f"malformed HTTP; WHAT is one of {', '.join(_MALFORMED)}. `location` is a 302; combine "
        "`date` (year 99999) and `reset` (30 digits) with a 429",
        Argument("WHAT", "|".join(_MALFORMED), required=True),
        change=lambda response, what: _MALFORMED[what](response),
    ),
}
