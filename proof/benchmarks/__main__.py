"""`python -m proof.benchmarks`: measures the tap, and writes the page that shows the figures."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path

import msgspec

from proof.benchmarks.machine import calibrate, this_machine
from proof.benchmarks.measures import MEASURES, QUICK, Plan
from proof.benchmarks.page import draw_charts, write_page
from proof.benchmarks.programs import ROOT, BenchmarkError
from proof.benchmarks.results import Results
from proof.benchmarks.table import figures, markdown

COMPLETE = ROOT / ".cache/bench/results.json"
PARTIAL = COMPLETE.with_name("partial.json")


def main() -> int:
    """Measures; the exit code is 0 only if every measure worked."""
    # A kill ends the benchmark as Ctrl-C does: with every program that it started.
    signal.signal(signal.SIGTERM, lambda signum, _: sys.exit(128 + signum))
    # Some containers set it; every start would then be measured with its compilation.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    options = _options()
    try:
        if options.table:
            return _show(COMPLETE)
        return measure(_plan(options), options.only or list(MEASURES), quick=options.quick)
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 128 + signal.SIGINT


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m proof.benchmarks", description=__doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help="a trial in under a minute; its figures mean nothing")
    add("--table", action="store_true", help="only print the last complete results")
    add("--only", nargs="+", choices=MEASURES, metavar="MEASURE", help=", ".join(MEASURES))
    add("--rounds", type=int, help="runs of each measure (5)")
    add("--sizes", type=int, nargs="+", help="leads that show growth (10000 100000 1000000)")
    return parser.parse_args()


def _plan(options: argparse.Namespace) -> Plan:
    given = {name: value for name in ("rounds", "sizes") if (value := getattr(options, name))}
    return msgspec.structs.replace(QUICK if options.quick else Plan(), **given)


def _show(path: Path) -> int:
    if not path.exists():
        print("There are no complete results yet; run `make bench`.", file=sys.stderr)
        return 1
    print(markdown(msgspec.json.decode(path.read_bytes(), type=Results)))
    return 0


def measure(plan: Plan, names: list[str], *, quick: bool = False) -> int:
    """Measures, and replaces the page only after a complete run on a quiet machine."""
    results = Results(this_machine(), quick=quick, calibration=[calibrate()])
    for name in names:
        one = MEASURES[name]
        print(f"{name}: {(one.__doc__ or '').splitlines()[0]}", end=" ", file=sys.stderr)
        sys.stderr.flush()
        started = time.monotonic()
        try:
            results.runs[name] = one(plan, results)
        except BenchmarkError as error:
            results.failures[name] = str(error)
            print(f"FAILED: {error}", file=sys.stderr)
        else:
            print(f"({time.monotonic() - started:.0f} s)", file=sys.stderr)
    results.calibration.append(calibrate())
    complete = not (quick or results.noise or results.failures) and set(names) == set(MEASURES)
    path = COMPLETE if complete else PARTIAL
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results)))
    print(file=sys.stderr)
    _show(path)
    for missed in filter(None, (figure.missed() for figure in figures(results))):
        print(f"Missed: {missed}", file=sys.stderr)
    if results.noise:
        print(f"The page stays as it is: the machine was busy ({results.noise}).", file=sys.stderr)
    if complete:
        write_page(markdown(results))
        draw_charts(path)
    return 1 if results.failures else 0


if __name__ == "__main__":
    sys.exit(main())
