"""Faults of the leads and the scroll: each does what it says, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import pytest
import requests
from support.cases import cases
from support.scroll_client import PAGE, Start, code

from tap_leads.sandbox import Lead, lead, malformed_lead


def test_another_client_scrolls(scroll: Start) -> None:
    """For SECONDS from the first time. This ends the client's own scroll: a workspace has one."""
    client = scroll("exists@2-4:30")
    client.page()
    assert code(client.ask()) == (404, "not_found")
    client.clock.now += 20
    assert code(client.open()) == (400, "scroll_exists")
    client.clock.now += 10
    assert client.page() == client.expected(1)


def test_malformed_values_on_the_wire(scroll: Start) -> None:
    """NUL and lone surrogates are JSON escapes. Huge integers have all digits."""
    body = scroll("types@*", leads=100, page_size=100).ask().content
    assert body.isascii()
    for escape in (rb"\u0000", rb"\ud800", rb"\udfff", b"C:\\\\u0000", b"1180591620717411303425"):
        assert escape in body


def make_older(lead: Lead) -> None:
    """Change a lead to an older version."""
    lead["updated_at"] -= 86_400
    lead["name"] = f"{lead.get('name') or 'Lead'} (older)"


@cases(
    ("no-id@2", lambda n, lead: lead.pop("id") if n == 0 else None),
    ("no-updated-at@2", lambda _, lead: lead.pop("updated_at")),
    ("surrogate@2", lambda n, lead: lead.update(name="Ada \ud800 Hopper") if n == 9 else None),
    ("stale@2:4", lambda n, lead: make_older(lead) if n < 4 else None),
    ("types@2", lambda n, lead: lead.update(malformed_lead(1, PAGE + n, lead["app_id"]))),
)
def test_a_page_is_edited(fault: str, edit: Callable[[int, Lead], object], scroll: Start) -> None:
    """Only leads of that page, and not in the workspace."""
    client = scroll(fault)
    leads = list(client.workspace.leads())
    served = [client.ask().json()["contacts"] for _ in range(3)]
    assert list(client.workspace.leads()) == leads
    for n in range(PAGE):
        edit(n, leads[PAGE + n])
    # As text: false is not 0, and 12 is not 12.0.
    assert json.dumps([*served[0], *served[1], *served[2]]) == json.dumps(leads[: 3 * PAGE])


def test_update(scroll: Start) -> None:
    """Served and other leads are edited: they get a later `updated_at` and another name."""
    client = scroll("update@3:4")
    before = {lead["id"]: lead for lead in client.workspace.leads()}
    served = [lead for _ in range(5) for lead in client.ask().json()["contacts"]]
    after = {lead["id"]: lead for lead in client.workspace.leads()}
    edited = {i for i in after if after[i] != before[i]}
    assert len(edited) == 4
    for i in edited:
        assert after[i]["updated_at"] > before[i]["updated_at"]
        assert after[i]["name"] != before[i].get("name")
    seen = {lead["id"] for lead in served if lead == after[lead["id"]]} & edited
    assert 0 < len(seen) < 4
    assert client.workspace.count() == 50


@cases(
    end=("delete@3:15", range(35), range(35)),
    served_leads_too=("delete@3:40", range(20), range(10)),
    all=("delete@1:999 update@1 add@1:0", (), ()),
    served_leads=("delete-first@3:5", range(50), range(5, 50)),
    beginning=("delete-first@3:25", [*range(20), *range(25, 50)], range(25, 50)),
    spread=(
        "delete-spread@3:5",
        [*range(25), *range(26, 35), *range(36, 45), *range(46, 50)],
        [n for n in range(50) if n % 10 != 5],
    ),
    and_add=("delete-first@3:25 add@4:5", [*range(20), *range(25, 55)], range(25, 55)),
    new_leads_follow_deleted_ones=(
        "delete@3:40 add@3:5",
        [*range(20), *range(50, 55)],
        [*range(10), *range(50, 55)],
    ),
)
def test_leads_are_added_and_deleted_during_a_scroll(
    faults: str, arriving: Iterable[int], remaining: Iterable[int], scroll: Start
) -> None:
    """The scroll continues with the same lead as before. No index is used twice."""
    client = scroll(*faults.split())
    ids = [lead(1, index)["id"] for index in range(55)]
    assert client.rest() == [ids[n] for n in arriving]
    assert [one["id"] for one in client.workspace.leads()] == [ids[n] for n in remaining]


@cases((5, 5), (999, 25))
def test_merge(number: int, merged: int, scroll: Start) -> None:
    """Leads disappear, and as many others are newer than before; half of the leads at most."""
    client = scroll(f"merge@3:{number}")
    before = {lead["id"]: lead for lead in client.workspace.leads()}
    served: dict[str, Any] = {}
    while leads := client.ask().json()["contacts"]:
        served |= {lead["id"]: lead for lead in leads}
    after = {lead["id"]: lead for lead in client.workspace.leads()}
    assert len(after) == 50 - merged
    survivors = [i for i in after if after[i]["updated_at"] > before[i]["updated_at"]]
    assert len(survivors) == merged
    assert after.keys() < served.keys()  # merged leads that were served before are among them
    assert any(served[i] == after[i] for i in survivors)


