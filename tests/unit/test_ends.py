"""Which end of a scroll is believed, and when a target may delete: each rule, and its limit."""

from __future__ import annotations

import pytest
from support.cases import cases
from support.lifecycle import Answer, Result, Script, no_page, page, play

from tap_leads.scroll.ends import Count, End, Judge, Mismatch, smaller
from tap_leads.scroll.reactions import Kind

EMPTY = page()
BOUND = Count(10_000, exact=False)


def scroll(*pages: int, start: str = "p", end: bool = True) -> Script:
    """A scroll with pages of these sizes; page n has the same leads in each scroll."""
    found: Script = [page(f"{start}{n}", size=size) for n, size in enumerate(pages) if size]
    return [*found, EMPTY] if end else [*found, no_page(Kind.NOT_FOUND)]


@cases(
    one_missing_after_a_full_page=([100], 101, True),
    none_missing_after_a_full_page=([100], 100, False),
    more_than_counted=([100], 99, False),
    one_missing_and_no_page=([], 1, True),
    an_empty_workspace=([], 0, False),
    less_than_a_page_missing_after_a_short_page=([100, 99], 298, False),
    a_page_missing_after_a_short_page=([100, 99], 299, True),
    a_full_page_and_no_count=([100], None, True),
    no_page_and_no_count=([], None, True),
    a_short_page_and_no_count=([100, 99], None, False),
)
def test_an_end_is_in_doubt_if_leads_may_be_missing(
    pages: list[int], count: int | None, doubted: bool
) -> None:
    result = play(scroll(*pages), scroll(*pages), counts=[count], mismatch="warn")
    assert not result.error
    assert result.opened == 1 + doubted
    assert result.warned("once more") == doubted


@cases(
    a_page_taken_by_someone_else=([100, 0, 100, 30], [100, 100, 100, 30]),
    an_opening_page_that_was_empty_by_mistake=([], [100, 100, 100, 30]),
    an_empty_page_in_the_middle=([100, 100], [100, 100, 100, 30]),
    an_empty_page_after_a_short_one=([100, 97], [100, 97, 100, 33]),
    each_scroll_lacks_another_page=([100, 0, 100, 30], [100, 100, 0, 30]),
)
def test_a_second_scroll_adds_what_the_first_one_missed(
    first: list[int], second: list[int]
) -> None:
    result = play(scroll(*first), scroll(*second), counts=[330])
    assert not result.error
    assert len(set(result.versions)) == len(result.versions) == result.tally.leads == 330
    assert result.may_delete


@cases(
    much_and_warn=(100, 900, "warn", True),
    **{
        "1-percent": (100, 101, "fail", True),
        "2-percent": (100, 102, "fail", False),
        "2-percent-and-warn": (100, 102, "warn", True),
    },
)
def test_two_scrolls_that_contradict_the_count_are_accepted_up_to_1_percent(
    leads: int, count: int, mismatch: Mismatch, accepted: bool
) -> None:
    result = play(scroll(leads), scroll(leads), counts=[count], mismatch=mismatch)
    assert bool(result.error) != accepted
    assert not result.may_delete
    said = " ".join([result.error, *result.log])
    assert f"ended with {leads} leads, while Intercom counts {count}" in said
    assert accepted or "'count_mismatch'" in result.error
    accepts = (
        f"ended with {leads} leads, while Intercom counts {count}, and so did the scroll before. "
    )
    assert result.warned(accepts + "The sync accepts this as the end.") == accepted


def test_a_contradicted_count_is_an_error_by_default() -> None:
    judge, last = Judge(), End(Count(900), 100, 100, 100)
    assert [judge.kind(last), judge.kind(last)] == [Kind.DOUBTFUL_END, Kind.CONTRADICTED_END]


def test_scrolls_go_on_as_long_as_each_brings_a_page_that_was_missing() -> None:
    scrolls = [scroll(100, start=f"part-{number}-") for number in range(3)]
    result = play(*scrolls, scroll(100, start="part-2-"), counts=[1000], mismatch="warn")
    assert result.opened == 4
    assert result.tally.leads == 300


def test_a_second_doubtful_end_that_brings_99_new_leads_is_the_last() -> None:
    second: Script = [page("p0", size=100), page("new", size=99), EMPTY]
    assert play(scroll(100), second, counts=[1000], mismatch="warn").opened == 2


def test_without_a_count_two_scrolls_must_agree() -> None:
    result = play(scroll(100, 100, 100), [EMPTY], scroll(100, 100, 100, 30))
    assert result.opened == 3
    assert result.tally.leads == 330
    agreed = play(scroll(100, 100), scroll(100, 100))
    assert agreed.warned("does not say how many there are")
    assert agreed.opened == 2
    a_page_less = play(scroll(100, 100), scroll(100), scroll(100))
    assert a_page_less.opened == 3


@cases(counted=([100], 900, 1), no_count=([100], None, 2))
def test_ignore_opens_no_scroll_because_of_a_count_and_deletes_nothing(
    pages: list[int], count: int | None, opened: int
) -> None:
    result = play(scroll(*pages), scroll(*pages), counts=[count], mismatch="ignore")
    assert not result.error
    assert result.opened == opened
    assert not result.may_delete


def test_ignore_deletes_where_the_count_agrees() -> None:
    assert play(scroll(100), counts=[100], mismatch="ignore").may_delete


NOT_FOUND = scroll(100, 30, end=False)


