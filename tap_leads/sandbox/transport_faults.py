"""Faults on the way of a response: connections, speed, compression and malformed HTTP."""

import functools
import gzip
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Literal

from tap_leads.sandbox.fault_kind import Argument, FaultKind, number, seconds
from tap_leads.sandbox.http_response import Response, half, nothing

_BLOCK = 16  # megabytes of the gzip bomb that are compressed at once


def _one_by_one(data: bytes) -> Iterable[bytes]:
    return (data[at : at + 1] for at in range(len(data)))


def _drip_body(head: bytes, body: bytes) -> Iterable[bytes]:
    yield head + body[:1]
    yield from _one_by_one(body[1:])


def _drip_head(head: bytes, body: bytes) -> Iterable[bytes]:
    yield from _one_by_one(head)
    yield body


@functools.cache
def _compressed_blanks() -> bytes:
    return gzip.compress(b" " * (_BLOCK << 20))


def _bomb(response: Response, megabytes: int) -> Response:
    # Several gzip members in a row are one stream (RFC 1952), and JSON may end in blanks.
    body = gzip.compress(response.body) + _compressed_blanks() * -(-megabytes // _BLOCK)
    return replace(_with_headers(response, {"Content-Encoding": "gzip"}), body=body)


def _with_headers(response: Response, headers: Mapping[str, str | None]) -> Response:
    return replace(response, headers={**response.headers, **headers})


def _redirect(location: str) -> Callable[[Response], Response]:
    return lambda response: replace(
        _with_headers(response, {"Location": location}), status=302, body=b"", leads=0
    )


def _bad_chunk(response: Response) -> Response:
    headers = {"Content-Length": None, "Transfer-Encoding": "chunked"}
    body = b"-5\r\n" + response.body + b"\r\n0\r\n\r\n"
    return replace(_with_headers(response, headers), body=body, leads=0, then="close")


def _bad_header(head: bytes, body: bytes) -> Iterable[bytes]:
    return (head[:-2] + b"a header line without a colon\r\n\r\n" + body,)


def _bad_status_line(_head: bytes, _body: bytes) -> Iterable[bytes]:
    return (b"HTTP/1.1 2",)


_MALFORMED: dict[str, Callable[[Response], Response]] = {
    "header": lambda response: replace(response, pieces=_bad_header),
    "location": _redirect("http://[::1"),
    "location-bytes": _redirect("http://127.0.0.1/\xff\xfe"),  # sent as Latin-1, so no UTF-8
    "chunk": _bad_chunk,
    "length": lambda response: replace(
        _with_headers(response, {"Content-Length": "many"}), then="close"
    ),
    "status-line": lambda response: replace(
        response, pieces=_bad_status_line, leads=0, then="close"
    ),
    "date": lambda response: _with_headers(response, {"Date": "Fri, 31 Dec 99999 23:59:59 GMT"}),
    "reset": lambda response: _with_headers(response, {"X-RateLimit-Reset": "9" * 30}),
}


def _unanswered(then: Literal["close", "reset"], delay: float = 0.0) -> Response:
    return Response(0, pieces=nothing, then=then, delay=delay)


TRANSPORT_FAULTS = {
    "reset": FaultKind(
        "connection reset before anything happened", instead=lambda _: _unanswered("reset")
    ),
    "lost": FaultKind(
        "the page is gone: connection closed without a response",
        instead=lambda _: _unanswered("close"),
        lost=True,
    ),
    "hang": FaultKind(
        "the page is gone: no response for SECONDS, then closed",
        seconds(3600.0),
        instead=lambda time: _unanswered("close", time),
        lost=True,
    ),
    "slow": FaultKind(
        "responds well, but after SECONDS",
        seconds(1.0),
        change=lambda response, time: replace(response, delay=response.delay + time),
    ),
    "cut": FaultKind(
        "the page is gone: half of the body is sent, then closed",
        change=lambda response, _: replace(response, pieces=half, leads=0, then="close"),
    ),
    "drip": FaultKind(
        "the body arrives one byte every SECONDS",
        seconds(0.5),
        change=lambda response, time: replace(response, pieces=_drip_body, pause=time),
    ),
    "drip-head": FaultKind(
        "status line and headers arrive one byte every SECONDS",
        seconds(0.5),
        change=lambda response, time: replace(response, pieces=_drip_head, pause=time),
    ),
    "bomb": FaultKind(
        "a small gzip body that unpacks to the page and N megabytes of blanks",
        number("N", 800),
        change=_bomb,
    ),
    "malformed": FaultKind(
        f"HTTP that no client should accept, by WHAT: {', '.join(_MALFORMED)}. "
        "`location` is a 302; `date` (year 99999) and `reset` (30 digits) belong to a 429 at the "
        "same request",
        Argument("WHAT", "|".join(_MALFORMED), required=True),
        change=lambda response, what: _MALFORMED[what](response),
    ),
}
