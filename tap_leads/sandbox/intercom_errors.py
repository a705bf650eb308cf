"""The errors that Intercom responds with: an `error.list` each (page "Error objects")."""

import uuid
from dataclasses import replace
from functools import partial

from tap_leads.sandbox.http_response import Response, ok


def error(status: int, code: str, message: str) -> Response:
    """Make an `error.list` with one error."""
    body = {
        "type": "error.list",
        "request_id": uuid.uuid4().hex[:20],
        "errors": [{"code": code, "message": message}],
    }
    return replace(ok(body), status=status)


# Body: fixture of hull-connectors.
scroll_exists = partial(error, 400, "scroll_exists", "scroll already exists for this workspace")
# Body: intercom-ruby issue 450.
scroll_not_found = partial(error, 404, "not_found", "scroll parameter not found")
# Intercom's document gives status and message; the code is a guess.
restart = partial(
    error,
    500,
    "server_error",
    "Request failed due to an internal network error. Please restart the scroll operation.",
)
unauthorized = partial(error, 401, "unauthorized", "Access Token Invalid")
forbidden = partial(error, 403, "forbidden", "Not authorized to access resource")
no_such_path = partial(error, 404, "not_found", "Resource Not Found")
# API 2.x has no leads, so it gets this error too.
version_invalid = partial(
    error,
    400,
    "intercom_version_invalid",
    "Requested resource is not available in current API version.",
)
# Page "Rate limiting": there is no Retry-After.
rate_limit_exceeded = partial(error, 429, "rate_limit_exceeded", "Exceeded rate limit")
