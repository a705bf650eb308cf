"""Which end of a scroll is believed, and when a target may delete: each rule, and its limit."""

from __future__ import annotations

from support.cases import cases
from support.lifecycle import Answer, Script, no_page, page, play

from tap_leads.scroll.ends import Count, End, Judge, Mismatch, smaller
from tap_leads.scroll.reactions import Kind

BOUND = Count(10_000, exact=False)


def scroll(*pages: int, start: str = "p", end: bool = True) -> Script:
    """A scroll with pages of these sizes; page n has the same leads in each scroll."""
    found: Script = [page(f"{start}{n}", size=size) for n, size in enumerate(pages) if size]
    return [*found, page() if end else no_page(Kind.NOT_FOUND)]


def end(expected: Count | None, total: int, last_page: int = 30) -> End:
    return End(expected, total, total, last_page)


@cases(
    one_missing_after_a_full_page=(end(Count(10_001), 10_000, 100), 1, True, False),
    none_missing_after_a_full_page=(end(Count(100), 100, 100), 0, False, True),
    one_missing_and_no_page=(end(Count(1), 0, 0), 1, True, False),
    an_empty_workspace=(end(Count(0), 0, 0), 0, False, True),
    less_than_a_page_missing_after_a_short_page=(end(Count(10_000), 9_901), 99, False, True),
    a_page_missing_after_a_short_page=(end(Count(10_000), 9_900), 100, True, False),
    one_percent_missing=(end(Count(200), 198), 2, False, True),
    more_than_one_percent_missing=(end(Count(200), 197), 3, False, False),
    more_than_counted=(end(Count(100), 105), 0, False, True),
    a_full_page_and_no_count=(end(None, 100, 100), 0, True, False),
    a_short_page_and_no_count=(end(None, 130), 0, False, False),
    a_lower_bound_that_was_not_reached=(end(BOUND, 9_999), 1, False, False),
    a_lower_bound_that_was_not_reached_by_far=(end(BOUND, 8_030), 1_970, True, False),
    a_lower_bound_that_was_reached=(end(BOUND, 10_030), 0, False, False),
    a_lower_bound_that_was_reached_with_a_full_page=(end(BOUND, 10_000, 100), 0, True, False),
)
def test_an_end_is_in_doubt_if_leads_may_be_missing_and_deletes_need_proof(
    last: End, missing: int, doubted: bool, may_delete: bool
) -> None:
    assert (last.missing, last.is_in_doubt) == (missing, doubted)
    assert (not last.obstacle_to_deletes) == may_delete


@cases((9_999, True), (10_000, False))
def test_a_lower_bound_that_was_reached_shows_no_loss(total: int, is_counted: bool) -> None:
    assert end(BOUND, total).is_counted == is_counted


def test_an_empty_workspace_has_an_end_at_once() -> None:
    result = play(scroll(), counts=[0])
    assert (result.error, result.waits, result.may_delete) == ("", [], True)


@cases(
    a_page_taken_by_someone_else=([100, 0, 100, 30], [100, 100, 100, 30]),
    each_scroll_lacks_another_page=([100, 0, 100, 30], [100, 100, 0, 30]),
)
def test_a_second_scroll_adds_what_the_first_one_missed(
    first: list[int], second: list[int]
) -> None:
    result = play(scroll(*first), scroll(*second), counts=[330])
    assert len(set(result.versions)) == len(result.versions) == result.tally.leads == 330
    assert result.may_delete
    assert (result.waits, result.warned("reading all leads once more")) == ([60.0], True)


@cases(
    one_percent=(100, 101, "fail", True),
    two_percent=(100, 102, "fail", False),
    two_percent_and_warn=(100, 102, "warn", True),
    no_lead=(0, 2, "fail", False),
)
def test_two_scrolls_that_contradict_the_count_are_accepted_up_to_1_percent(
    leads: int, count: int, mismatch: Mismatch, accepted: bool
) -> None:
    result = play(scroll(leads), scroll(leads), counts=[count], mismatch=mismatch)
    said = f"ended with {leads} leads, while Intercom counts {count}"
    accepts = f"{said}, and so did the scroll before. The sync accepts this as the end."
    assert result.warned(accepts) == accepted
    assert (said in result.error and "'count_mismatch'" in result.error) != accepted
    assert not result.may_delete


