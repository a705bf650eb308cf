"""`python -m proof.benchmarks.faults`: what is left of a sync that a fault disturbs, by extractor.

Each extractor reads a sandbox while something goes wrong. A cell shows the records that it sent and
its exit code. docs/comparison.md says how many leads each fault has. This program writes the table
there if every extractor ran.

Intercom's minute is scaled down to two seconds, with the pauses of all extractors: ours by
`scroll_expiry`, the others' by the launcher. Extractors that scroll nothing but companies are given
leads for them.
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

from proof.benchmarks.page import write_page
from proof.benchmarks.peers import PEERS, Peer
from proof.benchmarks.programs import ROOT, BenchmarkError, started, tap, tap_environment
from proof.benchmarks.table import markdown_table
from tap_leads.sandbox import Sandbox

PAGE = ROOT / "docs" / "comparison.md"
IDLE_LIMIT = 2.0
REAL_IDLE_LIMIT = 60.0
SLEEP = 3 * IDLE_LIMIT
TIME_LIMIT = 120.0
ENDLESS = 124
"""The exit code of a program that had to be ended, as of `timeout`."""


class Fault(NamedTuple):
    """A column: what goes wrong.

    Attributes:
        title: The head of the column.
        kinds: The sandbox's faults.
        leads: How many leads the sandbox has.
        page_size: Leads per page.
        sleep: Seconds that the target sleeps after the first record.
    """

    title: str
    kinds: tuple[str, ...] = ()
    leads: int = 100
    page_size: int = 20
    sleep: float = 0.0


FAULTS = (
    Fault("500 restart", ("restart@3",)),
    Fault("response lost", ("lost@3",)),
    Fault("429", ("429@3",)),
    Fault("scroll_exists once", ("exists@1",)),
    Fault("page taken by someone else", ("stolen@3",), leads=730, page_size=100),
    Fault("target asleep past the idle limit", leads=3_000, sleep=SLEEP),
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
        fault.leads, page_size=fault.page_size, idle_limit=IDLE_LIMIT, faults=fault.kinds
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


def table(rows: Sequence[Sequence[str]]) -> str:
    """The table: one row per extractor."""
    heads = ["records / exit code", *(fault.title for fault in FAULTS)]
    return markdown_table(heads, rows, "l" * len(heads))


def main() -> int:
    """Prints the table; the exit code is 0 only if the tap was complete each time."""
    signal.signal(signal.SIGTERM, lambda signum, _: sys.exit(128 + signum))
    parser = argparse.ArgumentParser(prog="python -m proof.benchmarks.faults", description=__doc__)
    parser.add_argument("--ours", action="store_true", help="run no extractor but the tap")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ours = [measure(None, fault, Path(folder)) for fault in FAULTS]
        rows = [["**tap-leads**", *map(str, ours)]]
        failed = False
        for peer in () if options.ours else PEERS:
            print(peer.title, file=sys.stderr, flush=True)
            try:
                cells = [str(measure(peer, fault, Path(folder))) for fault in FAULTS]
            except BenchmarkError as error:
                failed, cells = True, [f"not run: {error}"] + [""] * (len(FAULTS) - 1)
            rows.append([f"{peer.title} ({peer.stream})", *cells])
    print(table(rows))
    if not (options.ours or failed):
        write_page(table(rows), "faults", PAGE)
    complete = [Cell(fault.leads, fault.leads, 0) for fault in FAULTS]
    return int(ours != complete)


if __name__ == "__main__":
    sys.exit(main())
