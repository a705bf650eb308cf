"""The fixtures that the tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from support import fork_server
from support.tap import Workbench
from support.warehouse import Warehouse

from demo.postgres import PostgresServer
from tap_leads.sandbox import Sandbox

# A busy machine must not fail a test, so no example has a time limit. `make check` tries fewer.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("tests"), max_examples=10)
settings.load_profile("tests")


@pytest.fixture(autouse=True)
def no_coverage_outside_the_tap(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Coverage doubles the time that Python takes to start; these tests start other programs."""
    if request.path.parent.name in {"project", "targets"}:
        monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


@pytest.fixture(scope="session", autouse=True)
def no_fork_server_left() -> Iterator[None]:
    """Ends the fork servers before the coverage of all processes is combined."""
    yield
    fork_server.close()


@pytest.fixture
def workbench(tmp_path: Path) -> Workbench:
    """A workbench in a folder of this test."""
    return Workbench(tmp_path)


@pytest.fixture(scope="session")
def shared_leads_250() -> Iterator[Sandbox]:
    """The sandbox of `leads_250`."""
    with Sandbox(leads=250, idle_limit=5.0) as sandbox:
        yield sandbox


@pytest.fixture
def leads_250(shared_leads_250: Sandbox) -> Sandbox:
    """A sandbox of 250 leads, without faults. No scroll of an earlier test is open in it."""
    shared_leads_250.workspace.release()
    return shared_leads_250


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def warehouse(postgres: PostgresServer, tmp_path: Path) -> Warehouse:
    """A schema of this test."""
    return Warehouse.empty(postgres, tmp_path)
