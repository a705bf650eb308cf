"""What a lead and a page cost, in calls of Python functions: a count, as a time would be noise."""

from __future__ import annotations

import io
import sys
import threading
from collections import Counter
from contextlib import redirect_stdout
from types import FrameType
from typing import Any

import pytest

from tap_leads.sandbox import Sandbox
from tap_leads.tap import TapLeads

FEW, MANY = 400, 1_400


def calls(leads: int) -> Counter[str]:
    """How often a sync of so many leads calls each function, in all threads."""
    found: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call":
            found[f"{frame.f_globals.get('__name__')}.{frame.f_code.co_qualname}"] += 1

    with Sandbox(leads=leads) as sandbox, redirect_stdout(io.TextIOWrapper(io.BytesIO())):
        config = {"access_token": sandbox.token, "api_url": sandbox.url}
        tap = TapLeads(config={**config, "emit_activate_version_messages": False})
        threading.setprofile(count)
        sys.setprofile(count)
        try:
            tap.sync_all()
        finally:
            sys.setprofile(None)
            threading.setprofile(None)
    return found


@pytest.fixture(scope="module")
def growth() -> Counter[str]:
    """How many more calls the larger sync takes."""
    return calls(MANY) - calls(FEW)


def test_a_lead_takes_no_more_calls_than_it_did(growth: Counter[str]) -> None:
    """26 of the tap and the SDK; the walk over the selection would be 27 more."""
    own = sum(
        count
        for name, count in growth.items()
        if name.startswith(("tap_leads.", "singer_sdk.")) and ".sandbox." not in name
    )
    assert 10 < own / (MANY - FEW) < 28


def test_the_environment_is_not_asked_again_for_each_page(growth: Counter[str]) -> None:
    """Proxies, password files: the HTTP library would look three times a page."""
    pages = growth["tap_leads.records.pages.read_page"]
    assert pages == (MANY - FEW) / 100
    looks = {name: count for name, count in growth.items() if name.startswith("os._Environ.")}
    assert looks == {}
