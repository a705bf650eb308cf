"""The fixture that the sandbox's tests share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from support.scroll_client import PAGE, Clock, ScrollClient, Start

from tap_leads.sandbox import Sandbox


@pytest.fixture
def scroll() -> Iterator[Start]:
    """Starts sandboxes of 50 leads with faults, and stops them after the test."""
    with ExitStack() as stack:

        def start(*faults: str, **options: Any) -> ScrollClient:
            clock = Clock()
            usual: dict[str, Any] = {"leads": 50, "page_size": PAGE, "faults": faults}
            sandbox = Sandbox(clock=clock, **usual | options)
            return ScrollClient(stack.enter_context(sandbox), clock, stack)

        yield start
