"""What the paths of the API respond with: the scroll, the leads list, counts and attributes."""

import base64
import binascii
import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from email.message import Message
from functools import partial

from tap_leads.sandbox import intercom_errors
from tap_leads.sandbox.fault_kind import PageLeads
from tap_leads.sandbox.faults import Fault, deviation
from tap_leads.sandbox.http_response import Response, encode, ok
from tap_leads.sandbox.sample_leads import data_attributes
from tap_leads.sandbox.workspace import ScrollExistsError, ScrollNotFoundError, Workspace

_LATEST_VERSION = "1.4"  # the last one that has leads, and the one without the header
_VERSIONS = frozenset({"1.0", "1.1", "1.2", "1.3", _LATEST_VERSION})
_MOST_PER_PAGE = 60  # of the leads list
_MOST_LISTED = 10_000  # leads; later pages are refused (intercom-ruby issue 274)


def access_token(headers: Message) -> str:
    """Find the access token: a bearer token, or the user name of Basic authentication.

    Intercom's own clients send it as the user name (`curl -u TOKEN:`).
    """
    scheme, _, sent = headers.get("Authorization", "").partition(" ")
    match scheme.lower():
        case "bearer":
            return sent
        case "basic":
            with suppress(binascii.Error, UnicodeDecodeError):
                return base64.b64decode(sent).decode().partition(":")[0]
    return ""


def serve(
    workspace: Workspace,
    path: str,
    query: Mapping[str, str],
    headers: Message,
    faults: Collection[Fault],
) -> Response:
    """Respond to a request whose token and rate are right."""
    version = headers.get("Intercom-Version", _LATEST_VERSION)
    if version not in _VERSIONS:
        return intercom_errors.version_invalid()
    latest = version == _LATEST_VERSION
    match path:
        case "/contacts/scroll":
            return _next_page(workspace, query.get("scroll_param"), faults)
        case "/contacts":
            return _contacts(workspace, query, headers.get("Host", ""))
        case "/counts":
            return _counts(workspace)
        # Changelog of API 1.4: the path became a parameter, and "will no longer work".
        case "/data_attributes" if latest and query.get("model") == "customer":
            return _attributes()
        case "/data_attributes/customer" if not latest:
            return _attributes()
    return intercom_errors.no_such_path()


def _next_page(
    workspace: Workspace, scroll_param: str | None, faults: Collection[Fault]
) -> Response:
    """Serve the next page of the scroll, or refuse it."""
    try:
        page = workspace.scroll(scroll_param, deviation(faults))
    except ScrollExistsError:
        return intercom_errors.scroll_exists()
    except ScrollNotFoundError:
        return intercom_errors.scroll_not_found()
    records = [workspace.lead(index) for index in page.indexes]
    edits = [(fault.kind.edit, fault.argument) for fault in faults if fault.kind.edit]
    for edit, argument in edits:
        edit(PageLeads(records, page.indexes, workspace.seed), argument)
    # Unlike msgspec, the standard library writes lone surrogates and integers of any size.
    encoded = json.dumps(records, allow_nan=False).encode() if edits else encode(records)
    # The members are those of a fixture of hull-connectors; `total_count` is 0 there too.
    body = (
        b'{"type":"contact.list","pages":null,"total_count":0,"limited":false,'
        b'"scroll_param":"%s","contacts":%s}' % (page.scroll_param.encode(), encoded)
    )
    ready = partial(workspace.touch, page.scroll_param)
    return Response(200, body, leads=len(records), ready=ready)


def _contacts(workspace: Workspace, query: Mapping[str, str], host: str) -> Response:
    """List leads by page number. This needs no scroll."""
    try:
        per_page = min(max(1, int(query.get("per_page", "50"))), _MOST_PER_PAGE)
        number = max(1, int(query.get("page", "1")))
    except ValueError:
        return intercom_errors.error(400, "parameter_invalid", "page and per_page are numbers")
    first = (number - 1) * per_page
    if first >= _MOST_LISTED:
        return intercom_errors.error(400, "parameter_invalid", "the list ends at 10,000 leads")
    count = min(workspace.count(), _MOST_LISTED)
    total_pages = -(-count // per_page)
    following = f"http://{host}/contacts?per_page={per_page}&page={number + 1}"
    pages = {
        "type": "pages",
        "next": following if number < total_pages else None,
        "page": number,
        "per_page": per_page,
        "total_pages": total_pages,
    }
    indexes = workspace.indexes(first, min(per_page, _MOST_LISTED - first))
    body = {
        "type": "contact.list",
        "pages": pages,
        "contacts": [workspace.lead(index) for index in indexes],
        "total_count": count,
        "limited": workspace.count() > _MOST_LISTED,
    }
    return ok(body)


def _counts(workspace: Workspace) -> Response:
    """Count the leads, and the other things that a workspace can have."""
    others = {name: {"count": 0} for name in ("company", "segment", "tag", "user")}
    return ok({"type": "count.hash", "lead": {"count": workspace.count()}, **others})


def _attributes() -> Response:
    """Describe the custom attributes."""
    return ok({"type": "data_attribute.list", "data_attributes": data_attributes()})
