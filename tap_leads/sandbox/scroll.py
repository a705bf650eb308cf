"""The endpoint `/contacts/scroll`: the rules of a workspace, and the faults that bend them."""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from tap_leads.sandbox import answers
from tap_leads.sandbox.answers import Answer
from tap_leads.sandbox.faults import Fault
from tap_leads.sandbox.pages import Pages, encode_soiled
from tap_leads.sandbox.workspace import (
    Page,
    ScrollExistsError,
    ScrollNotFoundError,
    ScrollRequest,
    Workspace,
)

_BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>\n"
_NOT_JSON = b"upstream connect error or disconnect/reset before headers\n"
_AN_HOUR = 3600.0

# What is different about the leads of the workspace from now on, or about its scroll.
_EVENTS: dict[str, Callable[[Workspace, float], None]] = {
    "update": lambda workspace, number: workspace.update(int(number)),
    "delete": lambda workspace, number: workspace.delete(int(number)),
    "add": lambda workspace, number: workspace.add(int(number)),
    "expire": lambda workspace, _: workspace.expire(),
    "exists": lambda workspace, seconds: workspace.occupy(seconds),
}

# Refused at the door: the position stays, and the scroll's idle time goes on.
_REFUSALS: dict[str, Callable[[float], Answer]] = {
    "reset": lambda _: Answer(0, ending="reset"),
    "429": lambda seconds: answers.rate_limit_exceeded(_reset_in(seconds)),
    "429-bare": lambda _: answers.rate_limit_exceeded(
        dict.fromkeys(("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"))
    ),
    "429-skewed": lambda _: answers.rate_limit_exceeded(_reset_in(-_AN_HOUR)),
    "expire": lambda _: answers.scroll_not_found(),
    "exists": lambda _: answers.scroll_exists(),
    "401": lambda _: answers.unauthorized(),
    "403": lambda _: answers.forbidden(),
    "404": lambda _: answers.no_such_path(),
    "version": lambda _: answers.version_invalid(),
    "302": lambda _: Answer(302, headers={"Location": "/moved"}),
}

# Served, then lost on the way: the position moves. Intercom's document says of such errors that "it
# is not possible to continue from a specific point"; a client that goes on skips a page.
_LOSSES: dict[str, Callable[[float], Answer]] = {
    "restart": lambda _: answers.restart(),
    "lost": lambda _: Answer(0, ending="none"),
    "hang": lambda seconds: Answer(0, delay=seconds, ending="none"),
    "html502": lambda _: Answer(502, _BAD_GATEWAY, "text/html"),
    "503": lambda _: Answer(503, content_type="text/plain"),
    "nojson": lambda _: Answer(200, _NOT_JSON),
    "empty-body": lambda _: Answer(200),
}


def _reset_in(seconds: float) -> dict[str, str | None]:
    return {
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(math.ceil(time.time() + seconds)),
    }


def answer(
    workspace: Workspace,
    scroll_param: str | None,
    *,
    faults: Sequence[Fault],
    pages: Pages,
    refusal: Answer | None,
) -> Answer:
    """Answer one request, and write it into the workspace's history.

    Args:
        workspace: Whose leads.
        scroll_param: What the request sent; None opens a scroll.
        faults: What may go wrong. Of several that answer at one request, the first wins.
        pages: Encodes the leads.
        refusal: What to say, unless a fault comes first: rate limit or version.
    """
    arrived = workspace.clock()
    ordinal = workspace.arrive()
    firing = {fault.kind: fault.argument for fault in faults if fault.fires(ordinal)}
    said = _say(workspace, scroll_param, firing, pages, refusal)
    workspace.remember(ScrollRequest(ordinal, arrived, scroll_param, said.status, said.leads))
    return said


def _say(
    workspace: Workspace,
    scroll_param: str | None,
    firing: dict[str, float | None],
    pages: Pages,
    refusal: Answer | None,
) -> Answer:
    for kind, argument in firing.items():
        if kind in _EVENTS and (kind != "exists" or argument is not None):
            _EVENTS[kind](workspace, argument or 0.0)
    for kind, argument in firing.items():
        # With SECONDS `exists` is an event: the workspace itself refuses, while it lasts.
        if kind in _REFUSALS and (kind != "exists" or argument is None):
            return _REFUSALS[kind](argument or 0.0)
        if kind in _LOSSES:
            with suppress(ScrollExistsError, ScrollNotFoundError):
                workspace.scroll(scroll_param, deliver=False)
            return _LOSSES[kind](argument or 0.0)
    if refusal:
        return refusal
    try:
        page = workspace.scroll(scroll_param, repeat="repeat" in firing, no_end="no-end" in firing)
    except ScrollExistsError:
        said = answers.scroll_exists()
    except ScrollNotFoundError:
        said = answers.scroll_not_found()
    else:
        said = _page(workspace, page, firing, pages)
    return replace(said, delay=firing.get("slow") or 0.0)


def _page(
    workspace: Workspace, page: Page, firing: dict[str, float | None], pages: Pages
) -> Answer:
    if "null-list" in firing:
        contacts, leads = b"null", 0
    else:
        leads = len(page.indexes)
        if {"types", "no-id"} & firing.keys():
            contacts = encode_soiled(
                workspace, page.indexes, dirty="types" in firing, without_id="no-id" in firing
            )
        else:
            contacts = pages.encode(workspace, page.indexes)
    ready = partial(workspace.touch, page.scroll_param)
    # Members as in the scroll page of hull-connectors' fixture: its `total_count` is of no use.
    head = (
        '{"type":"contact.list","pages":null,"total_count":0,"limited":false,'
        f'"scroll_param":"{page.scroll_param}"'
    ).encode()
    if "nolist" in firing:
        return Answer(200, head + b"}", ready=ready)
    body = b"".join((head, b',"contacts":', contacts, b"}"))
    if "cut" in firing:
        return Answer(200, body, ending="half", ready=ready)
    return Answer(200, body, leads=leads, ready=ready)
