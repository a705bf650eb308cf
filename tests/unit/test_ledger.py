"""The ledger tells what is new, and never lets an older version follow a newer one."""

from __future__ import annotations

import resource

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_leads.records.pages import Version
from tap_leads.scroll.ledger import Ledger
from tap_leads.scroll.spool import SpoolError

VERSIONS = st.integers(1, 3) | st.sampled_from(["digest", "other"])
PAGES = st.lists(
    st.lists(st.tuples(st.sampled_from("abcdef"), VERSIONS), min_size=1, max_size=6), max_size=12
)


def is_older(version: int | str, other: int | str) -> bool:
    return isinstance(version, int) and isinstance(other, int) and version < other


@given(scrolls=st.lists(PAGES, max_size=4))
def test_it_agrees_with_a_dictionary_in_memory(scrolls: list[list[list[Version]]]) -> None:
    sent: dict[str, int | str] = {}
    with Ledger() as ledger:
        for pages in scrolls:
            ledger.start_scroll()
            seen: set[str] = set()
            for versions in pages:
                entry = ledger.enter(versions)
                new, first, unknown = [], 0, 0
                for position, (identity, version) in enumerate(versions):
                    unknown += identity not in sent
                    first += identity not in seen
                    before = sent.get(identity, "")
                    if version != before and not is_older(version, before):
                        new.append(position)
                        sent[identity] = version
                    seen.add(identity)
                assert (entry.new, entry.first, entry.unknown) == (new, first, unknown)
                if new or first:
                    assert entry.progress


@given(page=st.lists(st.tuples(st.sampled_from("abc"), VERSIONS), min_size=1, max_size=6))
def test_the_same_page_again_and_again_is_no_progress(page: list[Version]) -> None:
    """Whatever it holds: leads twice, older versions, leads without a time."""
    with Ledger() as ledger:
        ledger.enter([("a", 9), ("b", 9)])
        ledger.start_scroll()
        progress = [ledger.enter(page).progress for _ in range(2)]
        alternating = len({identity for identity, _ in page}) < len(page)
        assert progress[0]
        assert not progress[1] or alternating


def test_a_list_of_leads_that_the_disk_does_not_take_is_a_clear_error() -> None:
    """The list stays in memory up to a size; a long one goes to the disk."""

    def enter_many(ledger: Ledger) -> None:
        for page in range(10_000):
            ledger.enter([(f"{page}-{lead}", lead) for lead in range(1_000)])

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Ledger() as ledger:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
        try:
            with pytest.raises(SpoolError, match=r"list of leads already seen.*TMPDIR"):
                enter_many(ledger)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