def test_a_contradicted_count_is_an_error_by_default() -> None:
    judge, last = Judge(), End(Count(900), 100, 100, 100)
    assert [judge.kind(last), judge.kind(last)] == [Kind.DOUBTFUL_END, Kind.CONTRADICTED_END]


P, Q, R = (scroll(100, start=start) for start in "pqr")


@cases(
    each_brings_a_page_that_was_missing=([P, Q, R, R], 1000, 300),
    the_last_brings_less_than_a_page=([P, [P[0], page("q", size=99), page()]], 1000, 199),
    both_have_no_leads_and_no_count=([scroll(), scroll()], None, 0),
    a_lower_bound_that_was_reached=([P, P], Count(100, exact=False), 100),
    the_last_two_agree_without_a_count=([scroll(100, 100), P, P], None, 200),
    the_last_is_no_longer_in_doubt=([scroll(100, 100), [page()], scroll(100, 100, 30)], None, 230),
)
def test_scrolls_go_on_while_they_disagree(
    scripts: list[Script], count: Answer, leads: int
) -> None:
    result = play(*scripts, counts=[count], mismatch="warn")
    assert (result.error, result.opened, result.tally.leads) == ("", len(scripts), leads)
    assert count or result.warned("does not say how many there are")


@cases(
    a_count_that_disagrees=(900, 1, False),
    one_that_agrees=(100, 1, True),
    no_count=(None, 2, False),
)
def test_ignore_opens_no_scroll_because_of_a_count_and_deletes_nothing_if_it_disagrees(
    count: int | None, opened: int, may_delete: bool
) -> None:
    result = play(P, P, counts=[count], mismatch="ignore")
    assert (result.error, result.opened, result.may_delete) == ("", opened, may_delete)


NOT_FOUND = scroll(100, 30, end=False)
LATE, SOON = ([*NOT_FOUND[:2], idle, no_page(Kind.NOT_FOUND)] for idle in (30.0, 29.0))
FULL = scroll(100, end=False)


@cases(
    confirmed_by_the_count=([NOT_FOUND], [130], 130),
    confirmed_before_half_of_the_idle_time=([SOON], [130], 130),
    confirmed_by_a_second_scroll=([NOT_FOUND, NOT_FOUND], [None], 130),
    after_half_of_the_idle_time=([LATE, scroll(100, 30)], [130], 130),
    after_a_full_page=([FULL, FULL, scroll(100, 32)], [None], 132),
    with_a_lead_missing=([NOT_FOUND, scroll(100, 31)], [131], 131),
    with_a_lead_created_meanwhile=([NOT_FOUND, scroll(100, 31)], [130, 131], 131),
    with_a_count_at_the_end_only=([NOT_FOUND, scroll(100, 31)], [None, 131], 131),
    with_a_count_at_the_start_only=([NOT_FOUND, scroll(100, 31)], [131, None], 131),
)
def test_not_found_is_the_end_only_if_a_count_or_a_second_scroll_confirms_it(
    scripts: list[Script], counts: list[Answer], leads: int
) -> None:
    result = play(*scripts, counts=counts)
    assert (result.error, result.opened, result.tally.leads) == ("", len(scripts), leads)
    assert result.may_delete == (counts[-1] is not None)


@cases(
    known_at_the_end_only=[None, 330],
    known_at_the_start_only=[330, None],
    leads_come=[330, 333],
    leads_go=[333, 330],
)
def test_a_count_before_or_after_the_scroll_confirms_the_end(counts: list[Answer]) -> None:
    """The smaller one does, so leads that come or go meanwhile raise no doubt."""
    healthy = scroll(100, 100, 100, 30)
    result = play(healthy, counts=counts, max_restarts=0)
    assert (result.error, result.may_delete) == ("", True)
    missed = play(scroll(100, 100), healthy, counts=counts)
    assert (missed.opened, missed.tally.leads) == (2, 330)


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
