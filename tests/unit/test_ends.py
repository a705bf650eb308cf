"""Which end of a scroll is believed, and when a target may delete: each rule, and its limit."""

from __future__ import annotations

import pytest
from support.lifecycle import Answer, Result, Script, no_page, page, play

from tap_leads.scroll.ends import Count, End, Judge, Mismatch, smaller
from tap_leads.scroll.reactions import Kind

EMPTY = page()
BOUND = Count(10_000, exact=False)


def scroll(*pages: int, start: str = "p", end: bool = True) -> Script:
    """A scroll with pages of these sizes; page n has the same leads in each scroll."""
    found: Script = [page(f"{start}{n}", size=size) for n, size in enumerate(pages) if size]
    return [*found, EMPTY] if end else [*found, no_page(Kind.NOT_FOUND)]


@pytest.mark.parametrize(
    ("pages", "count", "doubted"),
    [
        pytest.param([100], 101, True, id="one-missing-after-a-full-page"),
        pytest.param([100], 100, False, id="none-missing-after-a-full-page"),
        pytest.param([100], 99, False, id="more-than-counted"),
        pytest.param([], 1, True, id="one-missing-and-no-page"),
        pytest.param([], 0, False, id="an-empty-workspace"),
        pytest.param([100, 99], 298, False, id="less-than-a-page-missing-after-a-short-page"),
        pytest.param([100, 99], 299, True, id="a-page-missing-after-a-short-page"),
        pytest.param([100], None, True, id="a-full-page-and-no-count"),
        pytest.param([], None, True, id="no-page-and-no-count"),
        pytest.param([100, 99], None, False, id="a-short-page-and-no-count"),
    ],
)
def test_an_end_is_in_doubt_if_leads_may_be_missing(
    pages: list[int], count: int | None, doubted: bool
) -> None:
    result = play(scroll(*pages), scroll(*pages), counts=[count], mismatch="warn")
    assert not result.error
    assert result.opened == 1 + doubted
    assert result.warned("once more") == doubted


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param([100, 0, 100, 30], [100, 100, 100, 30], id="a-page-taken-by-someone-else"),
        pytest.param([], [100, 100, 100, 30], id="an-opening-page-that-was-empty-by-mistake"),
        pytest.param([100, 100], [100, 100, 100, 30], id="an-empty-page-in-the-middle"),
        pytest.param([100, 97], [100, 97, 100, 33], id="an-empty-page-after-a-short-one"),
        pytest.param([100, 0, 100, 30], [100, 100, 0, 30], id="each-scroll-lacks-another-page"),
    ],
)
def test_a_second_scroll_adds_what_the_first_one_missed(
    first: list[int], second: list[int]
) -> None:
    result = play(scroll(*first), scroll(*second), counts=[330])
    assert not result.error
    assert len(set(result.versions)) == len(result.versions) == result.tally.leads == 330
    assert result.may_delete


