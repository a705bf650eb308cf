"""One HTTP response: what it says, how much of it is sent, and how fast."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Literal, TypeAlias

import msgspec

_encode = msgspec.json.Encoder().encode

# From the encoded head and the body: the pieces that are sent.
Pieces: TypeAlias = Callable[[bytes, bytes], Iterable[bytes]]


def whole(head: bytes, body: bytes) -> Iterable[bytes]:
    """Send everything in one piece, so mostly in one segment."""
    return (head + body,)


def half(head: bytes, body: bytes) -> Iterable[bytes]:
    """Send the head, which announces the whole body, and half of the body."""
    return (head + body[: len(body) // 2],)


def nothing(_head: bytes, _body: bytes) -> Iterable[bytes]:
    """Send nothing."""
    return ()


@dataclass(frozen=True, slots=True)
class Response:
    """One response, not yet sent."""

    status: int  # 0: none is sent
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    # Added to the usual ones or in place of them; None leaves a usual one out.
    headers: Mapping[str, str | None] = field(default_factory=dict)
    leads: int = 0  # that a client can read from the body
    delay: float = 0.0  # seconds before it is sent
    ready: Callable[[], None] | None = None  # called when the delay is over
    pieces: Pieces = whole
    pause: float = 0.0  # seconds after each piece
    then: Literal["keep", "close", "reset"] = "keep"  # what happens to the connection


def ok(body: object) -> Response:
    """Respond with a JSON body."""
    return Response(200, _encode(body))


def phrase(status: int) -> str:
    """Name a status, or return "Unknown Status" if no standard defines it."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown Status"
