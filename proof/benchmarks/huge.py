"""`python -m proof.benchmarks.huge`: ten million leads, and a million into PostgreSQL.

The first run fails once, after 99 % of the leads, so that the tap reads all of them twice. The
second one is `meltano run`. Both take half an hour, and write docs/performance.md.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from proof.benchmarks import warehouse
from proof.benchmarks.machine import calibrate, noise, this_machine
from proof.benchmarks.page import write_page
from proof.benchmarks.programs import Outcome, memory_peak, run, tap, tap_environment
from proof.benchmarks.server import SimulatedApi
from proof.benchmarks.table import markdown_table

LEADS, LOADED = 10_000_000, 1_000_000
_LIMIT = 3600.0
_INTERVAL = 1.0
_PROGRAMS = ("tap-leads", "target-postgres", "meltano")


class _Peaks:
    """The largest memory and the largest files of each program below this one.

    Attributes:
        memory: Name of a program -> resident memory in MB.
        disk: Name of a program -> MB on disk in the files that it has open.
    """

    def __init__(self) -> None:
        self.memory: dict[str, float] = defaultdict(float)
        self.disk: dict[str, float] = defaultdict(float)
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while True:
            for process in psutil.Process().children(recursive=True):
                with suppress(OSError, IndexError, psutil.Error):  # it has ended
                    self._look(process)
            time.sleep(_INTERVAL)

    def _look(self, process: psutil.Process) -> None:
        words = {Path(word).name for word in process.cmdline()[:2]}
        for name in words.intersection(_PROGRAMS):
            files = [entry.stat() for entry in Path(f"/proc/{process.pid}/fd").iterdir()]
            size = sum(512 * file.st_blocks for file in files) / 1e6
            self.memory[name] = max(self.memory[name], memory_peak(process.pid))
            self.disk[name] = max(self.disk[name], size)

    def rows(self, job: str, outcome: Outcome) -> list[Sequence[str]]:
        """The rows of a job: one for each of its programs."""
        times = (f"{outcome.seconds:,.0f}", f"{outcome.leads / outcome.seconds:,.0f}")
        return [
            (job, *times, name, f"{self.memory[name]:.0f} MB", f"{self.disk[name]:.0f} MB")
            for name in _PROGRAMS
            if name in self.memory
        ]


def main() -> None:
    """Runs both; the page is written only if the machine was quiet and no number is given."""
    parser = argparse.ArgumentParser(prog="python -m proof.benchmarks.huge", description=__doc__)
    parser.add_argument("--leads", type=int, default=LEADS, help="of the first run")
    parser.add_argument("--load", type=int, default=LOADED, help="leads for PostgreSQL")
    options = parser.parse_args()
    before = calibrate()
    with SimulatedApi(options.leads, fails_at=options.leads * 99 // 100) as api:
        peaks = _Peaks()
        outcome = run(tap(), options.leads, environment=tap_environment(api.url), limit=_LIMIT)
        rows = peaks.rows(f"{options.leads:,} leads, one restart after 99 %", outcome)
    with SimulatedApi(options.load) as api:
        peaks = _Peaks()
        outcome = warehouse.load(api, limit=_LIMIT)
        rows += peaks.rows(f"{options.load:,} leads, `meltano run` into PostgreSQL", outcome)
    heads = ("job", "seconds", "leads/s", "program", "peak memory", "disk")
    shown = f"{markdown_table(heads, rows, 'lrrlrr')}\n\n{this_machine()}"
    print(shown)
    if busy := noise([before, calibrate()]):
        print(f"The page stays as it is: the machine was busy ({busy}).", file=sys.stderr)
    elif (options.leads, options.load) == (LEADS, LOADED):
        write_page(shown, "huge")


if __name__ == "__main__":
    main()
