"""One HTTP response: what it contains, how much of it is sent, and how fast."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import msgspec

encode = msgspec.json.Encoder().encode

# Takes the encoded head and the body, and returns the pieces that are sent.
Pieces: TypeAlias = Callable[[bytes, bytes], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Response:
    """A response that has not been sent yet."""

    status: int  # 0: no response is sent
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    # These replace the usual headers or are added to them; None removes a usual one.
    headers: Mapping[str, str | None] = field(default_factory=dict)
    leads: int = 0  # how many a client can read from the body
    delay: float = 0.0  # seconds before the response is sent
    ready: Callable[[], None] | None = None  # called when the delay is over
    pieces: Pieces = lambda head, body: (head + body,)
    pause: float = 0.0  # seconds after each piece
    then: Literal["keep", "close", "reset"] = "keep"  # what happens to the connection


def ok(body: object) -> Response:
    """Make a response with a JSON body."""
    return Response(200, encode(body))
