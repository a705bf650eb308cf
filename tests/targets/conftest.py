"""What the tests of targets share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.tap import run_tap

from proof.targets import extracts


@pytest.fixture(scope="session", autouse=True)
def forked_extracts() -> Iterator[None]:
    """Runs of the tap for `proof.targets` are forked, as all runs of the tests."""

    def forked(_program: Path, *, folder: Path, environment: dict[str, str]) -> bytes:
        run = run_tap(TMPDIR=str(folder), **environment)
        assert run.code == 0, run.log
        return run.output

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extracts, "run", forked)
        yield
