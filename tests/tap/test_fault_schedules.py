"""Whatever faults happen in whatever order, a sync sends all leads, each version once, or fails.

Everything from the socket to the messages runs in this process, and pauses take milliseconds, so
that many schedules can be tried.
"""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_leads import TapLeadsError
from tap_leads.sandbox import Sandbox
from tap_leads.scroll.limits import Limits
from tap_leads.stream import ContactsStream
from tap_leads.tap import TapLeads

KINDS = [
    "restart", "lost", "reset", "cut", "expire", "html502", "503", "nojson", "empty-body",
    "nolist", "null-list", "exists", "repeat", "types", "update:3", "add:30", "delete:3",
    "slow:0.04", "no-end", "401", "403", "404", "no-id",
]  # fmt: skip
FAULT = st.builds(
    lambda kind, at, more: f"{kind[0]}@{at}{more}{kind[1]}{kind[2]}",
    st.sampled_from([kind.partition(":") for kind in KINDS]),
    st.integers(1, 12),
    st.sampled_from(["", "", "", "+"]),
)


FAST = Limits(scroll_expiry=0.03, scroll_wait_timeout=0.2, max_restarts=4)
"""Shorter pauses than the settings allow, which are whole seconds."""


@settings(max_examples=25)
@given(faults=st.lists(FAULT, max_size=5), leads=st.integers(0, 45))
def test_a_sync_sends_every_lead_and_each_version_once_or_fails(
    faults: list[str], leads: int
) -> None:
    failed, output = False, io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with (
        Sandbox(leads=leads, page_size=10, idle_limit=0.025, faults=faults) as sandbox,
        redirect_stdout(output),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(ContactsStream, "limits", FAST)
        # A sync with ACTIVATE_VERSION waits for the end of its second.
        config: dict[str, Any] = {**sandbox.settings, "emit_activate_version_messages": False}
        try:
            TapLeads(config=config).sync_all()
        except TapLeadsError:
            failed = True
    output.seek(0)
    messages = [json.loads(line) for line in output]
    records = [message["record"] for message in messages if message["type"] == "RECORD"]
    assert failed != ("STATE" in {message["type"] for message in messages})
    served = {lead["id"] for lead in sandbox.workspace.leads()}
    assert failed or {record["id"] for record in records} >= served
    versions = [(record["id"], record["updated_at"]) for record in records]
    assert len(versions) == len(set(versions))
