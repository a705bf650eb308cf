"""Runs pytest in forked processes, which share what was imported before."""

from __future__ import annotations

import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from demo.meltano import ROOT

_MOST_MEMORY = 8 * 1024**3
_LARGEST_FILE = 1024**3

# Plain assertions: pytest could not rewrite the modules that were imported before.
_OPTIONS = (
    *("-o", "addopts=", "-o", "timeout=0", "-p", "no:cacheprovider", "--assert=plain", "-q"),
    *("--hypothesis-profile", "mutants"),
)
# The same examples for each mutant: otherwise chance would decide whether a test notices it.
settings.register_profile(
    "mutants",
    max_examples=30,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def run_pytest(folder: str | Path, *arguments: str, plugins: Sequence[object]) -> int:
    """Runs pytest in this process, with a folder for temporary files; its exit code."""
    options = (*_OPTIONS, f"--basetemp={folder}/pytest", f"--rootdir={ROOT}")
    return pytest.main([*options, *arguments], plugins=plugins)


def fork(run: Callable[[], int], seconds: int, log: str | Path = os.devnull) -> int:
    """Runs a function in another process; its result is the exit code.

    Args:
        run: The function.
        seconds: The process is ended after this time.
        log: The file for what it prints.

    Returns:
        The number of the process and of its group.
    """
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        os.setsid()
        signal.alarm(seconds)
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
        with Path(log).open("w+b") as output:
            for number in range(3):
                os.dup2(output.fileno(), number)
        code = int(run())
    except BaseException:  # noqa: BLE001 - the process ends here, whatever it is
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def kill(group: int) -> None:
    """Ends a process, and what it has started."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
