"""The fixtures that the sandbox's tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import requests
from support.scroll_client import PAGE, ScrollClient

from tap_leads.sandbox import Sandbox


@pytest.fixture
def scroll() -> Iterator[Callable[..., ScrollClient]]:
    """Start sandboxes of 50 leads with faults, and stop them after the test."""
    with ExitStack() as stack:

        def start(*faults: str, **options: Any) -> ScrollClient:
            options = {"leads": 50, "page_size": PAGE, **options}
            sandbox = stack.enter_context(Sandbox(faults=faults, **options))
            session = stack.enter_context(requests.Session())
            session.trust_env = False
            session.headers["Authorization"] = f"Bearer {sandbox.token}"
            return ScrollClient(sandbox, session)

        yield start
