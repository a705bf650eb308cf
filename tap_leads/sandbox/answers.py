"""What the server can say: the answers of Intercom, and those of everything between it and you."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

_JSON = "application/json; charset=utf-8"
_encode = msgspec.json.Encoder().encode

RESTART = "Request failed due to an internal network error. Please restart the scroll operation."


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, not yet sent."""

    status: int  # 0: the connection is closed without one
    body: bytes = b""
    content_type: str = _JSON
    # Instead of or next to the usual ones; None leaves a usual one out.
    headers: Mapping[str, str | None] = field(default_factory=dict)
    leads: int = 0  # in the body
    delay: float = 0.0  # seconds before it is sent
    ready: Callable[[], None] | None = None  # called when the delay is over
    ending: Literal["whole", "half", "none", "reset"] = "whole"  # how much of it is sent


def ok(body: object) -> Answer:
    """Answer with a JSON body."""
    return Answer(200, _encode(body))


def error(status: int, code: str, message: str) -> Answer:
    """Refuse in Intercom's words: an `error.list` (page "Error objects")."""
    body = {
        "type": "error.list",
        "request_id": uuid.uuid4().hex[:20],
        "errors": [{"code": code, "message": message}],
    }
    return Answer(status, _encode(body))


def scroll_exists() -> Answer:
    """Refuse to open a second scroll (body: fixture of hull-connectors)."""
    return error(400, "scroll_exists", "scroll already exists for this workspace")


def scroll_not_found() -> Answer:
    """Refuse a scroll parameter that is over or expired (body: intercom-ruby issue 450)."""
    return error(404, "not_found", "scroll parameter not found")


def restart() -> Answer:
    """Ask to restart the scroll; its document gives status and message, the code is a guess."""
    return error(500, "server_error", RESTART)


def unauthorized() -> Answer:
    """Refuse a wrong or missing token."""
    return error(401, "unauthorized", "Access Token Invalid")


def forbidden() -> Answer:
    """Refuse a token that may not do this."""
    return error(403, "forbidden", "Not authorized to access resource")


def no_such_path() -> Answer:
    """Refuse a path that nobody serves."""
    return error(404, "not_found", "Resource Not Found")


def version_invalid() -> Answer:
    """Refuse an API version without leads (2.x) or that never was."""
    return error(
        400,
        "intercom_version_invalid",
        "Requested resource is not available in current API version.",
    )


def rate_limit_exceeded(headers: Mapping[str, str | None] | None = None) -> Answer:
    """Refuse one request too many (page "Rate limiting"); there is no Retry-After."""
    answer = error(429, "rate_limit_exceeded", "Exceeded rate limit")
    return Answer(429, answer.body, headers=headers or {})
