"""Separate environments for programs whose requirements conflict with those of the tap.

    installed("airflow") / "airflow"

Each environment is made from a file in requirements/ when it is first used.
"""

import fcntl
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from demo.meltano import ROOT

_FOLDER = ROOT / ".cache/environments"
_SECONDS = 600


class NotInstalledError(Exception):
    """Packages could not be installed; the message says why."""


@cache
def installed(pins: str, folder: Path | None = None, *, startup: str = "") -> Path:
    """Makes an environment, unless it exists and is up to date.

    Args:
        pins: The name of the file in requirements/, without its ending.
        folder: The environment's folder; by default, there is one for each file.
        startup: Python code that runs first in each program of the environment.

    Returns:
        The folder with its programs.

    Raises:
        NotInstalledError: The packages could not be installed.
    """
    folder = folder or _FOLDER / pins
    file = ROOT / f"requirements/{pins}.txt"
    # Programs contain the path of their environment, so an environment that moved is made again.
    wanted = "\n".join((str(folder), sys.version, startup, file.read_text()))
    stamp = folder / "installed.txt"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        if not stamp.exists() or stamp.read_text() != wanted:
            print(f"Installing {file.relative_to(ROOT)} (once)", file=sys.stderr)
            _uv("venv", "--clear", "--python", sys.executable, folder)
            _uv("pip", "sync", "--python", folder / "bin/python", file)
            (packages,) = folder.glob("lib/python*/site-packages")
            # A file `sitecustomize.py` would be hidden by that of Debian's Python.
            (packages / "_startup.py").write_text(startup)
            (packages / "_startup.pth").write_text("import _startup\n")
            stamp.write_text(wanted)
    return folder / "bin"


def _uv(*arguments: str | Path) -> None:
    own = {"UV_CACHE_DIR": str(ROOT / ".cache/uv"), "UV_PYTHON_DOWNLOADS": "never"}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "uv", "--quiet", *arguments],
            env={"UV_SYSTEM_CERTS": "1", **os.environ, **own},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise NotInstalledError(f"it took longer than {_SECONDS} s") from None
    if done.returncode:
        raise NotInstalledError(done.stderr.strip().rpartition("\n")[2] or "no message")