@cases(
    after_a_full_page=([scroll(100, end=False)] * 2, None),
    after_the_idle_time=([[*NOT_FOUND[:2], 60.0, no_page(Kind.NOT_FOUND)]] * 2, None),
    with_more_than_1_percent_missing=([NOT_FOUND, NOT_FOUND], 132),
    in_another_way=([NOT_FOUND, scroll(end=False)], None),
)
def test_not_found_is_no_end_unless_the_count_or_a_second_scroll_confirms_it(
    scripts: list[Script], count: int | None
) -> None:
    rest = scroll(100, 32)
    result = play(*scripts, rest, counts=[count], max_restarts=1)
    assert result.error or count == 132


@cases(130, 131, None)
def test_not_found_is_no_end_if_a_single_lead_is_missing(before: int | None) -> None:
    result = play(NOT_FOUND, scroll(100, 31), counts=[before, 131])
    assert (result.opened, result.tally.leads, result.error) == (2, 131, "")


@cases(by_the_count=(130, 1), by_a_second_scroll=(None, 2))
def test_not_found_after_a_short_page_is_the_end_if_confirmed(
    count: int | None, opened: int
) -> None:
    result = play(NOT_FOUND, NOT_FOUND, counts=[count])
    assert not result.error
    assert (result.opened, result.tally.leads) == (opened, 130)
    assert result.may_delete == (count == 130)


RATE_LIMITED, FAILED = no_page(Kind.RATE_LIMITED, 3.0), no_page(Kind.UNCLEAR)


@cases(
    counts=([330], [None], []),
    rate_limited_once=([RATE_LIMITED, 330], [None], [3.0]),
    rate_limited_at_the_end=([330, RATE_LIMITED, 330], [None], [3.0]),
    failed_once=([FAILED, 330], [None], [0.8]),
    refused_but_listed=([None], [330], []),
    unusable_but_listed=([no_page(Kind.NOT_A_PAGE)], [330], []),
    known_at_the_end_only=([None, 330], [None], []),
    known_at_the_start_only=([330, None], [None], []),
    leads_come=([330, 333], [None], []),
    leads_go=([333, 330], [None], []),
)
def test_a_known_count_is_found_and_confirms_the_end(
    counts: list[Answer], list_counts: list[Answer], waits: list[float]
) -> None:
    healthy = scroll(100, 100, 100, 30)
    result = play(healthy, counts=counts, list_counts=list_counts)
    assert not result.error
    assert result.waits == waits
    assert result.may_delete
    missed = play(scroll(100, 100), healthy, counts=counts, list_counts=list_counts)
    assert missed.tally.leads == 330


@pytest.mark.parametrize("counts", [[300, 303], [303, 300]], ids=["come", "go"])
def test_leads_that_come_or_go_meanwhile_raise_no_doubt(counts: list[Answer]) -> None:
    result = play(scroll(100, 100, 100), counts=counts, max_restarts=0)
    assert not result.error
    assert result.may_delete


def test_a_count_that_never_comes_is_waited_for_half_a_minute_once() -> None:
    result = play(scroll(30), counts=[FAILED], list_counts=[FAILED])
    assert not result.error
    assert 40 < sum(result.waits) <= 60
    assert "Intercom's count of leads is not known" in " ".join(result.log)
    assert not result.may_delete


def test_the_wait_for_a_count_is_no_longer_than_the_sync_may_wait() -> None:
    assert (
        play(scroll(30), counts=[FAILED], list_counts=[FAILED], scroll_wait_timeout=0).waits == []
    )


@pytest.mark.parametrize("count", [BOUND, 10_000], ids=["bound", "exact"])
def test_a_lower_bound_raises_a_doubt_but_proves_nothing(count: Answer) -> None:
    pages = [100] * 100 + [30]
    short = play(scroll(*pages[:80]), scroll(*pages), counts=[None], list_counts=[count])
    assert short.opened == 2
    assert short.tally.leads == 10_030
    assert short.may_delete == (count == 10_000)


def test_a_lower_bound_that_was_reached_is_no_count() -> None:
    scripts = [scroll(*[100] * 101)] * 2
    result = play(*scripts, counts=[None], list_counts=[BOUND])
    assert result.opened == 2
    assert not result.may_delete


@cases(
    a_lower_bound_that_was_not_reached=(BOUND, 9_999, True, 1),
    a_lower_bound_that_was_reached=(BOUND, 10_000, False, 0),
    an_exact_count=(Count(10_000), 10_000, True, 0),
    no_count=(None, 10_000, False, 0),
)
def test_a_count_shows_how_many_leads_are_missing(
    expected: Count | None, total: int, counted: bool, missing: int
) -> None:
    last = End(expected, total, total, 30)
    assert (last.is_counted, last.missing) == (counted, missing)


def end(missing: int, last_page: int = 30, count: int = 10_000) -> End:
    return End(Count(count), count - missing, count - missing, last_page)


@cases(
    nothing_missing=(end(0), True),
    more_than_counted=(end(-5), True),
    less_than_a_page_and_1_percent=(end(99), True),
    a_page=(end(100), False),
    more_than_1_percent=(end(3, count=200), False),
    in_doubt=(end(1, last_page=100), False),
    **{"1-percent": (end(2, count=200), True)},
)
def test_deletes_need_proof(last: End, allowed: bool) -> None:
    assert bool(last.obstacle_to_deletes) != allowed


@cases(
    (Count(5), Count(3), Count(3)),
    (Count(3), Count(5), Count(3)),
    (Count(12_000), BOUND, Count(12_000)),
    (BOUND, None, BOUND),
    (None, None, None),
)
def test_a_scroll_is_held_to_the_smaller_count(
    before: Count | None, after: Count | None, expected: Count | None
) -> None:
    assert smaller(before, after) == expected


def warnings(result: Result) -> list[str]:
    return [line for line in result.log if line.startswith("WARNING")]


def test_a_healthy_sync_says_nothing_of_counts() -> None:
    assert warnings(play(scroll(100, 30), counts=[130])) == []
