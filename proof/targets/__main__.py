"""`python -m proof.targets`: loads the same leads into many targets, and writes docs/targets.md."""

from __future__ import annotations

import argparse
import signal
import sys
from concurrent.futures import ThreadPoolExecutor

from proof.targets.page import PAGE, page, table
from proof.targets.services import Services
from proof.targets.targets import TARGETS
from proof.targets.trial import rate, report_on

AT_ONCE = 4


def main() -> int:
    """Runs the targets; 0 once the page, or the rows of those asked for, are written."""
    # A kill ends the run as Ctrl-C does: with every server that it started.
    signal.signal(signal.SIGTERM, lambda signum, _: sys.exit(128 + signum))
    parser = argparse.ArgumentParser(prog="python -m proof.targets", description=__doc__)
    parser.add_argument(
        "--only", nargs="+", metavar="TARGET", choices=TARGETS, help=", ".join(TARGETS)
    )
    only = parser.parse_args().only
    names = only or list(TARGETS)
    # Threads are enough, because the targets are programs of their own.
    with Services() as services:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            results = pool.map(lambda name: report_on(TARGETS[name], services), names)
            reports = []
            for name, report in zip(names, results, strict=True):
                print(name, file=sys.stderr, flush=True)
                reports.append(report)
        for report in reports:  # one at a time, so that they do not slow each other down
            report.rate = rate(report, services)
    if only:
        print(table(reports))
    else:
        PAGE.write_text(page(reports))
        print(f"Wrote {PAGE}.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
