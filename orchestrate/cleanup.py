"""Ends the processes of a run and removes its folder, as soon as the run is over.

    python orchestrate/cleanup.py FOLDER [PID ...]

run.py starts it, writes the id of the run's process group to its standard input, and keeps that
open. It ends when run.py does, killed or not. This program waits for that, or for the end of one
of the given processes.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import time
from contextlib import suppress

SECONDS = 10.0
"""How long the processes may take to end before they are killed."""
_POLL = 0.05


def main(folder: str, *watched: str) -> None:
    """Waits for the end of the run, then cleans up."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    group = int(sys.stdin.readline() or 0)  # empty: the run ended before it started Meltano
    if group:
        with suppress(ProcessLookupError):  # one of them is gone already
            select.select([sys.stdin, *(os.pidfd_open(int(pid)) for pid in watched)], [], [])
        end(group)
    shutil.rmtree(folder, ignore_errors=True)


def end(group: int) -> None:
    """Ends a process group: asks, then kills."""
    deadline = time.monotonic() + SECONDS
    with suppress(ProcessLookupError):  # all of them are gone
        os.killpg(group, signal.SIGTERM)
        while time.monotonic() < deadline:
            time.sleep(_POLL)
            os.killpg(group, 0)
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
