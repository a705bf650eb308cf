"""The ledger tells what is new."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tap_leads.scroll.ledger import Ledger, Version

PAGES = st.lists(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("123")), min_size=1, max_size=6),
    max_size=12,
)


@given(passes=st.lists(PAGES, max_size=4))
def test_it_agrees_with_sets_in_memory(passes: list[list[list[Version]]]) -> None:
    ever: set[Version] = set()
    with Ledger() as ledger:
        for number, pages in enumerate(passes, start=1):
            seen: set[str] = set()
            for versions in pages:
                entry = ledger.enter(versions, number)
                assert entry.new == set(versions) - ever
                # A lead twice on one page is no page of Intercom's; either verdict will do.
                if len({identity for identity, _ in versions}) == len(versions):
                    assert entry.repeats == (seen >= {identity for identity, _ in versions})
                ever |= set(versions)
                seen |= {identity for identity, _ in versions}


def test_a_page_takes_two_statements() -> None:
    """Not one for each lead: that would double the cost of remembering."""
    statements: list[str] = []
    with Ledger() as ledger:
        ledger._database.set_trace_callback(statements.append)  # noqa: SLF001
        ledger.enter([(str(number), "1") for number in range(100)], 1)
    assert len(statements) == 2
