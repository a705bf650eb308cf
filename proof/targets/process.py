"""Runs a program in a folder of its own, with few variables around it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

RUN_LIMIT = 120.0


class ProgramError(Exception):
    """A program failed; the message is the last line that it logged."""


def run(
    *command: str | Path, folder: Path, sent: bytes = b"", environment: dict[str, str] | None = None
) -> bytes:
    """Runs a program and returns what it wrote.

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
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise ProgramError(lines[-1].strip() if lines else "no message")
    return done.stdout
