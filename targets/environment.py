"""Each target's own environment, made from `requirements/targets-NAME.txt` when first needed."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INSTALL_LIMIT = 300.0
RUN_LIMIT = 120.0

# Python 3.10 removed these names from `collections`; targets from before it use them. On such a
# target's own Python nothing would be missing.
_OLD_NAMES = """\
import collections, collections.abc
for _name in ("Mapping", "MutableMapping", "Sequence"):
    setattr(collections, _name, getattr(collections.abc, _name))
"""


class NotInstalledError(Exception):
    """A target's packages could not be installed; the message says why."""


class ProgramError(Exception):
    """A program failed; the message is the last line that it logged."""


@cache
def installed(name: str) -> Path:
    """The folder with the programs of `requirements/targets-NAME.txt`.

    Raises:
        NotInstalledError: The packages could not be installed.
    """
    folder = ROOT / ".cache/targets" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    pins = ROOT / f"requirements/targets-{name}.txt"
    wanted = f"{sys.version}\n{_OLD_NAMES}\n{pins.read_text()}"
    stamp = folder / "installed.txt"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        if not stamp.exists() or stamp.read_text() != wanted:
            _uv("venv", "--clear", "--python", sys.executable, folder)
            python = folder / "bin/python"
            _uv("pip", "install", "--no-deps", "--python", python, "--requirement", pins)
            (packages,) = folder.glob("lib/python*/site-packages")
            (packages / "sitecustomize.py").write_text(_OLD_NAMES)
            stamp.write_text(wanted)
    return folder / "bin"


def plugin(name: str) -> Path:
    """The folder with the programs of a loader that `make setup` has installed for Meltano."""
    return ROOT / ".meltano/loaders" / name / "venv/bin"


def _uv(*arguments: str | Path) -> None:
    own = {"UV_CACHE_DIR": str(ROOT / ".cache/uv"), "UV_PYTHON_DOWNLOADS": "never"}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "uv", "--quiet", *arguments],
            env={"UV_SYSTEM_CERTS": "1", **os.environ, **own},
            capture_output=True,
            text=True,
            check=False,
            timeout=INSTALL_LIMIT,
        )
    except subprocess.TimeoutExpired:
        raise NotInstalledError(f"it took longer than {INSTALL_LIMIT:.0f} s") from None
    if done.returncode:
        raise NotInstalledError(last_line(done.stderr))


def run(
    *command: str | Path, folder: Path, sent: bytes = b"", environment: dict[str, str] | None = None
) -> bytes:
    """Runs a program in a folder, with few variables around it; what it wrote.

    Args:
        command: The program and its arguments.
        folder: Where it runs; it is its home too.
        sent: What it reads.
        environment: Variables that it has besides.

    Raises:
        ProgramError: It failed, or took too long.
    """
    base = {"PATH": os.defpath, "HOME": str(folder), "TMPDIR": str(folder), "TZ": "UTC"}
    try:
        done = subprocess.run(
            command,
            input=sent,
            cwd=folder,
            env=base | (environment or {}),
            capture_output=True,
            check=False,
            timeout=RUN_LIMIT,
        )
    except subprocess.TimeoutExpired:
        raise ProgramError(f"it took longer than {RUN_LIMIT:.0f} s") from None
    (folder / "log.txt").write_bytes(done.stderr)
    if done.returncode:
        raise ProgramError(last_line(done.stderr.decode(errors="replace")))
    return done.stdout


def last_line(log: str) -> str:
    """The last line of a log that says something: of a traceback, the error."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"
