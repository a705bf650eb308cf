"""The sandbox and the tap are two programs."""

from __future__ import annotations

import ast
from pathlib import Path

import tap_leads

TAP = Path(tap_leads.__file__).parent
SANDBOX = TAP / "sandbox"


def test_the_sandbox_imports_nothing_of_the_tap() -> None:
    """So neither can repeat a mistake of the other."""
    imported = {
        node.module
        for path in SANDBOX.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("tap_leads")
    }
    assert imported
    assert [name for name in imported if not name.startswith("tap_leads.sandbox")] == []


def test_no_module_has_the_name_of_a_module_of_the_tap() -> None:
    """A name means one thing."""
    names = {path.stem for path in SANDBOX.glob("*.py")} - {"__init__", "__main__"}
    others = {path.stem for path in TAP.rglob("*.py") if SANDBOX not in path.parents}
    assert names.isdisjoint(others)
