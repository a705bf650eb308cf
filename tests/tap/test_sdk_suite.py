"""The SDK's tests for every tap, run against the sandbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from singer_sdk.testing import get_tap_test_class

from tap_leads.records.pages import read_page
from tap_leads.sandbox import Sandbox
from tap_leads.tap import TapLeads

# Some fields are null in every sample lead.
pytestmark = pytest.mark.filterwarnings("ignore:No records were available to test")

# The class is made at collection, and needs the address then.
_SANDBOX = Sandbox(leads=100).start()
_CONFIG = {"access_token": _SANDBOX.token, "api_url": _SANDBOX.url, "scroll_expiry": 1}


@pytest.fixture(scope="module", autouse=True)
def _stopped() -> Iterator[None]:
    yield
    _SANDBOX.stop()


TestTapLeads = get_tap_test_class(TapLeads, config=_CONFIG, parse_env_config=False)


def test_the_stream_offers_the_scrolls_paginator() -> None:
    """It accepts a repeated token, and ends with the first page without leads."""
    paginator = TapLeads(config=_CONFIG).contacts.get_new_paginator()
    for _ in range(2):
        paginator.advance(read_page(b'{"contacts":[{"id":"1"}],"scroll_param":"t"}'))
        assert (paginator.current_value, paginator.finished) == ("t", False)
    paginator.advance(read_page(b'{"contacts":[],"scroll_param":"u"}'))
    assert (paginator.finished, paginator.count) == (True, 2)