@pytest.mark.parametrize(
    ("leads", "count", "mismatch", "accepted"),
    [
        pytest.param(100, 101, "fail", True, id="1-percent"),
        pytest.param(100, 102, "fail", False, id="2-percent"),
        pytest.param(100, 102, "warn", True, id="2-percent-and-warn"),
        pytest.param(100, 900, "warn", True, id="much-and-warn"),
    ],
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


@pytest.mark.parametrize(
    ("pages", "count", "opened"),
    [
        pytest.param([100], 900, 1, id="counted"),
        pytest.param([100], None, 2, id="no-count"),
    ],
)
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


@pytest.mark.parametrize(
    ("scripts", "count"),
    [
        pytest.param([scroll(100, end=False)] * 2, None, id="after-a-full-page"),
        pytest.param(
            [[*NOT_FOUND[:2], 60.0, no_page(Kind.NOT_FOUND)]] * 2, None, id="after-the-idle-time"
        ),
        pytest.param([NOT_FOUND, NOT_FOUND], 132, id="with-more-than-1-percent-missing"),
        pytest.param([NOT_FOUND, scroll(end=False)], None, id="in-another-way"),
    ],
)
def test_not_found_is_no_end_unless_the_count_or_a_second_scroll_confirms_it(
    scripts: list[Script], count: int | None
) -> None:
    rest = scroll(100, 32)
    result = play(*scripts, rest, counts=[count], max_restarts=1)
    assert result.error or count == 132


@pytest.mark.parametrize("before", [130, 131, None])
def test_not_found_is_no_end_if_a_single_lead_is_missing(before: int | None) -> None:
    result = play(NOT_FOUND, scroll(100, 31), counts=[before, 131])
    assert (result.opened, result.tally.leads, result.error) == (2, 131, "")


@pytest.mark.parametrize(
    ("count", "opened"),
    [pytest.param(130, 1, id="by-the-count"), pytest.param(None, 2, id="by-a-second-scroll")],
)
def test_not_found_after_a_short_page_is_the_end_if_confirmed(
    count: int | None, opened: int
) -> None:
    result = play(NOT_FOUND, NOT_FOUND, counts=[count])
    assert not result.error
    assert (result.opened, result.tally.leads) == (opened, 130)
    assert result.may_delete == (count == 130)


RATE_LIMITED, FAILED = no_page(Kind.RATE_LIMITED, 3.0), no_page(Kind.UNCLEAR)


@pytest.mark.parametrize(
    ("counts", "list_counts", "waits"),
    [
        pytest.param([330], [None], [], id="counts"),
        pytest.param([RATE_LIMITED, 330], [None], [3.0], id="rate-limited-once"),
        pytest.param([330, RATE_LIMITED, 330], [None], [3.0], id="rate-limited-at-the-end"),
        pytest.param([FAILED, 330], [None], [0.8], id="failed-once"),
        pytest.param([None], [330], [], id="refused-but-listed"),
        pytest.param([no_page(Kind.NOT_A_PAGE)], [330], [], id="unusable-but-listed"),
        pytest.param([None, 330], [None], [], id="known-at-the-end-only"),
        pytest.param([330, None], [None], [], id="known-at-the-start-only"),
        pytest.param([330, 333], [None], [], id="leads-come"),
        pytest.param([333, 330], [None], [], id="leads-go"),
    ],
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


@pytest.mark.parametrize(
    ("expected", "total", "counted", "missing"),
    [
        pytest.param(BOUND, 9_999, True, 1, id="a-lower-bound-that-was-not-reached"),
        pytest.param(BOUND, 10_000, False, 0, id="a-lower-bound-that-was-reached"),
        pytest.param(Count(10_000), 10_000, True, 0, id="an-exact-count"),
        pytest.param(None, 10_000, False, 0, id="no-count"),
    ],
)
def test_a_count_shows_how_many_leads_are_missing(
    expected: Count | None, total: int, counted: bool, missing: int
) -> None:
    last = End(expected, total, total, 30)
    assert (last.is_counted, last.missing) == (counted, missing)


def end(missing: int, last_page: int = 30, count: int = 10_000) -> End:
    return End(Count(count), count - missing, count - missing, last_page)


@pytest.mark.parametrize(
    ("last", "allowed"),
    [
        pytest.param(end(0), True, id="nothing-missing"),
        pytest.param(end(-5), True, id="more-than-counted"),
        pytest.param(end(99), True, id="less-than-a-page-and-1-percent"),
        pytest.param(end(100), False, id="a-page"),
        pytest.param(end(2, count=200), True, id="1-percent"),
        pytest.param(end(3, count=200), False, id="more-than-1-percent"),
        pytest.param(end(1, last_page=100), False, id="in-doubt"),
    ],
)
def test_deletes_need_proof(last: End, allowed: bool) -> None:
    assert bool(last.obstacle_to_deletes) != allowed


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (Count(5), Count(3), Count(3)),
        (Count(3), Count(5), Count(3)),
        (Count(12_000), BOUND, Count(12_000)),
        (BOUND, None, BOUND),
        (None, None, None),
    ],
)
def test_a_scroll_is_held_to_the_smaller_count(
    before: Count | None, after: Count | None, expected: Count | None
) -> None:
    assert smaller(before, after) == expected


def warnings(result: Result) -> list[str]:
    return [line for line in result.log if line.startswith("WARNING")]


def test_a_healthy_sync_says_nothing_of_counts() -> None:
    assert warnings(play(scroll(100, 30), counts=[130])) == []
