"""`python -m proof.benchmarks.faults`: what is left of a sync that a fault disturbs, by extractor.

Each extractor reads 100 leads in pages of 20 from the sandbox, and something goes wrong at the
third request (`scroll_exists`: at the first); then 3,000 leads with a target that falls asleep
after the first one, for longer than a scroll lives unused. A cell shows the records that came and
the exit code: 100 (or 3,000) with 0 is a complete sync, less with another code is an honest
failure, and less with 0 is a loss that goes unnoticed.

Intercom's minute is scaled down to two seconds, with everybody's pauses: ours by `scroll_expiry`,
the others' by the launcher. Extractors that scroll nothing but companies are given leads for them.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from proof.benchmarks.peers import PEERS, Peer
from proof.benchmarks.programs import BenchmarkError, started, tap, tap_environment
from tap_leads.sandbox import Sandbox

PAGE_SIZE = 20
LEADS, MANY_LEADS = 100, 3_000
IDLE_LIMIT = 2.0
REAL_IDLE_LIMIT = 60.0
SLEEP = 3 * IDLE_LIMIT
TIME_LIMIT = 120.0
ENDLESS = 124
"""The exit code of a program that had to be ended, as of `timeout`."""


class Fault(NamedTuple):
    """A column: what goes wrong."""

    title: str
    kinds: tuple[str, ...] = ()
    leads: int = LEADS
    sleep: float = 0.0


FAULTS = (
    Fault("500 restart", ("restart@3",)),
    Fault("response lost", ("lost@3",)),
    Fault("429", ("429@3",)),
    Fault("scroll_exists once", ("exists@1",)),
    Fault("target asleep past the idle limit", leads=MANY_LEADS, sleep=SLEEP),
)


class Cell(NamedTuple):
    """What came of a sync."""

    records: int
    different: int
    code: int

    def __str__(self) -> str:
        twice = self.records - self.different
        end = "no end" if self.code == ENDLESS else str(self.code)
        return f"{self.records}{f', {twice} of them again' if twice else ''} / {end}"


def measure(peer: Peer | None, fault: Fault, folder: Path) -> Cell:
    """Runs an extractor, or the tap for None, through a fault.

    Raises:
        BenchmarkError: It cannot be run.
    """
    with Sandbox(
        fault.leads, page_size=PAGE_SIZE, idle_limit=IDLE_LIMIT, faults=fault.kinds
    ) as sandbox:
        pace = IDLE_LIMIT / REAL_IDLE_LIMIT
        return read(
            peer.command(sandbox.url, folder, pace) if peer else tap(),
            tap_environment(sandbox.url, TAP_LEADS_SCROLL_EXPIRY=f"{IDLE_LIMIT:.0f}"),
            fault.sleep,
        )


def read(command: Sequence[str], environment: dict[str, str], sleep: float) -> Cell:
    """Runs a program and reads its records; sleeps after the first one."""
    ids: list[str] = []
    with (
        tempfile.TemporaryFile() as log,
        started(command, environment, log, TIME_LIMIT) as process,
    ):
        for line in process.stdout or ():
            if (identity := id_in(line)) is not None:
                if not ids:
                    time.sleep(sleep)
                ids.append(identity)
        code = process.wait()
    return Cell(len(ids), len(set(ids)), ENDLESS if code < 0 else code)


def id_in(line: bytes) -> str | None:
    """The id of the record in a line of Singer's or Airbyte's; None if it holds none."""
    try:
        message: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    if message.get("type") != "RECORD":
        return None
    record = message["record"]
    return str(record.get("data", record)["id"])


def row(title: str, cells: Sequence[object]) -> str:
    """A row of the table."""
    return f"| {' | '.join(map(str, (title, *cells)))} |"


def main() -> int:
    """Prints the table; the exit code is 0 only if the tap lost nothing without saying so."""
    signal.signal(signal.SIGTERM, lambda signum, _: sys.exit(128 + signum))
    parser = argparse.ArgumentParser(prog="python -m proof.benchmarks.faults", description=__doc__)
    parser.add_argument("--ours", action="store_true", help="run no extractor but the tap")
    options = parser.parse_args()
    print(row("records / exit code", [fault.title for fault in FAULTS]))
    print(f"|---|{'---|' * len(FAULTS)}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        ours = [measure(None, fault, Path(folder)) for fault in FAULTS]
        print(row("**tap-leads**", ours), flush=True)
        for peer in () if options.ours else PEERS:
            title = f"{peer.title} ({peer.stream})"
            try:
                peer.install()
                cells = [measure(peer, fault, Path(folder)) for fault in FAULTS]
                print(row(title, cells), flush=True)
            except BenchmarkError as error:
                print(row(title, [f"not run: {error}"] + [""] * (len(FAULTS) - 1)), flush=True)
    print(f"\n{LEADS} leads ({MANY_LEADS:,} for the sleeping target), {PAGE_SIZE} a page.")
    return int(
        any(
            (cell.records, cell.code) != (fault.leads, 0)
            for cell, fault in zip(ours, FAULTS, strict=True)
        )
    )


if __name__ == "__main__":
    sys.exit(main())
