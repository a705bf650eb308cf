"""The released package is complete, describes itself, and runs without the rest of this project."""

from __future__ import annotations

import json
import re
import sys
import sysconfig
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from support.programs import output
from support.tap import environment

from demo.meltano import ROOT
from tap_leads import __version__

NAME = f"tap_leads-{__version__}"
WHEEL = f"dist/{NAME}-py3-none-any.whl"
UV = (sys.executable, "-m", "uv", "--quiet", "--offline", "--no-config")
WHERE = "import tap_leads; print(tap_leads.__file__)"
BUILD = ("--no-build-isolation", "--python", sys.executable, "--out-dir", "dist")


def run(*command: str | Path, cwd: Path) -> str:
    """The output of a program that succeeds, outside of the checkout."""
    env = environment(UV_CACHE_DIR=str(cwd / "cache"), UV_PYTHON_DOWNLOADS="never")
    return output(*command, cwd=cwd, env=env)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `dist`: the source distribution, and a wheel built from it as for a release."""
    folder = tmp_path_factory.mktemp("package")
    run(*UV, "build", *BUILD, ROOT, cwd=folder)
    return folder


def test_the_source_distribution_has_all_that_its_tests_need(folder: Path) -> None:
    """After unpacking, each test module can be collected, with the package from there."""
    run("tar", "--extract", "--file", f"dist/{NAME}.tar.gz", cwd=folder)
    unpacked = folder / NAME
    needed = {*ROOT.glob("requirements/*"), *ROOT.glob("demo/*.py"), *ROOT.glob("docs/*.md")}
    names = {"CHANGELOG.md", "LICENSE", "Makefile", "README.md", "meltano.yml"}
    for name in {str(path.relative_to(ROOT)) for path in needed} | names:
        assert (unpacked / name).is_file(), name
    collect = ("pytest", "--collect-only", "--quiet", "--assert=plain", "--numprocesses=0")
    options = ("-p", "no:cacheprovider", "-m", "")
    collected = run(sys.executable, "-m", *collect, *options, cwd=unpacked)
    for path in (ROOT / "tests").glob("*/test_*.py"):
        assert f"{path.relative_to(ROOT)}::" in collected
    assert run(sys.executable, "-c", WHERE, cwd=unpacked).startswith(str(unpacked))


def test_the_wheel_holds_the_package_alone_and_says_what_it_is(folder: Path) -> None:
    """With its types and the sandbox. A package index has no files to which its page could link."""
    with zipfile.ZipFile(folder / WHEEL) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        metadata = Parser().parsestr(archive.read(f"{NAME}.dist-info/METADATA").decode())
    written = {*ROOT.glob("tap_leads/**/*.py"), ROOT / "tap_leads/py.typed"}
    assert held == {str(path.relative_to(ROOT)) for path in written}
    assert f"\n## {__version__} " in (ROOT / "CHANGELOG.md").read_text()
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]
    expected = {
        "Name": "tap-leads",
        "Version": __version__,
        "License-Expression": "Apache-2.0",
        "Requires-Python": ">=3.11",
        "Description-Content-Type": "text/markdown",
    }
    assert {name: metadata[name] for name in expected} == expected
    assert "Typing :: Typed" in metadata.get_all("Classifier", [])
    shown = {f"{label}, {url}" for label, url in urls.items()}
    assert set(metadata.get_all("Project-URL", [])) == shown
    assert re.findall(r"\]\((?!https://|#)", str(metadata.get_payload())) == []


def test_the_installed_wheel_syncs_its_own_sandbox(folder: Path) -> None:
    """A user without an access token needs only the wheel; its dependencies are those here."""
    venv = folder / "venv"
    python, tap = venv / "bin/python", venv / "bin/tap-leads"
    run(*UV, "venv", "--python", sys.executable, venv, cwd=folder)
    run(*UV, "pip", "install", "--no-deps", "--python", python, folder / WHEEL, cwd=folder)
    [site] = venv.glob("lib/python*/site-packages")
    # Python looks here after the wheel, and does not follow the link to the checkout there.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    assert run(python, "-c", WHERE, cwd=folder).startswith(str(venv))
    assert run(tap, "--version", cwd=folder).startswith(f"tap-leads v{__version__}")
    sandbox = (python, "-m", "tap_leads.sandbox", "--leads", "120", "--")
    written = run(*sandbox, tap, cwd=folder)
    records = [json.loads(line) for line in written.splitlines() if '"type":"RECORD"' in line]
    assert len({message["record"]["id"] for message in records}) == len(records) == 120
