"""The thread that reads pages ahead leaves nothing behind."""

from __future__ import annotations

import threading

from tap_leads.scroll.prefetch import Prefetch


def test_a_prefetch_that_was_never_started_can_be_stopped() -> None:
    before, aborted = threading.active_count(), list[bool]()
    Prefetch(lambda: aborted.append(True)).stop()
    assert aborted == []
    assert threading.active_count() == before
