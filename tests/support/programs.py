"""Runs programs as a user would."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from demo.meltano import ROOT

BIN = Path(sys.executable).parent
"""The programs of the environment that runs the tests."""


def finish(*command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end, without input; the options are those of `subprocess.run`."""
    usual: dict[str, Any] = {"cwd": ROOT, "timeout": 120, "capture_output": True, "text": True}
    return subprocess.run(command, check=False, stdin=subprocess.DEVNULL, **usual | options)


def output(*command: str | Path, **options: Any) -> str:
    """Runs a program that must succeed; returns its standard output."""
    done = finish(*command, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
