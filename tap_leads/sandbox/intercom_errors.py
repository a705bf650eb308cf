"""The errors of Intercom: each response is an `error.list` (page "Error objects")."""

import uuid
from dataclasses import replace
from functools import partial

from tap_leads.sandbox.http_response import Response, ok


def error(status: int, code: str, message: str) -> Response:
    """Make an `error.list` with one error."""
    errors = [{"code": code, "message": message}]
    body = {"type": "error.list", "request_id": uuid.uuid4().hex[:20], "errors": errors}
    return replace(ok(body), status=status)


# Seen in a fixture of hull-connectors.
scroll_exists = partial(error, 400, "scroll_exists", "scroll already exists for this workspace")
# Seen in intercom-ruby issue 450.
scroll_not_found = partial(error, 404, "not_found", "scroll parameter not found")
# Intercom documents the status and the message, but not the code.
_RESTART = "Request failed due to an internal network error. Please restart the scroll operation."
restart = partial(error, 500, "server_error", _RESTART)
unauthorized = partial(error, 401, "unauthorized", "Access Token Invalid")
forbidden = partial(error, 403, "forbidden", "Not authorized to access resource")
no_such_path = partial(error, 404, "not_found", "Resource Not Found")
# API 2.x has no scroll over leads, so it gets this error too.
_NO_VERSION = "Requested resource is not available in current API version."
version_invalid = partial(error, 400, "intercom_version_invalid", _NO_VERSION)
# Intercom sends no Retry-After (page "Rate limiting").
rate_limit_exceeded = partial(error, 429, "rate_limit_exceeded", "Exceeded rate limit")
