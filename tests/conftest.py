"""The fixtures that the tests share."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from support import fork_server
from support.tap import Workbench
from support.warehouse import Warehouse

from demo.postgres import PostgresServer
from tap_leads.sandbox import Sandbox

# For `make check`: the same properties with fewer examples.
settings.register_profile("quick", max_examples=10)


@pytest.fixture(autouse=True)
def measured_where_the_tap_is_meant(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Coverage doubles the start of a process; these tests start many that are not the tap."""
    if request.path.parent.name in {"project", "targets"}:
        monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


@pytest.fixture(scope="session", autouse=True)
def no_fork_server_left() -> Iterator[None]:
    """Ends the servers before coverage is put together."""
    yield
    fork_server.close()


@pytest.fixture
def workbench(tmp_path: Path) -> Workbench:
    """A workbench in a folder of the test's own."""
    return Workbench(tmp_path)


@pytest.fixture(scope="session")
def leads_250() -> Iterator[Sandbox]:
    """A sandbox of 250 leads that nothing happens to."""
    with Sandbox(leads=250, idle_limit=1.0) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def warehouse(postgres: PostgresServer, tmp_path: Path) -> Warehouse:
    """A schema of the test's own."""
    return Warehouse(postgres, f"test_{uuid.uuid4().hex}", tmp_path)
