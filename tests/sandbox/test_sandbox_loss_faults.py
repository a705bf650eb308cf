"""Losses without a sign: pages that someone else gets, leads that merge, and wrong counts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.scroll_client import ScrollClient, code

Start = Callable[..., ScrollClient]


def test_a_page_that_another_client_takes_is_gone(scroll: Start) -> None:
    client = scroll("taken@2", "taken@3:2")
    assert client.page() == client.expected(1)
    assert client.page() == client.expected(3)
    assert client.page() == []


def test_a_proxy_that_repeats_a_request_passes_on_the_page_after_it(scroll: Start) -> None:
    client = scroll("doubled@2")
    assert client.page() == client.expected(1)
    assert client.page() == client.expected(3)


def test_a_proxy_that_repeats_an_opening_meets_its_own_scroll(scroll: Start) -> None:
    assert code(scroll("doubled@1").ask()) == (400, "scroll_exists")


def test_leads_that_merge_are_gone_and_the_scroll_continues_with_the_same_lead(
    scroll: Start,
) -> None:
    client = scroll("merge@2:5")
    assert client.page() == client.expected(1)
    assert client.page() == client.expected(2)
    left = list(client.sandbox.workspace.leads())
    assert [lead["id"] for lead in left] == client.ids[5:]
    assert all("(edit" in lead["name"] for lead in left[:5])
    assert not any("(edit" in str(lead.get("name")) for lead in left[5:])


@pytest.mark.parametrize(
    ("fault", "count", "total"),
    [
        pytest.param("counts/off@*:3", 53, 50, id="count-too-high"),
        pytest.param("counts/off@*:-3", 47, 50, id="count-too-low"),
        pytest.param("contacts/off@*:-3", 50, 47, id="list-too-low"),
    ],
)
def test_counts_can_be_wrong(scroll: Start, fault: str, count: int, total: int) -> None:
    client = scroll(fault)
    assert client.get("/counts").json()["lead"]["count"] == count
    assert client.get("/contacts?per_page=1").json()["total_count"] == total


@pytest.mark.parametrize(
    ("leads", "faults", "total", "limited"),
    [
        pytest.param(9_999, [], 9_999, False, id="all"),
        pytest.param(10_000, [], 10_000, False, id="just-all"),
        pytest.param(10_001, [], 10_000, True, id="too-many"),
        pytest.param(50, ["contacts/limited@*"], 50, True, id="on-request"),
    ],
)
def test_a_list_ends_at_10_000_leads(
    scroll: Start, leads: int, faults: list[str], total: int, limited: bool
) -> None:
    listed = scroll(*faults, leads=leads).get("/contacts?per_page=1").json()
    assert (listed["total_count"], listed["limited"]) == (total, limited)
    assert len(listed["contacts"]) == 1


def test_a_redirect_can_have_a_body(scroll: Start) -> None:
    response = scroll("302@1:2").ask()
    assert (response.status_code, len(response.content)) == (302, 2 << 20)
