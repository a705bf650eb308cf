"""The fixture that the sandbox's tests share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import pytest
from support.scroll_client import PAGE, ScrollClient, Start

from tap_leads.sandbox import Sandbox


@pytest.fixture
def scroll() -> Iterator[Start]:
    """Starts sandboxes of 50 leads with faults, and stops them after the test."""
    with ExitStack() as stack:

        def start(*faults: str, headers: Any = (), **options: Any) -> ScrollClient:
            clock = SimpleNamespace(now=1000.0)
            usual: dict[str, Any] = {"leads": 50, "page_size": PAGE, "faults": faults}
            sandbox = Sandbox(clock=lambda: clock.now, **usual | options)
            client = ScrollClient(stack.enter_context(sandbox), clock, stack)
            client.session.headers.update(headers)
            return client

        yield start
