"""Faults on the way of a response: connections, speed, compression and malformed HTTP."""

import functools
import gzip
from collections.abc import Callable, Iterable
from dataclasses import replace

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
    return replace(response, body=body, headers={**response.headers, "Content-Encoding": "gzip"})


def _redirect(location: str) -> Callable[[Response], Response]:
    return lambda response: replace(
        response, status=302, body=b"", headers={**response.headers, "Location": location}, leads=0
    )


def _bad_chunk(response: Response) -> Response:
    headers = {**response.headers, "Content-Length": None, "Transfer-Encoding": "chunked"}
    body = b"-5\r\n" + response.body + b"\r\n0\r\n\r\n"
    return replace(response, body=body, headers=headers, leads=0, then="close")


def _bad_header(response: Response) -> Response:
    def pieces(head: bytes, body: bytes) -> Iterable[bytes]:
        return (head[:-2] + b"a header line without a colon\r\n\r\n" + body,)

    return replace(response, pieces=pieces)


def _bad_status_line(response: Response) -> Response:
    return replace(response, pieces=lambda *_: (b"HTTP/1.1 2",), leads=0, then="close")


def _bad_length(response: Response) -> Response:
    headers = {**response.headers, "Content-Length": "many"}
    return replace(response, headers=headers, then="close")


def _bad_date(response: Response) -> Response:
    headers = {**response.headers, "Date": "Fri, 31 Dec 99999 23:59:59 GMT"}
    return replace(response, headers=headers)


def _bad_reset(response: Response) -> Response:
    return replace(response, headers={**response.headers, "X-RateLimit-Reset": "9" * 30})


_MALFORMED: dict[str, Callable[[Response], Response]] = {
    "header": _bad_header,
    "location": _redirect("http://[::1"),
    "location-bytes": _redirect("http://127.0.0.1/\xff\xfe"),  # sent as Latin-1, so no UTF-8
    "chunk": _bad_chunk,
    "length": _bad_length,
    "status-line": _bad_status_line,
    "date": _bad_date,
    "reset": _bad_reset,
}

TRANSPORT_FAULTS = {
    "reset": FaultKind(
        "connection reset before anything happened",
        instead=lambda _: Response(0, pieces=nothing, then="reset"),
    ),
    "lost": FaultKind(
        "the page is gone: connection closed without a response",
        instead=lambda _: Response(0, pieces=nothing, then="close"),
        lost=True,
    ),
    "hang": FaultKind(
        "the page is gone: no response for SECONDS, then closed",
        seconds(3600.0),
        instead=lambda time: Response(0, delay=time, pieces=nothing, then="close"),
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
