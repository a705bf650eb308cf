"""The examples of a page, and the comparison of what it shows with what a program prints."""

from __future__ import annotations

import re


def assert_prints(shown: str, output: str) -> None:
    """Every line that is shown is printed, in this order; `…` stands for any text."""
    rest = output
    for line in filter(None, shown.splitlines()):
        pattern = ".*".join(re.escape(part) for part in line.split("…"))
        found = re.search(f"^{pattern}\\s*$", rest, re.MULTILINE)
        assert found, f"{line}\n\nis not in what follows:\n\n{rest}"
        rest = rest[found.end() :]
