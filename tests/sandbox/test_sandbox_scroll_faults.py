"""Faults of the leads and the scroll: each does what it says, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from support.scroll_client import PAGE, ScrollClient, code

from tap_leads.sandbox import malformed_kind


def test_expire(scroll: Callable[..., ScrollClient]) -> None:
    """The scroll is gone for good, and another may be opened at once."""
    client = scroll("expire@2")
    client.page()
    assert code(client.ask()) == (404, "not_found")
    assert code(client.ask()) == (404, "not_found")
    client.param = None
    assert client.page() == client.expected(1)


def test_another_client_scrolls(scroll: Callable[..., ScrollClient]) -> None:
    """For SECONDS from the first time; it ends the client's own scroll: a workspace has one."""
    now = [1000.0]
    client = scroll("exists@2-4:30", clock=lambda: now[0])
    client.page()
    assert code(client.ask()) == (404, "not_found")
    client.param = None
    now[0] += 20
    assert code(client.ask()) == (400, "scroll_exists")
    now[0] += 10
    assert client.page() == client.expected(1)


def test_repeat(scroll: Callable[..., ScrollClient]) -> None:
    """A page comes twice; none is skipped."""
    client = scroll("repeat@3")
    pages = [client.page() for _ in range(7)]
    assert pages == [client.expected(n) for n in (1, 2, 2, 3, 4, 5, 6)]
    assert pages[-1] == []


def test_a_scroll_can_repeat_endlessly(scroll: Callable[..., ScrollClient]) -> None:
    """Endless loops happen (airbyte issue 58638)."""
    client = scroll("repeat@2+")
    assert [client.page() for _ in range(9)] == [client.expected(1)] * 9


def test_no_end(scroll: Callable[..., ScrollClient]) -> None:
    """404 where the empty page should be (tap-intercom pull request 77)."""
    client = scroll("no-end@*")
    assert [len(client.page()) for _ in range(5)] == [PAGE] * 5
    assert code(client.ask()) == (404, "not_found")


def test_types(scroll: Callable[..., ScrollClient]) -> None:
    """Every other lead of the page has malformed values; all others are as they were."""
    client = scroll("types@2")
    before = list(client.sandbox.workspace.leads())
    assert client.ask().json()["contacts"] == before[:PAGE]
    served = client.ask().json()["contacts"]
    assert [lead["id"] for lead in served] == client.expected(2)
    # As text: false is not 0, and 12 is not 12.0.
    changed = [
        index
        for index, lead in enumerate(served, PAGE)
        if json.dumps(lead) != json.dumps(before[index])
    ]
    assert changed == [index for index in range(PAGE, 2 * PAGE) if malformed_kind(1, index)]
    assert len(changed) == PAGE // 2


def test_malformed_values_on_the_wire(scroll: Callable[..., ScrollClient]) -> None:
    """NUL and lone surrogates travel as JSON escapes, huge integers digit by digit."""
    body = scroll("types@*", leads=100, page_size=100).ask().content
    for escape in (rb"\u0000", rb"\ud800", rb"\udfff", b"C:\\\\u0000", b"1180591620717411303425"):
        assert escape in body
    assert body.isascii()


def test_no_id(scroll: Callable[..., ScrollClient]) -> None:
    """One lead of the page has none."""
    client = scroll("no-id@1")
    served = client.ask().json()["contacts"]
    assert [lead.get("id") for lead in served] == [None, *client.expected(1)[1:]]


def test_update(scroll: Callable[..., ScrollClient]) -> None:
    """Leads on both sides of the position are edited: later, and with another name."""
    client = scroll("update@3:4")
    before = {lead["id"]: lead for lead in client.sandbox.workspace.leads()}
    served = [lead for _ in range(5) for lead in client.ask().json()["contacts"]]
    after = {lead["id"]: lead for lead in client.sandbox.workspace.leads()}
    edited = {i for i in after if after[i] != before[i]}
    assert len(edited) == 4
    for i in edited:
        assert after[i]["updated_at"] > before[i]["updated_at"]
        assert after[i]["name"] != before[i].get("name")
    seen = {lead["id"] for lead in served if lead == after[lead["id"]]} & edited
    assert 0 < len(seen) < 4
    assert client.sandbox.workspace.count() == 50


def test_delete(scroll: Callable[..., ScrollClient]) -> None:
    """The last leads are gone, for this scroll and the next."""
    client = scroll("delete@2:15")
    pages = [client.page() for _ in range(5)]
    assert [len(page) for page in pages] == [10, 10, 10, 5, 0]
    assert [i for page in pages for i in page] == client.ids[:35]
    assert client.sandbox.workspace.count() == 35


