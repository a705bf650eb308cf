"""The loop of the scroll at its limits: how many changes, how long idle, and what it says."""

from __future__ import annotations

import pytest
from support.lifecycle import Script, ScriptedSource, no_page, page, play, run

from tap_leads.scroll.lifecycle import Tally
from tap_leads.scroll.limits import Limits
from tap_leads.scroll.paginator import ScrollPaginator
from tap_leads.scroll.reactions import Kind

EMPTY = page()


def test_a_lead_may_change_a_thousand_times_while_a_scroll_is_open() -> None:
    """A scroll that goes in circles brings more repeats than that, and more than its leads."""
    changes: Script = [page(f"a@{number}") for number in range(1, 1003)]
    assert not play([*changes, EMPTY], counts=[1]).error
    one_more: Script = [page(f"a@{number}") for number in range(1, 1004)]
    assert "repeated a page" in play([*one_more, EMPTY], counts=[1], max_restarts=0).error


@pytest.mark.parametrize(
    ("idle", "restarts"),
    [pytest.param(59.0, 0, id="while-it-lives"), pytest.param(60.0, 1, id="when-it-has-expired")],
)
def test_an_unreachable_api_breaks_a_scroll_once_it_has_expired(idle: float, restarts: int) -> None:
    first: Script = [page("a"), idle, no_page(Kind.UNREACHABLE)]
    rest: Script = [page("b"), EMPTY]
    result = play(first, [page("a"), *rest] if restarts else rest, counts=[2])
    assert not result.error
    assert result.opened == 1 + restarts
    assert result.versions == ["a@1", "b@1"]


@pytest.mark.parametrize(
    ("idle", "opened"),
    [pytest.param(29.0, 1, id="soon"), pytest.param(30.0, 2, id="after-half-of-the-idle-time")],
)
def test_not_found_can_be_an_end_only_soon_after_a_page(idle: float, opened: int) -> None:
    first: Script = [page("a", size=30), idle, no_page(Kind.NOT_FOUND)]
    result = play(first, [page("a", size=30), EMPTY], counts=[30])
    assert not result.error
    assert result.opened == opened


def test_before_the_first_page_nothing_is_known() -> None:
    tally = Tally()
    assert (tally.leads, tally.skipped, tally.pages) == (0, 0, 0)
    assert tally.counted is None
    assert tally.end is None


def test_pages_that_are_known_do_not_end_the_waiting_for_a_scroll_to_open() -> None:
    limited: list[Script] = [[no_page(Kind.RATE_LIMITED, 10.0)]] * 2
    broken: Script = [page("a"), no_page(Kind.UNCLEAR)]
    result = play(broken, *limited, broken, *limited, [EMPTY], scroll_wait_timeout=35.0)
    assert "'scroll_wait_timeout' allows 35 s" in result.error
    assert result.waits.count(10.0) == 3


def test_a_new_page_ends_the_waiting_for_a_scroll_to_open() -> None:
    limited: list[Script] = [[no_page(Kind.RATE_LIMITED, 10.0)]]
    broken: Script = [page("a"), no_page(Kind.UNCLEAR)]
    whole: Script = [page("a"), page("b"), EMPTY]
    result = play(*limited, *limited, broken, *limited, *limited, whole, scroll_wait_timeout=35.0)
    assert not result.error
    assert result.waits.count(10.0) == 4


@pytest.mark.parametrize("pages", [1, 3])
def test_opening_a_scroll_is_logged_once(pages: int) -> None:
    result = play([*(page(f"lead-{number}") for number in range(pages)), EMPTY])
    assert result.log.count("INFO: Opened the scroll.") == 1


@pytest.mark.parametrize(("leads", "opened"), [(1, 1), (2, 2), (3, 1)])
def test_the_size_of_a_full_page_decides_which_end_is_abrupt(leads: int, opened: int) -> None:
    scroll: Script = [page("a", size=leads), EMPTY]
    source = ScriptedSource([scroll, scroll], [None], [None])
    result = run(source, Limits(), source.clock, source.asked, page_size=2)
    assert not result.error
    assert result.opened == opened


def test_the_paginator_ends_with_a_page_without_leads() -> None:
    paginator = ScrollPaginator()
    states = [(paginator.current_value, paginator.finished, paginator.count)]
    for each in (page("a"), page("b", scroll_param="t"), page(scroll_param=None)):
        paginator.advance(each)
        states.append((paginator.current_value, paginator.finished, paginator.count))
    assert states == [(None, False, 0), ("s", False, 1), ("t", False, 2), (None, True, 2)]
