"""What the paths of the API respond with: the scroll, the leads list, counts and attributes."""

import json
from collections.abc import Mapping
from functools import lru_cache, partial

import msgspec

from tap_leads.sandbox import intercom_errors
from tap_leads.sandbox.fault_kind import PageLeads
from tap_leads.sandbox.faults import Firing
from tap_leads.sandbox.http_response import Response, ok
from tap_leads.sandbox.sample_leads import data_attributes, lead
from tap_leads.sandbox.workspace import ScrollExistsError, ScrollNotFoundError, Workspace

_MOST_PER_PAGE = 60  # of the leads list
_MOST_LISTED = 10_000  # leads; later pages are refused (intercom-ruby issue 274)

_encode = msgspec.json.Encoder().encode


@lru_cache(maxsize=1_500)  # pages, about 200 MB: making a page takes longer than a client needs
def _unedited(seed: int, app_id: str, indexes: tuple[int, ...]) -> bytes:
    return _encode([lead(seed, index, app_id) for index in indexes])


def next_page(workspace: Workspace, scroll_param: str | None, firing: Firing) -> Response:
    """Serve the next page of the scroll, or refuse to.

    Args:
        workspace: Whose leads.
        scroll_param: What the request sent; None opens a scroll.
        firing: Faults that change the order of pages, or the leads of this one.
    """
    try:
        page = workspace.scroll(scroll_param, firing.deviation())
    except ScrollExistsError:
        return intercom_errors.scroll_exists()
    except ScrollNotFoundError:
        return intercom_errors.scroll_not_found()
    if firing.edits:
        records = [workspace.lead(index) for index in page.indexes]
        firing.edit(PageLeads(records, page.indexes, workspace.seed))
        # By the standard library: unlike msgspec it writes lone surrogates (as escapes), and it
        # does not limit the size of an integer.
        encoded = json.dumps(records, allow_nan=False).encode()
    elif workspace.edited(page.indexes):
        encoded = _encode([workspace.lead(index) for index in page.indexes])
    else:
        encoded = _unedited(workspace.seed, workspace.app_id, tuple(page.indexes))
    # Members as in the scroll page of hull-connectors' fixture: its `total_count` is of no use.
    body = (
        b'{"type":"contact.list","pages":null,"total_count":0,"limited":false,'
        b'"scroll_param":"%s","contacts":%s}' % (page.scroll_param.encode(), encoded)
    )
    ready = partial(workspace.touch, page.scroll_param)
    return Response(200, body, leads=len(page.indexes), ready=ready)


def contacts(workspace: Workspace, query: Mapping[str, str], host: str) -> Response:
    """List leads by page number, which needs no scroll.

    Args:
        workspace: Whose leads.
        query: Of the request: `page` and `per_page`.
        host: Where the next page is.
    """
    try:
        per_page = min(max(1, int(query.get("per_page", "50"))), _MOST_PER_PAGE)
        number = max(1, int(query.get("page", "1")))
    except ValueError:
        return intercom_errors.error(400, "parameter_invalid", "page and per_page are numbers")
    count = min(workspace.count(), _MOST_LISTED)
    total_pages = -(-count // per_page)
    first = (number - 1) * per_page
    if first >= _MOST_LISTED:
        return intercom_errors.error(400, "parameter_invalid", "the list ends at 10,000 leads")
    indexes = workspace.indexes(first, min(per_page, _MOST_LISTED - first))
    pages = {
        "type": "pages",
        "next": f"http://{host}/contacts?per_page={per_page}&page={number + 1}"
        if number < total_pages
        else None,
        "page": number,
        "per_page": per_page,
        "total_pages": total_pages,
    }
    leads = [workspace.lead(index) for index in indexes]
    return ok(
        {
            "type": "contact.list",
            "pages": pages,
            "contacts": leads,
            "total_count": count,
            "limited": workspace.count() > _MOST_LISTED,
        }
    )


def counts(workspace: Workspace) -> Response:
    """Count the leads, and what else a workspace could have."""
    others = {name: {"count": 0} for name in ("company", "segment", "tag", "user")}
    return ok({"type": "count.hash", "lead": {"count": workspace.count()}, **others})


def attributes() -> Response:
    """Describe the custom attributes."""
    return ok({"type": "data_attribute.list", "data_attributes": data_attributes()})
