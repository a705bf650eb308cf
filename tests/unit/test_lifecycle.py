"""The reaction to each kind of response, cell by cell of the table, and its limits."""

from __future__ import annotations

from typing import Any

import pytest
from support.cases import cases
from support.lifecycle import ADVICE, Result, Script, ScriptedSource, no_page, page, play, run

from tap_leads.scroll.lifecycle import Tally
from tap_leads.scroll.limits import Limits
from tap_leads.scroll.paginator import ScrollPaginator
from tap_leads.scroll.reactions import REACTIONS, Kind, Moment, Reaction

A, B, C = page("a"), page("b"), page("c")
FULL = page("a", size=100)
EMPTY = page()
ALL: Script = [A, B, EMPTY]

OPENING, LATER = Moment.OPENING, Moment.LATER
Cell = tuple[Kind, Moment]


def problem(kind: Kind, moment: Moment) -> Script:
    """A scroll in which this response is sent at this moment."""
    wait = 7.0 if kind is Kind.RATE_LIMITED else 0.0
    return [no_page(kind, wait)] if moment is OPENING else [A, no_page(kind, wait)]


ENDS: dict[Cell, tuple[int | None, list[Script]]] = {
    (Kind.END, OPENING): (0, [[EMPTY]]),
    (Kind.END, LATER): (1, [[A, EMPTY]]),
    (Kind.DOUBTFUL_END, OPENING): (2, [[EMPTY], ALL]),
    (Kind.DOUBTFUL_END, LATER): (101, [[FULL, EMPTY], [FULL, B, EMPTY]]),
    (Kind.ACCEPTED_END, OPENING): (None, [[EMPTY], [EMPTY]]),
    (Kind.ACCEPTED_END, LATER): (101, [[FULL, EMPTY], [FULL, EMPTY]]),
    (Kind.CONTRADICTED_END, OPENING): (2, [[EMPTY], [EMPTY]]),
    (Kind.CONTRADICTED_END, LATER): (102, [[FULL, EMPTY], [FULL, EMPTY]]),
}
"""Intercom's count and the scrolls, for each kind of end."""


def broken_scrolls(kind: Kind, moment: Moment) -> list[Script]:
    """The scrolls that reach one cell of the table."""
    first: Script
    match kind:
        case Kind.REPEATED:
            first = [A, A]
        case Kind.NOT_FOUND if moment is LATER:
            first = [page("b", size=100), no_page(kind)]
        case Kind.UNREACHABLE_TOO_LONG:
            first = [A, 60.0, no_page(Kind.UNREACHABLE)]
        case _:
            first = problem(kind, moment)
    restarted = EXPECTED[kind, moment] is RESTARTED  # twice, which must not be taken for the end
    return [first, first] if restarted else [first]


def scenario(kind: Kind, moment: Moment) -> Result:
    """Runs the loop into one cell of the table, with no other fault."""
    if (kind, moment) in ENDS:
        count, scrolls = ENDS[kind, moment]
        return play(*scrolls, counts=[count])
    rest: Script = [B, EMPTY] if kind in RETRIED else ALL
    return play(*broken_scrolls(kind, moment), rest)


