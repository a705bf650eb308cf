"""`python -m proof.benchmarks.huge`: ten million leads, and a million into PostgreSQL. Run by hand.

The first run fails once, after 99 % of the leads, so that the tap reads all of them twice.
"""

from __future__ import annotations

import argparse
import sys
import threading
from contextlib import suppress
from pathlib import Path
from time import sleep

from proof.benchmarks import warehouse
from proof.benchmarks.machine import calibrate
from proof.benchmarks.programs import Outcome, run, tap, tap_environment
from proof.benchmarks.server import SimulatedApi

_INTERVAL = 1.0


class _Peaks:
    """The largest memory and the largest files of each program below this one.

    Attributes:
        memory: Name of a program -> resident memory in bytes.
        files: Name of a program -> bytes on disk in the files that it has open.
    """

    def __init__(self) -> None:
        self.memory: dict[str, int] = {}
        self.files: dict[str, int] = {}
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while True:
            for folder in Path("/proc").glob("[0-9]*"):
                with suppress(OSError, IndexError, ValueError):
                    self._look(folder)
            sleep(_INTERVAL)

    def _look(self, folder: Path) -> None:
        arguments = (folder / "cmdline").read_bytes().split(b"\0")
        names = {Path(word.decode(errors="replace")).name for word in arguments[:2]}
        for name in names & _PROGRAMS:
            peak = (folder / "status").read_text().split("VmHWM:")[1].split()[0]
            self.memory[name] = max(self.memory.get(name, 0), int(peak) * 1024)
            files = [entry.stat() for entry in (folder / "fd").iterdir()]
            size = sum(512 * one.st_blocks for one in files)
            self.files[name] = max(self.files.get(name, 0), size)


_PROGRAMS = {"tap-leads", "meltano", "target-postgres"}


def _show(title: str, outcome: Outcome, peaks: _Peaks) -> None:
    print(f"{title}: {outcome.leads:,} leads in {outcome.seconds:.0f} s")
    for name, memory in sorted(peaks.memory.items()):
        files = peaks.files.get(name, 0)
        print(f"  {name}: {memory / 1e6:.0f} MB of memory, {files / 1e6:.0f} MB on disk")
    sys.stdout.flush()


def main() -> None:
    """Runs both."""
    parser = argparse.ArgumentParser(prog="python -m proof.benchmarks.huge", description=__doc__)
    parser.add_argument("--leads", type=int, default=10_000_000, help="of the first run")
    parser.add_argument("--load", type=int, default=1_000_000, help="leads for PostgreSQL")
    options = parser.parse_args()
    print(f"calibration: {calibrate()}")
    with SimulatedApi(options.leads, fails_at=options.leads * 99 // 100) as api:
        peaks = _Peaks()
        outcome = run(tap(), options.leads, environment=tap_environment(api.url), limit=3600.0)
        _show("one restart after 99 %", outcome, peaks)
    with SimulatedApi(options.load) as api:
        peaks = _Peaks()
        _show("meltano run into PostgreSQL", warehouse.load(api, limit=1800.0), peaks)
    print(f"calibration: {calibrate()}")


if __name__ == "__main__":
    main()
