"""`python -m targets`: loads the same leads into many targets, and writes what came of it."""

from __future__ import annotations

import argparse
import signal
import sys

from targets.page import PAGE, page, table
from targets.services import Services
from targets.targets import TARGETS
from targets.trial import Trial


def main() -> int:
    """Runs the targets; 0 once the page, or the rows of those asked for, are written."""
    # A kill ends the run as Ctrl-C does: with every server that it started.
    signal.signal(signal.SIGTERM, lambda signum, _: sys.exit(128 + signum))
    parser = argparse.ArgumentParser(prog="python -m targets", description=__doc__)
    parser.add_argument(
        "--only", nargs="+", metavar="TARGET", choices=TARGETS, help=", ".join(TARGETS)
    )
    only = parser.parse_args().only
    reports = []
    with Services() as services:
        for name in only or TARGETS:
            print(name, file=sys.stderr, flush=True)
            reports.append(Trial(TARGETS[name], services).report())
    if only:
        print(table(reports))
    else:
        PAGE.write_text(page(reports))
        print(f"Wrote {PAGE}.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
