"""Imports between the rooms of the package go one way, as pyproject.toml says."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.tap import environment

from demo.meltano import ROOT


def check_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs the import linter on the package in a folder."""
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=folder,
        env=environment(PYTHONPATH=str(folder)),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package and of the rules."""
    shutil.copytree(ROOT / "tap_leads", tmp_path / "tap_leads")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_imports_go_one_way(copy: Path) -> None:
    done = check_imports(copy)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        pytest.param("scroll", "tap_leads.stream", id="scroll-stream"),
        pytest.param("records", "tap_leads.scroll", id="records-scroll"),
        pytest.param("records", "requests", id="records-http"),
        pytest.param("scroll", "tap_leads.singer", id="scroll-singer"),
        pytest.param("scroll", "singer_sdk", id="scroll-sdk"),
        pytest.param("singer", "tap_leads.scroll", id="singer-scroll"),
        pytest.param("records", "tap_leads.singer", id="records-singer"),
        pytest.param("sandbox", "tap_leads.scroll", id="sandbox-tap"),
        pytest.param("stream", "tap_leads.sandbox", id="tap-sandbox"),
    ],
)
def test_an_import_the_other_way_is_found(copy: Path, module: str, imported: str) -> None:
    path = copy / f"tap_leads/{module}.py"
    path = path if path.exists() else copy / f"tap_leads/{module}/__init__.py"
    path.write_text(f"{path.read_text()}\nimport {imported}\n")
    done = check_imports(copy)
    assert done.returncode == 1
    assert f"tap_leads.{module} -> {imported}" in done.stdout


def test_a_new_room_needs_a_place_among_the_others(copy: Path) -> None:
    (copy / "tap_leads/attic.py").touch()
    done = check_imports(copy)
    assert done.returncode == 1
    assert "tap_leads.attic" in done.stdout
