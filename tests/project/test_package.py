"""What is released is complete, says what it is, and runs where nothing else of this project is."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest
from support.tap import environment

from demo.meltano import ROOT
from tap_leads import __version__

TIME_LIMIT = 60.0
NAME = f"tap_leads-{__version__}"
UV = (sys.executable, "-m", "uv", "--quiet", "--offline", "--no-config")
WHERE = "import tap_leads; print(tap_leads.__file__)"
BUILD = ("--no-build-isolation", "--python", sys.executable, "--out-dir", "dist")


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs a program that succeeds, away from the checkout."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment(UV_CACHE_DIR=str(cwd / "cache"), UV_PYTHON_DOWNLOADS="never"),
        capture_output=True,
        text=True,
        check=False,
        timeout=TIME_LIMIT,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for everything that the tests of this module make."""
    return tmp_path_factory.mktemp("package")


@pytest.fixture(scope="module")
def sdist(folder: Path) -> Path:
    """The source distribution."""
    run(*UV, "build", *BUILD, "--sdist", ROOT, cwd=folder)
    return folder / f"dist/{NAME}.tar.gz"


@pytest.fixture(scope="module")
def wheel(folder: Path, sdist: Path) -> Path:
    """The wheel, built from the source distribution as a release's is."""
    run(*UV, "build", *BUILD, "--wheel", sdist, cwd=folder)
    return folder / f"dist/{NAME}-py3-none-any.whl"


@pytest.fixture(scope="module")
def programs(folder: Path, wheel: Path) -> Path:
    """The programs of an environment that has the wheel, and the dependencies from here."""
    venv = folder / "venv"
    run(*UV, "venv", "--python", sys.executable, venv, cwd=folder)
    run(*UV, "pip", "install", "--no-deps", "--python", venv / "bin/python", wheel, cwd=folder)
    [site] = venv.glob("lib/python*/site-packages")
    # Searched after the wheel; and what makes the checkout importable here does not count there.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return venv / "bin"


def project() -> dict[str, Any]:
    """The project's own description."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return project


def metadata(wheel: Path) -> Message:
    """What the wheel says of itself."""
    with zipfile.ZipFile(wheel) as archive:
        return Parser().parsestr(archive.read(f"{NAME}.dist-info/METADATA").decode())


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    """Its types and the sandbox belong to it; the tests and the demo do not."""
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    written = {*ROOT.glob("tap_leads/**/*.py"), ROOT / "tap_leads/py.typed"}
    assert held == {str(path.relative_to(ROOT)) for path in written}
    assert "tap_leads/sandbox/__main__.py" in held


def test_the_source_distribution_brings_all_that_its_tests_need(sdist: Path, folder: Path) -> None:
    """Unpacked elsewhere, each module of tests can be collected, with the package from there."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    unpacked = folder / NAME
    options = ("--collect-only", "--quiet", "--numprocesses=0", "-m", "", "-p", "no:cacheprovider")
    collected = run(sys.executable, "-m", "pytest", *options, cwd=unpacked).stdout
    for path in (ROOT / "tests").glob("*/test_*.py"):
        assert f"{path.relative_to(ROOT)}::" in collected
    assert run(sys.executable, "-c", WHERE, cwd=unpacked).stdout.startswith(str(unpacked))


def test_the_source_distribution_can_set_up_what_its_tests_need(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        held = {name.removeprefix(f"{NAME}/") for name in archive.getnames()}
    needed = {*ROOT.glob("requirements/*"), *ROOT.glob("demo/*.py"), *ROOT.glob("docs/*.md")}
    assert {str(path.relative_to(ROOT)) for path in needed} <= held
    assert {"CHANGELOG.md", "LICENSE", "Makefile", "README.md", "meltano.yml"} <= held


def test_the_metadata_say_what_the_package_is(wheel: Path) -> None:
    said = metadata(wheel)
    assert said["Name"] == "tap-leads"
    assert said["Version"] == __version__
    assert said["License-Expression"] == "Apache-2.0"
    assert said["Requires-Python"] == ">=3.11"
    assert said["Description-Content-Type"] == "text/markdown"
    assert "Typing :: Typed" in said.get_all("Classifier", [])
    assert set(said.get_all("Project-URL", [])) == {
        f"{label}, {url}" for label, url in project()["urls"].items()
    }


def test_the_page_of_the_package_links_to_places_that_exist_there(wheel: Path) -> None:
    """Links to files of the repository would lead nowhere from a package index."""
    text = str(metadata(wheel).get_payload())
    targets = [part.partition(")")[0] for part in text.split("](")[1:]]
    assert [link for link in targets if not link.startswith(("https://", "#"))] == []


def test_the_changelog_has_the_version_that_is_built() -> None:
    assert f"\n## {__version__} " in (ROOT / "CHANGELOG.md").read_text()


def test_the_installed_wheel_is_what_runs(programs: Path, folder: Path) -> None:
    assert run(programs / "python", "-c", WHERE, cwd=folder).stdout.startswith(str(programs.parent))
    version = run(programs / "tap-leads", "--version", cwd=folder).stdout
    assert version.startswith(f"tap-leads v{__version__}")


def test_the_installed_wheel_syncs_its_own_sandbox(programs: Path, folder: Path) -> None:
    """The wheel is all that a user without an access token needs."""
    sandbox = (programs / "python", "-m", "tap_leads.sandbox", "--leads", "120", "--")
    output = run(*sandbox, programs / "tap-leads", cwd=folder).stdout
    records = [json.loads(line) for line in output.splitlines() if '"type":"RECORD"' in line]
    assert len({message["record"]["id"] for message in records}) == len(records) == 120
