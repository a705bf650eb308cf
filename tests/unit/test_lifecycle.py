"""What the loop does after each kind of response, and its limits."""

from __future__ import annotations

from support.cases import cases
from support.lifecycle import ADVICE, Script, no_page, page, play

from tap_leads.scroll.lifecycle import Tally
from tap_leads.scroll.paginator import ScrollPaginator
from tap_leads.scroll.reactions import Kind

A, B, EMPTY = page("a"), page("b"), page()
ALL: Script = [A, B, EMPTY]
BROKEN: Script = [A, no_page(Kind.UNCLEAR)]
LIMITED = no_page(Kind.RATE_LIMITED, 10.0)


@cases(
    repeated=[A, A],
    scroll_exists=[A, no_page(Kind.SCROLL_EXISTS)],
    not_found=[page("a", size=100), no_page(Kind.NOT_FOUND)],
    unreachable_too_long=[A, 60.0, no_page(Kind.UNREACHABLE)],
    not_a_page=[A, no_page(Kind.NOT_A_PAGE)],
    not_a_page_at_the_opening=[no_page(Kind.NOT_A_PAGE)],
    unclear=BROKEN,
    unclear_at_the_opening=[no_page(Kind.UNCLEAR)],
)
def test_a_scroll_that_may_have_lost_a_page_is_restarted(broken: Script) -> None:
    """Even if the next one breaks in the same way."""
    result = play(broken, broken, ALL)
    assert (result.waits, result.asked, result.error) == ([60.0, 90.0], [None] * 3, "")
    assert {"a@1", "b@1"} <= set(result.versions)
    assert len(result.versions) == len(set(result.versions))
    what = "The scroll broke" if len(broken) > 1 else "Opening the scroll failed"
    assert sum(line.startswith(f"WARNING: {what}: ") for line in result.log) == 2


@cases(Kind.LEAD_WITHOUT_ID, Kind.REFUSED, Kind.MISCONFIGURED, Kind.NOT_FOUND)
def test_what_no_waiting_changes_is_an_error(kind: Kind) -> None:
    result = play([no_page(kind)])
    assert result.error.endswith(f"{kind.value[1:]}. {ADVICE}.")
    assert (result.versions, result.waits, result.asked) == ([], [], [None])
    result = play([A, no_page(kind)], [EMPTY])
    assert result.versions == ["a@1"]
    assert bool(result.error) == (kind is not Kind.NOT_FOUND)


@cases(
    rate_limited=([A, no_page(Kind.RATE_LIMITED, 7.0)], [7.0], [None, "s"]),
    rate_limited_at_the_opening=([no_page(Kind.RATE_LIMITED, 7.0)], [7.0], [None, None]),
    unreachable=([A, 59.0, no_page(Kind.UNREACHABLE)], [0.8], [None, "s"]),
    unreachable_at_the_opening=([no_page(Kind.UNREACHABLE)], [0.8], [None, None]),
    scroll_exists_at_the_opening=([no_page(Kind.SCROLL_EXISTS)], [60.0], [None, None]),
)
def test_a_request_that_was_certainly_not_served_is_repeated(
    script: Script, waits: list[float], asked: list[str | None]
) -> None:
    """It is not a restart."""
    result = play(script, [B, EMPTY], max_restarts=0)
    assert (result.waits, result.asked, result.error) == (waits, asked, "")
    assert result.versions == (["a@1", "b@1"] if "s" in asked else ["b@1"])


def test_pages_that_an_earlier_scroll_sent_reset_the_limit_within_a_scroll() -> None:
    """A restart reads everything again, and may reach the rate limit as often as before."""
    pages = [page(f"lead-{number}") for number in range(100)]
    follows: list[Script] = [[each, LIMITED] for each in pages]
    result = play([*pages, no_page(Kind.UNCLEAR)], *follows, [EMPTY])
    assert not result.error
    assert sum(result.waits) == 60.0 + 1000.0


def test_pages_that_are_known_do_not_end_the_waiting_for_a_scroll_to_open() -> None:
    """Otherwise, 600 s could become many times as much."""
    script: list[Script] = [BROKEN, [LIMITED], [LIMITED]]
    result = play(*script, *script, [EMPTY], scroll_wait_timeout=35.0)
    assert "'scroll_wait_timeout' allows 35 s" in result.error
    assert result.waits.count(10.0) == 3


def test_a_new_page_ends_the_waiting_for_a_scroll_to_open() -> None:
    script: list[Script] = [[LIMITED], [LIMITED], BROKEN, [LIMITED], [LIMITED], ALL]
    result = play(*script, scroll_wait_timeout=35.0)
    assert not result.error
    assert result.waits.count(10.0) == 4


def test_the_time_of_requests_that_could_not_be_sent_counts_as_waiting() -> None:
    slow: Script = [20.0, no_page(Kind.UNREACHABLE)]
    result = play(slow, slow, slow, scroll_wait_timeout=50.0)
    assert "did not change in 62 s" in result.error
    assert result.waits == [0.8, 1.6]


def test_versions_are_passed_on_once_and_no_older_one_after_a_newer() -> None:
    first: Script = [page("a@5"), page("b@5"), no_page(Kind.UNCLEAR)]
    result = play(first, [page("a@4", "c"), page("b@6"), page("a@5"), EMPTY])
    assert result.versions == ["a@5", "b@5", "c@1", "b@6"]
    assert (result.tally.leads, result.tally.skipped, result.tally.pages) == (3, 2, 5)


def test_a_page_of_newer_versions_is_not_a_repeated_page() -> None:
    """Edited leads move to the end of the scroll."""
    result = play([page("a", "b"), page("a@2", "b@2"), EMPTY], counts=[2])
    assert result.versions == ["a@1", "b@1", "a@2", "b@2"]
    assert (result.waits, result.log) == ([], ["INFO: Opened the scroll."])


@cases((1002, False), (1003, True))
def test_a_lead_may_change_a_thousand_times_while_a_scroll_is_open(times: int, ends: bool) -> None:
    """A scroll that goes in circles brings more repeats than that, and more than its leads."""
    changes = [page(f"a@{number}") for number in range(1, times + 1)]
    result = play([*changes, page()], counts=[1], max_restarts=0)
    assert bool(result.error) == ("repeated a page" in result.error) == ends


@cases((1, 1), (2, 2))
def test_the_size_of_a_full_page_decides_which_end_is_abrupt(leads: int, opened: int) -> None:
    scroll: Script = [page("a", size=leads), EMPTY]
    assert play(scroll, scroll, page_size=2).opened == opened


def test_before_the_first_page_nothing_is_known() -> None:
    assert Tally() == Tally(leads=0, skipped=0, pages=0, counted=None, end=None)


def test_the_paginator_ends_with_a_page_without_leads() -> None:
    paginator = ScrollPaginator()
    states = [(paginator.current_value, paginator.finished, paginator.count)]
    for each in (page("a"), page("b", scroll_param="t"), page(scroll_param=None)):
        paginator.advance(each)
        states.append((paginator.current_value, paginator.finished, paginator.count))
    assert states == [(None, False, 0), ("s", False, 1), ("t", False, 2), (None, True, 2)]
