"""Each target's own environment, and what runs there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from demo import environments

RUN_LIMIT = 120.0

# Python 3.10 removed these names from `collections`; targets from before it use them. On such a
# target's own Python nothing would be missing.
_OLD_NAMES = """\
import collections, collections.abc
for _name in ("Mapping", "MutableMapping", "Sequence"):
    setattr(collections, _name, getattr(collections.abc, _name))
"""


class ProgramError(Exception):
    """A program failed; the message is the last line that it logged."""


def installed(name: str) -> Path:
    """The folder with the programs of `requirements/targets-NAME.txt`.

    Raises:
        NotInstalledError: The packages could not be installed.
    """
    return environments.installed(f"targets-{name}", startup=_OLD_NAMES)


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
