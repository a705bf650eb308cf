"""Faults of the leads and of the scroll: what Intercom itself does to them."""

from tap_leads.sandbox import intercom_errors
from tap_leads.sandbox.fault_kind import SCROLL, Kind, PageLeads, number, seconds
from tap_leads.sandbox.malformed import make_malformed

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


SCROLL_FAULTS = {
    "update": Kind(
        "N leads are edited just before",
        number("N", 10),
        (SCROLL,),
        before=lambda workspace, leads: workspace.update(leads),
    ),
    "move": Kind(
        "the first N leads are edited just before and move to the end of the list",
        number("N", 10),
        (SCROLL,),
        before=lambda workspace, leads: workspace.move(leads),
    ),
    "delete": Kind(
        "N leads disappear just before, from the end of the list",
        number("N", 10),
        (SCROLL,),
        before=lambda workspace, leads: workspace.delete(leads),
    ),
    "add": Kind(
        "N leads appear just before, at the end of the list",
        number("N", 10),
        (SCROLL,),
        before=lambda workspace, leads: workspace.add(leads),
    ),
    "expire": Kind(
        "the scroll has expired: 404 not_found",
        paths=(SCROLL,),
        before=lambda workspace, _: workspace.expire(),
        instead=lambda _: intercom_errors.scroll_not_found(),
    ),
    "exists": Kind(
        "400 scroll_exists; with SECONDS: another client has a scroll open for so long, counted "
        "from the first time",
        seconds(),
        (SCROLL,),
        before=lambda workspace, time: None if time is None else workspace.occupy(time),
        # With SECONDS the workspace itself refuses, as long as the other scroll is open.
        instead=lambda time: intercom_errors.scroll_exists() if time is None else None,
    ),
    "repeat": Kind(
        "the page before is served once more",
        paths=(SCROLL,),
        scroll=lambda deviation, _: deviation._replace(repeat=True),
    ),
    "short": Kind(
        "a page of only N leads; the others are on the next pages. With 0 the page is empty, and "
        "the scroll continues",
        number("N", 10),
        (SCROLL,),
        scroll=lambda deviation, leads: deviation._replace(limit=leads),
    ),
    "taken": Kind(
        "another client with the same token takes N pages of the scroll just before; no response "
        "shows it",
        number("N", 1),
        (SCROLL,),
        scroll=lambda deviation, pages: deviation._replace(taken=pages),
    ),
    "doubled": Kind(
        "a proxy sends the request twice, and passes on the second response",
        paths=(SCROLL,),
        scroll=lambda deviation, _: deviation._replace(doubled=True),
    ),
    "merge": Kind(
        "N leads disappear just before from the start of the list, merged into the next N, which "
        "are edited",
        number("N", 10),
        (SCROLL,),
        before=lambda workspace, leads: workspace.merge(leads),
    ),
    "end": Kind(
        "an empty page that ends the scroll, although leads are left",
        paths=(SCROLL,),
        scroll=lambda deviation, _: deviation._replace(end=True),
    ),
    "no-end": Kind(
        "404 in place of the empty page at the end",
        paths=(SCROLL,),
        scroll=lambda deviation, _: deviation._replace(no_end=True),
    ),
    "types": Kind(
        "half of the page's leads carry wrong types and other malformed values",
        paths=(SCROLL,),
        leads=_malform,
    ),
    "no-id": Kind("the first lead of the page has no id", paths=(SCROLL,), leads=_remove_id),
    "no-updated-at": Kind(
        "no lead of the page has `updated_at`", paths=(SCROLL,), leads=_remove_updated_at
    ),
    "surrogate": Kind(
        "the name of the page's last lead contains a lone surrogate",
        paths=(SCROLL,),
        leads=_add_surrogate,
    ),
    "stale": Kind(
        "the first N leads of the page are older versions: `updated_at` is a day earlier",
        number("N", 10),
        (SCROLL,),
        leads=_make_older,
    ),
}
