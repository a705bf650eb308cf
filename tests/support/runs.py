"""What tests look for in runs of the tap."""

from __future__ import annotations

from typing import Any

from support.tap import Run


def the_error(run: Run) -> str:
    """The only error line of a run that failed. Tests name the values `hush` that no log shows."""
    assert run.code == 1, run.log
    (error,) = run.lines("ERROR")
    for words in ("Traceback", "  File ", "hush"):
        assert words not in run.log
    return error


def lasting(run: Run) -> list[dict[str, Any]]:
    """The messages of a good run, without versions and times."""
    assert run.code == 0, run.log
    return [message | {"version": None, "time_extracted": None} for message in run.messages]
