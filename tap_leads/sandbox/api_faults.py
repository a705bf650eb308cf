"""Faults of the API: what happens to the leads and the scroll, and which response is given instead.

There are two sorts of such responses. A refused request is not served: the scroll keeps its
position, and its idle time continues. A lost page was served: the scroll moved on. Intercom's
document says that "it is not possible to continue from a specific point": a client that continues
misses the page.
"""

import functools
import json
import math
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from http.client import responses
from typing import Any

from tap_leads.sandbox import intercom_errors
from tap_leads.sandbox.fault_kind import LISTS, PATHS, SCROLL, Argument, FaultKind, PageLeads
from tap_leads.sandbox.http_response import Response, ok
from tap_leads.sandbox.malformed import make_malformed
from tap_leads.sandbox.workspace import Workspace

_A_DAY = 86_400
_AN_HOUR = 3600.0
_MEGABYTE = 1 << 20
_BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>\n"
_NOT_JSON = b"upstream connect error or disconnect/reset before headers\n"
_RATE_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
_N = Argument.number("N", 10)
_PAGES = Argument.number("PAGES", 1)

_of_scroll = functools.partial(FaultKind, paths=(SCROLL,))


def _before(
    what: str,
    change: Callable[[Workspace, Any], Response | None],
    argument: Argument | None = _N,
) -> FaultKind:
    """Make a kind that changes the workspace before the request is served."""
    return _of_scroll(what, argument, before=change)


def _deviating(what: str, **deviation: bool) -> FaultKind:
    """Make a kind that lets the scroll deviate from its rules."""
    return _of_scroll(what, deviate=lambda so_far, _: so_far._replace(**deviation))


def _expire(workspace: Workspace, _: None) -> Response:
    workspace.expire()
    return intercom_errors.scroll_not_found()


def _exists(workspace: Workspace, seconds: float | None) -> Response | None:
    if seconds is None:
        return intercom_errors.scroll_exists()
    workspace.occupy(seconds)  # until its end the workspace itself refuses
    return None


def _malform(page: PageLeads, _: None) -> None:
    for record, index in zip(page.records, page.indexes, strict=True):
        make_malformed(record, page.seed, index)


def _remove_id(page: PageLeads, _: None) -> None:
    for record in page.records[:1]:
        record.pop("id", None)


def _remove_updated_at(page: PageLeads, _: None) -> None:
    for record in page.records:
        record.pop("updated_at", None)


def _add_surrogate(page: PageLeads, _: None) -> None:
    for record in page.records[-1:]:
        record["name"] = "Ada \ud800 Hopper"


def _make_older(page: PageLeads, leads: int) -> None:
    for record in page.records[:leads]:
        if isinstance(record.get("updated_at"), int):
            record["updated_at"] -= _A_DAY
            record["name"] = f"{record.get('name') or 'Lead'} (older)"


SCROLL_FAULTS: dict[str, FaultKind] = {
    "update": _before("N leads are edited", Workspace.update),
    "move": _before("the first N leads are edited and move to the end", Workspace.move),
    "add": _before("N leads are added at the end", Workspace.add),
    "delete": _before("the last N leads are deleted", Workspace.delete),
    "delete-first": _before("the first N leads are deleted", Workspace.delete_first),
    "delete-spread": _before("N leads all over the list are deleted", Workspace.delete_spread),
    "merge": _before("N leads all over the list are merged into others", Workspace.merge),
    "stolen": _before("another client takes PAGES pages of the scroll", Workspace.steal, _PAGES),
    "repeated-upstream": _deviating(
        "a proxy sends the request twice, and returns the second response", twice=True
    ),
    "expire": _before("the scroll has expired: 404 not_found", _expire, None),
    "exists": _before(
        "400 scroll_exists; with SECONDS: another client has a scroll open for that time, counted "
        "from the first such request",
        _exists,
        Argument.seconds(),
    ),
    "repeat": _deviating("the previous page is served again", repeat=True),
    "short": _of_scroll(
        "a page of only N leads; the others follow. With 0 the page is empty, but the scroll "
        "continues",
        _N,
        deviate=lambda so_far, leads: so_far._replace(limit=leads),
    ),
    "end": _deviating("an empty page ends the scroll, although leads are left", end=True),
    "no-end": _deviating("404 in place of the empty page at the end", no_end=True),
    "types": _of_scroll("half of the page's leads have malformed values", edit=_malform),
    "no-id": _of_scroll("the first lead of the page has no id", edit=_remove_id),
    "no-updated-at": _of_scroll("no lead of the page has `updated_at`", edit=_remove_updated_at),
    "surrogate": _of_scroll("the name of the last lead has a lone surrogate", edit=_add_surrogate),
    "stale": _of_scroll("the first N leads of the page are a day older", _N, edit=_make_older),
}


