"""Compares what a page shows with what a program prints."""

from __future__ import annotations

import re


def assert_prints(shown: str, output: str) -> None:
    """Checks that all lines of a page are printed in this order; `…` matches any text."""
    rest = output
    for line in filter(None, shown.splitlines()):
        pattern = ".*".join(re.escape(part) for part in line.split("…"))
        found = re.search(f"^{pattern}\\s*$", rest, re.MULTILINE)
        assert found, f"{line}\n\nis not in the rest of the output:\n\n{rest}"
        rest = rest[found.end() :]