def test_add(scroll: Callable[..., ScrollClient]) -> None:
    """New leads come last, and are new even where others were deleted."""
    client = scroll("delete@1:5", "add@2:4", "add@3:3")
    pages = [client.page() for _ in range(7)]
    assert [len(page) for page in pages] == [10, 10, 10, 10, 10, 2, 0]
    arrived = [i for page in pages for i in page]
    assert arrived[:45] == client.ids[:45]
    assert len(set(arrived) | set(client.ids)) == 57
    assert arrived == [lead["id"] for lead in client.sandbox.workspace.leads()]


def test_nothing_is_left_of_too_many_deletions(scroll: Callable[..., ScrollClient]) -> None:
    """An empty workspace, not an error."""
    client = scroll("delete@2:999", "update@3", "add@4:0")
    assert [len(client.page()) for _ in range(2)] == [10, 0]
    assert client.sandbox.workspace.count() == 0


def test_end(scroll: Callable[..., ScrollClient]) -> None:
    """An empty page that ends the scroll: it looks like the end, and another may be opened."""
    client = scroll("end@3")
    assert [len(client.page()) for _ in range(3)] == [PAGE, PAGE, 0]
    assert code(client.ask()) == (404, "not_found")
    client.param = None
    assert [len(client.page()) for _ in range(6)] == [PAGE] * 5 + [0]


def test_every_scroll_can_end_at_the_same_place(scroll: Callable[..., ScrollClient]) -> None:
    """Counted from its opening."""
    client = scroll("end@p3")
    for _ in range(2):
        client.param = None
        pages = [client.page() for _ in range(3)]
        assert pages == [client.expected(1), client.expected(2), []]


@pytest.mark.parametrize(
    ("fault", "sizes"),
    [("short@2:4", [10, 4, 10, 10, 10, 6, 0]), ("short@3:0", [10, 10, 0, 10, 10, 10, 0])],
)
def test_short(scroll: Callable[..., ScrollClient], fault: str, sizes: list[int]) -> None:
    """The other leads come on the next pages; an empty page is no end either."""
    client = scroll(fault)
    pages = [client.page() for _ in sizes]
    assert [len(page) for page in pages] == sizes
    assert [i for page in pages for i in page] == client.ids


def test_move(scroll: Callable[..., ScrollClient]) -> None:
    """Leads that were served come again at the end, in newer versions; no lead is skipped."""
    client = scroll("move@3:10")
    served = [client.ask().json()["contacts"] for _ in range(7)]
    pages = [[lead["id"] for lead in page] for page in served]
    assert pages == [client.expected(n) for n in (1, 2, 3, 4, 5, 1)] + [[]]
    for before, after in zip(served[0], served[5], strict=True):
        assert after["updated_at"] > before["updated_at"]
        assert after["name"] != before.get("name")
    assert client.sandbox.workspace.count() == 50


def test_leads_can_move_before_they_are_served(scroll: Callable[..., ScrollClient]) -> None:
    """Then they come once, and only those that were served come again."""
    client = scroll("move@1:15", "move@2:999")
    pages = [client.page() for _ in range(7)]
    once = client.ids[15:] + client.ids[:15]
    assert [i for page in pages for i in page] == once[:10] + once


def test_stale(scroll: Callable[..., ScrollClient]) -> None:
    """The first leads of the page are older than those of the workspace, and than other pages'."""
    client = scroll("stale@2:4")
    newest = list(client.sandbox.workspace.leads())
    assert client.ask().json()["contacts"] == newest[:PAGE]
    older, same = (served := client.ask().json()["contacts"])[:4], served[4:]
    assert same == newest[PAGE + 4 : 2 * PAGE]
    for before, after in zip(older, newest[PAGE : PAGE + 4], strict=True):
        assert before["id"] == after["id"]
        assert before["updated_at"] == after["updated_at"] - 86_400
        assert before["name"] != after.get("name")
    assert list(client.sandbox.workspace.leads()) == newest


def test_no_updated_at(scroll: Callable[..., ScrollClient]) -> None:
    """Nothing else is missing, and only on this page."""
    client = scroll("no-updated-at@1")
    leads = list(client.sandbox.workspace.leads())
    for lead in leads[:PAGE]:
        del lead["updated_at"]
    assert [client.ask().json()["contacts"] for _ in range(2)] == [leads[:PAGE], leads[PAGE:20]]


def test_surrogate(scroll: Callable[..., ScrollClient]) -> None:
    """In the last lead of the page, written as a JSON escape; the others are as they were."""
    client = scroll("surrogate@1")
    leads = list(client.sandbox.workspace.leads())[:PAGE]
    response = client.ask()
    assert response.content.count(rb"\ud800") == 1
    assert response.json()["contacts"] == [*leads[:-1], {**leads[-1], "name": "Ada \ud800 Hopper"}]
