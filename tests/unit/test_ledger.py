"""The ledger knows what is new, and lets no older version follow a newer one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.lifecycle import page

from tap_leads.records.pages import Page, Version
from tap_leads.scroll.ledger import Ledger
from tap_leads.scroll.spool import SpoolError

CONTENTS = st.sampled_from(["", "other"])
VERSIONS = st.builds("{}:{}".format, st.integers(1, 3) | st.just("-"), CONTENTS)
LEADS = st.builds("{}@{}".format, st.sampled_from("abcdef"), VERSIONS)
PAGES = st.lists(st.lists(LEADS, min_size=1, max_size=6), max_size=12)


class Model(dict[str, tuple[int | None, str]]):
    """What the ledger does, in memory: the time and the content of the newest version of a lead."""

    def is_new(self, lead: str) -> bool:
        identity, _, version = lead.partition("@")
        text, _, content = version.partition(":")
        time = None if text == "-" else int(text)
        sent_time, sent_content = self.setdefault(identity, (None, "unknown"))
        match sent_time, time:
            case int(), int():
                new = time > sent_time
            case int(), None:
                return False
            case _:
                new = content != sent_content
        if new or time:
            self[identity] = max(time or 0, sent_time or 0) or None, content
        return new


@given(scrolls=st.lists(PAGES, max_size=4))
def test_it_agrees_with_a_dictionary_in_memory(scrolls: list[list[list[str]]]) -> None:
    model = Model()
    with Ledger() as ledger:
        for pages in scrolls:
            ledger.start_scroll()
            seen: set[str] = set()
            for leads in pages:
                ids = {lead[0] for lead in leads}
                unknown, first = len(ids - model.keys()), len(ids - seen)
                entry = ledger.enter(page(*leads))
                new = [position for position, lead in enumerate(leads) if model.is_new(lead)]
                assert (entry.new, entry.unknown, entry.first) == (new, unknown, first)
                assert entry.progress or not (new or first)
                seen |= ids


@given(leads=st.lists(LEADS, min_size=1, max_size=6))
def test_the_same_page_twice_is_no_progress(leads: list[str]) -> None:
    """Whatever it contains: leads twice, older versions, leads without a time."""
    with Ledger() as ledger:
        ledger.enter(page("a@9", "b@9"))
        ledger.start_scroll()
        first, second = (ledger.enter(page(*leads)).progress for _ in range(2))
        alternating = len({lead[0] for lead in leads}) < len(leads)
        assert first
        assert not second or alternating


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_is_a_clear_error() -> None:
    """The list of leads is in memory up to a size, and on disk beyond it."""
    versions: list[Version] = [(f"{'x' * 1_000}-{lead}", lead) for lead in range(10_000)]
    with Ledger() as ledger, pytest.raises(SpoolError, match=r"already seen \(disk.*TMPDIR"):
        ledger.enter(Page(b"", versions, None))
