"""The endpoint `/contacts/scroll`: a page of a workspace's scroll as a response."""

from functools import partial

from tap_leads.sandbox import intercom_errors
from tap_leads.sandbox.fault_kind import PageLeads
from tap_leads.sandbox.faults import Firing
from tap_leads.sandbox.http_response import Response
from tap_leads.sandbox.page_cache import PageCache, encode_any
from tap_leads.sandbox.workspace import ScrollExistsError, ScrollNotFoundError, Workspace


def next_page(
    workspace: Workspace, scroll_param: str | None, firing: Firing, cache: PageCache
) -> Response:
    """Serve the next page of the scroll, or refuse to.

    Args:
        workspace: Whose leads.
        scroll_param: What the request sent; None opens a scroll.
        firing: Faults that change the order of pages, or the leads of this one.
        cache: Encodes the leads.
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
        contacts = encode_any(records)
    else:
        contacts = cache.encode(workspace, page.indexes)
    # Members as in the scroll page of hull-connectors' fixture: its `total_count` is of no use.
    body = (
        b'{"type":"contact.list","pages":null,"total_count":0,"limited":false,'
        b'"scroll_param":"%s","contacts":%s}' % (page.scroll_param.encode(), contacts)
    )
    ready = partial(workspace.touch, page.scroll_param)
    return Response(200, body, leads=len(page.indexes), ready=ready)
