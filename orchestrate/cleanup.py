"""Ends the processes of a run and removes its folder, as soon as the run is over.

    python orchestrate/cleanup.py FOLDER [PID ...]

run.py starts this program and writes the id of the run's process group to its standard input.
Standard input ends with run.py, killed or not. This program waits for that, or for the end of one
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
"""After this time, processes that have not ended are killed."""
_POLL = 0.05


def main(folder: str, *watched: str) -> None:
    """Waits for the end of the run, then cleans up."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    group = int(sys.stdin.readline() or 0)  # empty: the run ended before it started Meltano
    if group:
        with suppress(ProcessLookupError):  # one of them has ended already
            select.select([sys.stdin, *(os.pidfd_open(int(pid)) for pid in watched)], [], [])
        end(group)
    shutil.rmtree(folder, ignore_errors=True)


def end(group: int) -> None:
    """Ends a process group: by SIGTERM, then by SIGKILL."""
    deadline = time.monotonic() + SECONDS
    with suppress(ProcessLookupError):  # all of them have ended
        os.killpg(group, signal.SIGTERM)
        while time.monotonic() < deadline:
            time.sleep(_POLL)
            os.killpg(group, 0)
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