@cases(
    one=("stolen@3", [1, 2, 4, 5, None]),
    two=("stolen@p2:2", [1, 4, 5, None]),
    no_scroll_is_open=("stolen@1", [1, 2, 3, 4, 5, None]),
    all=("stolen@3:99", [1, 2, None]),
    again=("stolen@2 stolen@3", [1, 3, 5, None]),
    before_a_false_end=("stolen@3 end@4", [1, 2, 4, None]),
    repeated=("repeated-upstream@3", [1, 2, 4, 5, None]),
    repeated_and_stolen=("repeated-upstream@3 stolen@3", [1, 2, 5, None]),
    repeated_page=("repeat@3", [1, 2, 2, 3, 4, 5, None]),
    endless_loop=("repeat@2+", [1] * 9),
    false_end=("end@3", [1, 2, None, 404]),
    false_end_of_each_scroll=("end@p3", [1, 2, None, "open", 1, 2, None]),
    true_end_afterwards=("end@3", [1, 2, None, "open", 1, 2, 3, 4, 5, None]),
    expired=("expire@2", [1, 404, 404, "open", 1]),
    **{"404-in-place-of-the-end": ("no-end@*", [1, 2, 3, 4, 5, 404])},
)
def test_the_order_of_pages(faults: str, pages: list[int | str | None], scroll: Start) -> None:
    """The fault decides which pages a client receives. An ended scroll is gone for good."""
    client = scroll(*faults.split())
    for page in pages:
        if page == "open":
            client.param = None
        elif page == 404:
            assert code(client.ask()) == (404, "not_found")
        else:
            assert client.page() == (client.expected(int(page)) if page else [])
    assert client.workspace.count() == 50


@pytest.mark.parametrize(
    ("fault", "scroll_param", "served", "expected"),
    [
        ("repeated-upstream@1", "constant", 0, (400, "scroll_exists")),
        ("repeated-upstream@2", "changing", 1, (404, "not_found")),
        ("repeated-upstream@6", "constant", 5, (404, "not_found")),
    ],
    ids=["opening", "used-parameter", "after-the-end"],
)
def test_a_repeated_request_can_be_refused(
    scroll: Start, fault: str, scroll_param: str, served: int, expected: tuple[int, str]
) -> None:
    """The first of the two requests was served, and no client can use its response."""
    client = scroll(fault, scroll_param=scroll_param)
    client.pages(served)
    assert code(client.ask()) == expected
    client.clock.now += 60  # the scroll that the first request used expires like any other
    client.param = None
    assert client.page() == client.expected(1)


@cases("lost@3", "status@3:503", "restart@3")
def test_a_lost_page_can_deviate_too(fault: str, scroll: Start) -> None:
    """The scroll moves on by the leads that the page would have had."""
    client = scroll("short@3:7", "end@5", fault)
    pages = client.pages(2)
    with suppress(requests.ConnectionError):
        assert client.ask().status_code >= 500
    pages += client.pages(2)
    assert pages == [client.ids[:10], client.ids[10:20], client.ids[27:37], []]


@cases(
    ("short@2:4", [10, 4, 10, 10, 10, 6, 0]),
    ("short@3:0", [10, 10, 0, 10, 10, 10, 0]),
    ("short@3:7 end@4", [10, 10, 7, 0]),
    ("short@2:4 end@7", [10, 4, 10, 10, 10, 6, 0]),
)
def test_short(faults: str, sizes: list[int], scroll: Start) -> None:
    """The other leads are on the next pages. An empty page can look like the true end."""
    client = scroll(*faults.split())
    pages = client.pages(len(sizes))
    assert [len(page) for page in pages] == sizes
    assert [i for page in pages for i in page] == client.ids[: sum(sizes)]


def test_move(scroll: Start) -> None:
    """Served leads are served again at the end, in newer versions. No lead is skipped."""
    client = scroll("move@3:10")
    served = [client.ask().json()["contacts"] for _ in range(7)]
    pages = [[lead["id"] for lead in page] for page in served]
    assert pages == [client.expected(n) for n in (1, 2, 3, 4, 5, 1)] + [[]]
    for before, after in zip(served[0], served[5], strict=True):
        assert after["updated_at"] > before["updated_at"]
        assert after["name"] != before.get("name")
    assert client.workspace.count() == 50


def test_leads_can_move_before_they_are_served(scroll: Start) -> None:
    """Then they are served once. Only leads that were served are served again."""
    client = scroll("move@1:15", "move@2:999")
    once = client.ids[15:] + client.ids[:15]
    assert client.rest() == once[:10] + once