def _refused(what: str, response: Callable[[], Response]) -> FaultKind:
    return FaultKind(what, before=lambda *_: response())


def _lost(
    what: str,
    response: Callable[[Any], Response],
    argument: Argument | None = None,
    paths: Collection[str] = PATHS,
) -> FaultKind:
    help_ = f"{what}; the page is gone"
    return FaultKind(help_, argument, paths, lambda _, given: response(given), lost=True)


def _rate_limit(_: object, reset_in: float) -> Response:
    reset = str(math.ceil(time.time() + reset_in))
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    return replace(intercom_errors.rate_limit_exceeded(), headers=headers)


def _bare_rate_limit() -> Response:
    return replace(intercom_errors.rate_limit_exceeded(), headers=dict.fromkeys(_RATE_HEADERS))


def _redirect(_: object, megabytes: int) -> Response:
    headers = {"Location": "/moved", "Content-Length": str(megabytes * _MEGABYTE)}
    block = b" " * _MEGABYTE  # in pieces, so that the sandbox needs no memory for a huge body
    return Response(302, headers=headers, pieces=lambda head, _: (head, *(block,) * megabytes))


def _status(status: int) -> Response:
    if status < 200:  # noqa: PLR2004 - announces a final response, which is not sent
        headers = {"Content-Length": None, "Connection": "close"}
        return Response(status, headers=headers, then="close")
    if status in {204, 304}:
        return Response(status, headers={"Content-Length": None})
    if status == 205:  # noqa: PLR2004 - Reset Content has no body either
        return Response(status)
    name = responses.get(status, "Unknown Status")
    return intercom_errors.error(status, name.lower().replace(" ", "_").replace("'", ""), name)


def _false_end(_: None) -> Response:
    body = json.loads(intercom_errors.error(200, "server_error", "Internal error").body)
    return ok({**body, "contacts": []})


RESPONSE_FAULTS: dict[str, FaultKind] = {
    "429": FaultKind("429 whose Reset is SECONDS ahead", Argument.seconds(1), before=_rate_limit),
    "429-bare": _refused("429 without any X-RateLimit header", _bare_rate_limit),
    "429-skewed": _refused("429 whose Reset is an hour ago", lambda: _rate_limit(None, -_AN_HOUR)),
    "401": _refused("401 unauthorized", intercom_errors.unauthorized),
    "403": _refused("403 forbidden", intercom_errors.forbidden),
    "404": _refused("404, as for a wrong path", intercom_errors.no_such_path),
    "version": _refused("400 intercom_version_invalid", intercom_errors.version_invalid),
    "302": FaultKind(
        "redirects to another path; the body has N megabytes",
        Argument.number("N", 0),
        before=_redirect,
    ),
    "restart": _lost("500 that asks to restart the scroll", lambda _: intercom_errors.restart()),
    "status": _lost(
        "STATUS (100 to 599) with an error.list",
        _status,
        Argument("STATUS", "[1-5][0-9][0-9]", int, required=True),
    ),
    "html502": _lost("502 with an HTML body", lambda _: Response(502, _BAD_GATEWAY, "text/html")),
    "503": _lost("503 with an empty body", lambda _: Response(503, content_type="text/plain")),
    "nojson": _lost("200 with text that is no JSON", lambda _: Response(200, _NOT_JSON)),
    "empty-body": _lost("200 with an empty body", lambda _: Response(200)),
    "body": _lost(
        "200 with TEXT as its body",
        lambda text: Response(200, text.encode()),
        Argument("TEXT", ".*", required=True),
    ),
    "false-end": _lost(
        "200 with an error.list that has an empty `contacts` too", _false_end, paths=LISTS
    ),
}
