"""The errors that Intercom responds with: an `error.list` each (page "Error objects")."""

import uuid
from collections.abc import Mapping
from dataclasses import replace

from tap_leads.sandbox.http_response import Response, ok

RESTART = "Request failed due to an internal network error. Please restart the scroll operation."


def error(status: int, code: str, message: str) -> Response:
    """Make an `error.list` with one error."""
    body = {
        "type": "error.list",
        "request_id": uuid.uuid4().hex[:20],
        "errors": [{"code": code, "message": message}],
    }
    return replace(ok(body), status=status)


def scroll_exists() -> Response:
    """Refuse to open a second scroll (body: fixture of hull-connectors)."""
    return error(400, "scroll_exists", "scroll already exists for this workspace")


def scroll_not_found() -> Response:
    """Refuse a scroll parameter that is over or expired (body: intercom-ruby issue 450)."""
    return error(404, "not_found", "scroll parameter not found")


def restart() -> Response:
    """Ask to restart the scroll; its document gives status and message, the code is a guess."""
    return error(500, "server_error", RESTART)


def unauthorized() -> Response:
    """Refuse a wrong or missing token."""
    return error(401, "unauthorized", "Access Token Invalid")


def forbidden() -> Response:
    """Refuse a token that may not do this."""
    return error(403, "forbidden", "Not authorized to access resource")


def no_such_path() -> Response:
    """Refuse a path that the API does not have."""
    return error(404, "not_found", "Resource Not Found")


def version_invalid() -> Response:
    """Refuse an API version without leads (2.x) or that does not exist."""
    return error(
        400,
        "intercom_version_invalid",
        "Requested resource is not available in current API version.",
    )


def rate_limit_exceeded(headers: Mapping[str, str | None] | None = None) -> Response:
    """Refuse one request too many (page "Rate limiting"); there is no Retry-After."""
    response = error(429, "rate_limit_exceeded", "Exceeded rate limit")
    return replace(response, headers=headers or {})