RETRIED = {Kind.RATE_LIMITED, Kind.UNREACHABLE}
RESTARTED = {"waits": [60.0, 90.0], "asked": [None, None, None]}
TWICE = {"waits": [60.0], "asked": [None, None], "once more": True}
CONTRADICTED = {**TWICE, "error": "accepts the leads of the scroll and deletes none."}
SENTENCE = f"{ADVICE}."
EXPECTED: dict[Cell, dict[str, Any]] = {
    (Kind.REPEATED, LATER): RESTARTED,
    (Kind.END, OPENING): {"versions": []},
    (Kind.END, LATER): {"versions": ["a@1"]},
    (Kind.DOUBTFUL_END, OPENING): TWICE,
    (Kind.DOUBTFUL_END, LATER): TWICE,
    (Kind.ACCEPTED_END, OPENING): {**TWICE, "versions": []},
    (Kind.ACCEPTED_END, LATER): TWICE,
    (Kind.CONTRADICTED_END, OPENING): {**CONTRADICTED, "versions": []},
    (Kind.CONTRADICTED_END, LATER): CONTRADICTED,
    (Kind.NOT_A_PAGE, OPENING): RESTARTED,
    (Kind.NOT_A_PAGE, LATER): RESTARTED,
    (Kind.LEAD_WITHOUT_ID, OPENING): {"versions": [], "error": SENTENCE},
    (Kind.LEAD_WITHOUT_ID, LATER): {"versions": ["a@1"], "error": SENTENCE},
    (Kind.SCROLL_EXISTS, OPENING): {"waits": [60.0], "asked": [None, None], "restarts": 0},
    (Kind.SCROLL_EXISTS, LATER): RESTARTED,
    (Kind.NOT_FOUND, OPENING): {"versions": [], "error": SENTENCE},
    (Kind.NOT_FOUND, LATER): RESTARTED,
    (Kind.RATE_LIMITED, OPENING): {
        "versions": ["b@1"], "waits": [7.0], "asked": [None, None], "restarts": 0,
    },
    (Kind.RATE_LIMITED, LATER): {"waits": [7.0], "asked": [None, "s"], "restarts": 0},
    (Kind.REFUSED, OPENING): {"versions": [], "error": SENTENCE},
    (Kind.REFUSED, LATER): {"versions": ["a@1"], "error": SENTENCE},
    (Kind.UNREACHABLE, OPENING): {
        "versions": ["b@1"], "waits": [0.8], "asked": [None, None], "restarts": 0,
    },
    (Kind.UNREACHABLE, LATER): {"waits": [0.8], "asked": [None, "s"], "restarts": 0},
    (Kind.UNREACHABLE_TOO_LONG, LATER): RESTARTED,
    (Kind.MISCONFIGURED, OPENING): {"versions": [], "error": SENTENCE},
    (Kind.MISCONFIGURED, LATER): {"versions": ["a@1"], "error": SENTENCE},
    (Kind.UNCLEAR, OPENING): RESTARTED,
    (Kind.UNCLEAR, LATER): RESTARTED,
}  # fmt: skip
CELLS = {f"{cell[0].name}-{cell[1].name}".lower(): cell for cell in EXPECTED}


def check(kind: Kind, moment: Moment) -> None:
    """Runs into a cell of the table, and compares the result with what is expected."""
    expected = {"waits": [], "asked": [None], "error": ""} | EXPECTED[kind, moment]
    result = scenario(kind, moment)
    if "versions" in expected:
        assert result.versions == expected["versions"]
    else:
        assert "a@1" in result.versions
        assert "b@1" in result.versions or kind in {Kind.ACCEPTED_END, Kind.CONTRADICTED_END}
    assert len(result.versions) == len(set(result.versions))
    assert result.waits == expected["waits"]
    assert result.asked == expected["asked"]
    assert result.error.endswith(expected["error"])
    assert bool(result.error) == bool(expected["error"])
    assert any("once more" in line for line in result.log) == expected.get("once more", False)
    restarts = sum("(restart " in line for line in result.log)
    assert restarts == expected.get("restarts", len(expected["waits"]))


def test_every_cell_of_the_table_has_an_expectation() -> None:
    assert {(kind, moment) for kind, row in REACTIONS.items() for moment in row} == set(EXPECTED)
    assert set(REACTIONS) == set(Kind)


def test_every_reaction_is_used() -> None:
    assert {reaction for row in REACTIONS.values() for reaction in row.values()} == set(Reaction)


@cases(**CELLS)
def test_each_kind_of_response_has_its_reaction(kind: Kind, moment: Moment) -> None:
    check(kind, moment)


