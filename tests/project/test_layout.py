"""Imports between the packages of `tap_leads` go one way, as pyproject.toml says."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from support.programs import BIN, finish
from support.tap import environment

from demo.meltano import ROOT


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package and of the rules."""
    shutil.copytree(ROOT / "tap_leads", tmp_path / "tap_leads")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def check_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs the import linter on the package in a folder."""
    options = ("--no-logo", "--no-cache")
    return finish(
        BIN / "lint-imports", *options, cwd=folder, env=environment(PYTHONPATH=str(folder))
    )


def test_the_imports_go_one_way(copy: Path) -> None:
    done = check_imports(copy)
    assert done.returncode == 0, done.stdout


def test_every_import_the_other_way_is_found(copy: Path) -> None:
    wrong = {
        "scroll": ["tap_leads.stream", "tap_leads.singer", "singer_sdk"],
        "records": ["tap_leads.scroll", "tap_leads.singer", "requests"],
        "singer": ["tap_leads.scroll"],
        "sandbox": ["tap_leads.scroll"],
        "stream": ["tap_leads.sandbox"],
    }
    for module, names in wrong.items():
        path = copy / f"tap_leads/{module}.py"
        path = path if path.exists() else copy / f"tap_leads/{module}/__init__.py"
        with path.open("a") as file:
            file.writelines(f"\nimport {name}\n" for name in names)
    done = check_imports(copy)
    assert done.returncode == 1
    for module, names in wrong.items():
        for name in names:
            assert f"tap_leads.{module} -> {name}" in done.stdout


def test_a_new_module_needs_a_place_among_the_others(copy: Path) -> None:
    (copy / "tap_leads/attic.py").touch()
    done = check_imports(copy)
    assert done.returncode == 1
    assert "tap_leads.attic" in done.stdout
