"""Imports between the packages of `tap_leads` go one way, as pyproject.toml says."""

from __future__ import annotations

import shutil
from pathlib import Path

from support.programs import BIN, finish, output
from support.tap import environment

from demo.meltano import ROOT

WRONG = {
    "scroll/__init__": ["tap_leads.stream", "tap_leads.singer", "singer_sdk"],
    "records/__init__": ["tap_leads.scroll", "tap_leads.singer", "requests"],
    "singer/__init__": ["tap_leads.scroll"],
    "sandbox/__init__": ["tap_leads.scroll"],
    "stream": ["tap_leads.sandbox"],
    "attic": ["tap_leads.errors"],  # a new module, which has no place among the others
}


def test_the_imports_go_one_way_and_every_import_the_other_way_is_found(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "tap_leads", tmp_path / "tap_leads")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    command = (BIN / "lint-imports", "--no-logo", "--no-cache")
    env = environment(PYTHONPATH=str(tmp_path))
    output(*command, cwd=tmp_path, env=env)
    for module, names in WRONG.items():
        with (tmp_path / f"tap_leads/{module}.py").open("a") as file:
            file.writelines(f"\nimport {name}\n" for name in names)
    done = finish(*command, cwd=tmp_path, env=env)
    assert done.returncode == 1
    assert "tap_leads.attic" in done.stdout
    for module, names in list(WRONG.items())[:-1]:
        for name in names:
            assert f"tap_leads.{module.removesuffix('/__init__')} -> {name}" in done.stdout