@pytest.mark.parametrize("other", list(Reaction), ids=lambda reaction: reaction.name.lower())
@cases(**CELLS)
def test_no_cell_can_be_changed_without_a_failing_test(
    kind: Kind, moment: Moment, other: Reaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With any other reaction, the test above fails."""
    if other is REACTIONS[kind][moment]:
        check(kind, moment)
        return
    monkeypatch.setitem(REACTIONS[kind], moment, other)
    with pytest.raises(Exception):  # noqa: B017, PT011 - an assertion, or a script that ran out
        check(kind, moment)


def test_the_pauses_before_restarts_grow_and_max_restarts_counts_for_the_whole_sync() -> None:
    broken = no_page(Kind.NOT_A_PAGE)
    pages = [page(f"lead-{number}") for number in range(6)]
    scrolls: list[Script] = [[*pages[: number + 1], broken] for number in range(6)]
    result = play(*scrolls)
    assert result.waits == [60.0, 90.0, 135.0, 202.5, 303.75]
    assert "restarted 5 time(s), as 'max_restarts' allows" in result.error
    assert result.versions == [f"lead-{number}@1" for number in range(6)]


def test_nothing_is_restarted_where_that_is_not_allowed() -> None:
    result = play([A, no_page(Kind.UNCLEAR)], max_restarts=0)
    assert result.error
    assert result.waits == []


def test_another_scroll_is_asked_for_once_per_idle_time_until_the_limit() -> None:
    result = play(*[[no_page(Kind.SCROLL_EXISTS)]] * 11)
    assert "'scroll_wait_timeout' allows 600 s" in result.error
    assert result.waits == [60.0] * 10


def test_the_limit_of_waiting_spans_restarts_without_anything_new() -> None:
    """Otherwise, 600 s could become many times as much."""
    waits: list[Script] = [[no_page(Kind.SCROLL_EXISTS)]] * 4
    broken: Script = [A, no_page(Kind.UNCLEAR)]
    result = play(broken, *waits, broken, *waits, broken, *waits)
    assert "'scroll_wait_timeout' allows 600 s" in result.error
    assert result.waits.count(60.0) - 1 == 10


def test_a_page_with_something_new_resets_the_limit_of_waiting() -> None:
    """A long sync may reach the rate limit a thousand times, if it goes on each time."""
    limited = no_page(Kind.RATE_LIMITED, 10.0)
    follows: list[Script] = [[page(f"lead-{number}"), limited] for number in range(1000)]
    result = play(*follows, [B, EMPTY])
    assert not result.error
    assert sum(result.waits) == 10_000.0


def test_pages_that_an_earlier_scroll_sent_reset_the_limit_within_a_scroll() -> None:
    """A restart reads everything again, and may reach the rate limit as often as before."""
    limited = no_page(Kind.RATE_LIMITED, 10.0)
    pages = [page(f"lead-{number}") for number in range(100)]
    follows: list[Script] = [[each, limited] for each in pages]
    result = play([*pages, no_page(Kind.UNCLEAR)], *follows, [B, EMPTY])
    assert not result.error
    assert sum(result.waits) == 60.0 + 1000.0


@cases(Kind.RATE_LIMITED, Kind.UNREACHABLE)
def test_a_request_is_sent_again_within_the_limit_of_waiting(kind: Kind) -> None:
    wait = 10.0 if kind is Kind.RATE_LIMITED else 0.0
    result = play(*[[no_page(kind, wait)]] * 100, scroll_wait_timeout=35.0)
    assert "'scroll_wait_timeout' allows 35 s" in result.error
    assert 30.0 <= sum(result.waits) <= 35.0


def test_the_time_of_requests_that_could_not_be_sent_counts_as_waiting() -> None:
    slow: Script = [20.0, no_page(Kind.UNREACHABLE)]
    result = play(*[slow] * 100, scroll_wait_timeout=100.0)
    assert result.error
    assert sum(result.waits) + 20.0 * result.opened <= 100.0 + 20.0


def test_time_in_which_the_process_was_suspended_does_not_use_up_the_limit() -> None:
    result = play([36_000.0, no_page(Kind.UNREACHABLE)], ALL)
    assert not result.error


def test_a_request_that_cannot_be_sent_is_repeated_only_while_the_scroll_lives() -> None:
    unreachable: Script = [no_page(Kind.UNREACHABLE)]
    result = play([A, *unreachable], *[unreachable] * 8, ALL)
    assert not result.error
    assert result.asked == [None, *["s"] * 8, None]
    assert result.waits == [0.8, 1.6, 3.2, 6.4, 12.0, 12.0, 12.0, 12.0, 60.0]


def test_waiting_for_another_scroll_is_not_a_restart() -> None:
    result = play([no_page(Kind.SCROLL_EXISTS)], ALL, max_restarts=0)
    assert not result.error


def test_versions_are_passed_on_once_and_no_older_one_after_a_newer() -> None:
    first: Script = [page("a@5"), page("b@5"), no_page(Kind.UNCLEAR)]
    result = play(first, [page("a@4", "c"), page("b@6"), page("a@5"), EMPTY])
    assert result.versions == ["a@5", "b@5", "c@1", "b@6"]
    assert result.tally.skipped == 2


def test_a_page_of_newer_versions_is_not_a_repeated_page() -> None:
    """Edited leads move to the end of the scroll."""
    result = play([page("a", "b"), page("a@2", "b@2"), EMPTY])
    assert result.versions == ["a@1", "b@1", "a@2", "b@2"]
    assert result.waits == []


def test_a_scroll_that_goes_in_circles_ends_even_if_its_leads_change() -> None:
    circles: Script = [page(f"a@{number}") for number in range(1, 1200)]
    result = play(circles, max_restarts=0)
    assert "repeated" in result.error
    assert len(result.versions) < 1010


def test_older_versions_again_and_again_are_a_repeated_page() -> None:
    first: Script = [page("a@5"), no_page(Kind.UNCLEAR)]
    result = play(first, [page("a@4"), page("a@4")], max_restarts=1)
    assert "repeated" in result.error


def test_a_warning_says_whether_the_opening_failed_or_the_scroll_broke() -> None:
    result = play([no_page(Kind.UNCLEAR)], [A, no_page(Kind.UNCLEAR)], ALL, counts=[2])
    warnings = [line for line in result.log if line.startswith("WARNING")]
    assert "Opening the scroll failed" in warnings[0]
    assert "The scroll broke" in warnings[1]


def test_a_lead_may_change_a_thousand_times_while_a_scroll_is_open() -> None:
    """A scroll that goes in circles brings more repeats than that, and more than its leads."""
    changes: Script = [page(f"a@{number}") for number in range(1, 1003)]
    assert not play([*changes, EMPTY], counts=[1]).error
    one_more: Script = [page(f"a@{number}") for number in range(1, 1004)]
    assert "repeated a page" in play([*one_more, EMPTY], counts=[1], max_restarts=0).error


@cases(while_it_lives=(59.0, 0), when_it_has_expired=(60.0, 1))
def test_an_unreachable_api_breaks_a_scroll_once_it_has_expired(idle: float, restarts: int) -> None:
    first: Script = [page("a"), idle, no_page(Kind.UNREACHABLE)]
    rest: Script = [page("b"), EMPTY]
    result = play(first, [page("a"), *rest] if restarts else rest, counts=[2])
    assert not result.error
    assert result.opened == 1 + restarts
    assert result.versions == ["a@1", "b@1"]


@cases(soon=(29.0, 1), after_half_of_the_idle_time=(30.0, 2))
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


@cases(1, 3)
def test_opening_a_scroll_is_logged_once(pages: int) -> None:
    result = play([*(page(f"lead-{number}") for number in range(pages)), EMPTY])
    assert result.log.count("INFO: Opened the scroll.") == 1


@cases((1, 1), (2, 2), (3, 1))
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
