"""The released package is complete, describes itself, and runs without the rest of this project."""

from __future__ import annotations

import json
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest
from support.programs import output
from support.tap import environment

from demo.meltano import ROOT
from tap_leads import __version__

NAME = f"tap_leads-{__version__}"
UV = (sys.executable, "-m", "uv", "--quiet", "--offline", "--no-config")
WHERE = "import tap_leads; print(tap_leads.__file__)"
BUILD = ("--no-build-isolation", "--python", sys.executable, "--out-dir", "dist")


def run(*command: str | Path, cwd: Path) -> str:
    """The output of a program that succeeds, outside of the checkout."""
    env = environment(UV_CACHE_DIR=str(cwd / "cache"), UV_PYTHON_DOWNLOADS="never")
    return output(*command, cwd=cwd, env=env)


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
    """The wheel, built from the source distribution as for a release."""
    run(*UV, "build", *BUILD, "--wheel", sdist, cwd=folder)
    return folder / f"dist/{NAME}-py3-none-any.whl"


@pytest.fixture(scope="module")
def programs(folder: Path, wheel: Path) -> Path:
    """The programs of an environment with the wheel, and with this environment's dependencies."""
    venv = folder / "venv"
    run(*UV, "venv", "--python", sys.executable, venv, cwd=folder)
    run(*UV, "pip", "install", "--no-deps", "--python", venv / "bin/python", wheel, cwd=folder)
    [site] = venv.glob("lib/python*/site-packages")
    # Python looks here after the wheel, and does not follow the link to the checkout there.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return venv / "bin"


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    """With its types and the sandbox, without the tests and the demo."""
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    written = {*ROOT.glob("tap_leads/**/*.py"), ROOT / "tap_leads/py.typed"}
    assert held == {str(path.relative_to(ROOT)) for path in written}
    assert "tap_leads/sandbox/__main__.py" in held


def test_the_source_distribution_has_all_that_its_tests_need(sdist: Path, folder: Path) -> None:
    """After unpacking, each test module can be collected, with the package from there."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    unpacked = folder / NAME
    needed = {*ROOT.glob("requirements/*"), *ROOT.glob("demo/*.py"), *ROOT.glob("docs/*.md")}
    names = {"CHANGELOG.md", "LICENSE", "Makefile", "README.md", "meltano.yml"}
    for name in {str(path.relative_to(ROOT)) for path in needed} | names:
        assert (unpacked / name).is_file(), name
    options = ("--collect-only", "--quiet", "--numprocesses=0", "-m", "", "-p", "no:cacheprovider")
    collected = run(sys.executable, "-m", "pytest", *options, cwd=unpacked)
    for path in (ROOT / "tests").glob("*/test_*.py"):
        assert f"{path.relative_to(ROOT)}::" in collected
    assert run(sys.executable, "-c", WHERE, cwd=unpacked).startswith(str(unpacked))


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    """The metadata of the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return Parser().parsestr(archive.read(f"{NAME}.dist-info/METADATA").decode())


def test_the_metadata_say_what_the_package_is(metadata: Message) -> None:
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]
    assert metadata["Name"] == "tap-leads"
    assert metadata["Version"] == __version__
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert "Typing :: Typed" in metadata.get_all("Classifier", [])
    assert set(metadata.get_all("Project-URL", [])) == {
        f"{label}, {url}" for label, url in urls.items()
    }


def test_the_page_of_the_package_has_no_links_to_files_of_the_repository(
    metadata: Message,
) -> None:
    """A package index does not have these files."""
    text = str(metadata.get_payload())
    targets = [part.partition(")")[0] for part in text.split("](")[1:]]
    assert [link for link in targets if not link.startswith(("https://", "#"))] == []


def test_the_changelog_has_the_version_that_is_built() -> None:
    assert f"\n## {__version__} " in (ROOT / "CHANGELOG.md").read_text()


def test_the_installed_wheel_syncs_its_own_sandbox(programs: Path, folder: Path) -> None:
    """A user without an access token needs only the wheel."""
    where = run(programs / "python", "-c", WHERE, cwd=folder)
    assert where.startswith(str(programs.parent))
    version = run(programs / "tap-leads", "--version", cwd=folder)
    assert version.startswith(f"tap-leads v{__version__}")
    sandbox = (programs / "python", "-m", "tap_leads.sandbox", "--leads", "120", "--")
    written = run(*sandbox, programs / "tap-leads", cwd=folder)
    records = [json.loads(line) for line in written.splitlines() if '"type":"RECORD"' in line]
    assert len({message["record"]["id"] for message in records}) == len(records) == 120
