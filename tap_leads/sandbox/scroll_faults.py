"""Faults of the leads and of the scroll: what Intercom itself does to them."""

from collections.abc import Callable
from typing import Any

from tap_leads.sandbox import intercom_errors
from tap_leads.sandbox.fault_kind import SCROLL, Argument, FaultKind, PageLeads, number, seconds
from tap_leads.sandbox.malformed import make_malformed
from tap_leads.sandbox.workspace import Workspace

_A_DAY = 86_400


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


def _before(
    what: str, change: Callable[[Workspace, int], None], argument: Argument | None = None
) -> FaultKind:
    """Make a kind that changes the workspace just before the request."""
    return FaultKind(f"just before, {what}", argument or number("N", 10), (SCROLL,), before=change)


def _deviating(what: str, **deviation: bool) -> FaultKind:
    """Make a kind that lets the scroll deviate from its rules."""
    return FaultKind(what, paths=(SCROLL,), scroll=lambda so_far, _: so_far._replace(**deviation))


def _editing(
    what: str, edit: Callable[[PageLeads, Any], None], argument: Argument | None = None
) -> FaultKind:
    """Make a kind that edits the leads of a page."""
    return FaultKind(what, argument, (SCROLL,), leads=edit)


SCROLL_FAULTS = {
    "update": _before("N leads are edited", Workspace.update),
    "move": _before("the first N leads are edited and move to the end of the list", Workspace.move),
    "add": _before("N leads appear at the end of the list", Workspace.add),
    "delete": _before("N leads disappear from the end of the list", Workspace.delete),
    "delete-first": _before(
        "N leads disappear from the beginning of the list", Workspace.delete_first
    ),
    "delete-spread": _before("N leads disappear all over the list", Workspace.delete_spread),
    "merge": _before(
        "N leads all over the list disappear into others, which get a new `updated_at`",
        Workspace.merge,
    ),
    "stolen": _before(
        "another client with the same token takes PAGES pages of the open scroll",
        Workspace.steal,
        number("PAGES", 1),
    ),
    "repeated-upstream": _deviating(
        "a proxy sends the request twice and returns the second response: a page is gone, or the "
        "opening gets scroll_exists",
        twice=True,
    ),
    "expire": FaultKind(
        "the scroll has expired: 404 not_found",
        paths=(SCROLL,),
        before=lambda workspace, _: workspace.expire(),
        instead=lambda _: intercom_errors.scroll_not_found(),
    ),
    "exists": FaultKind(
        "400 scroll_exists; with SECONDS: another client has a scroll open for that time, counted "
        "from the first time",
        seconds(),
        (SCROLL,),
        before=lambda workspace, time: None if time is None else workspace.occupy(time),
        # With SECONDS the workspace itself refuses, as long as the other scroll is open.
        instead=lambda time: intercom_errors.scroll_exists() if time is None else None,
    ),
    "repeat": _deviating("the page before is served once more", repeat=True),
    "short": FaultKind(
        "a page of only N leads; the others are on the next pages. With 0 the page is empty, and "
        "the scroll continues",
        number("N", 10),
        (SCROLL,),
        scroll=lambda deviation, leads: deviation._replace(limit=leads),
    ),
    "end": _deviating("an empty page that ends the scroll, although leads are left", end=True),
    "no-end": _deviating("404 in place of the empty page at the end", no_end=True),
    "types": _editing(
        "half of the page's leads carry wrong types and other malformed values", _malform
    ),
    "no-id": _editing("the first lead of the page has no id", _remove_id),
    "no-updated-at": _editing("no lead of the page has `updated_at`", _remove_updated_at),
    "surrogate": _editing(
        "the name of the page's last lead contains a lone surrogate", _add_surrogate
    ),
    "stale": _editing(
        "the first N leads of the page are older versions: `updated_at` is a day earlier",
        _make_older,
        number("N", 10),
    ),
}
