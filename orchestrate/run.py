"""Runs a workspace with `meltano run`, and leaves no file and no process behind.

    python orchestrate/run.py tap-leads--acme target-postgres [PID ...]

What it adds to Meltano:

- The run's files, one of which holds the access token, are in a private folder that is removed.
- If the variable WORKSPACE_ENTRIES holds a list of workspaces (YAML), Meltano reads that list. So
  the run works although the project's list has wrong entries, for which Meltano refuses it whole.
- When this program ends or is killed, all processes of the run end. The same happens when one of
  the processes with the given ids ends.
- Exit code 77 means that Intercom refused the access token, so a retry is useless. Meltano's own
  exit code is 1 for every failure.

It needs only Python's standard library, and `meltano` in the PATH.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import IO, cast

REFUSED = 77  # EX_NOPERM of sysexits.h

_CLEANUP = Path(__file__).with_name("cleanup.py")
_LIST = Path("orchestrate/workspaces.meltano.yml")
# The tap's own errors about the token, with Intercom's error code. The response of a proxy or a
# firewall has no such code, and the next try may succeed.
_REFUSAL = re.compile(
    rb"^(?!.*\bwarning\b).*\bIntercom "
    rb"(refused the access token|does not let this access token read leads) \(HTTP 40[13], \w+\)",
    re.IGNORECASE,
)


def main(extractor: str, loader: str, *watched: str) -> int:
    """Runs a workspace; returns the exit code."""
    os.umask(0o077)
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    folder, lock = private_folder()
    # Leaving this block waits for the end of the cleanup.
    with subprocess.Popen(
        [sys.executable, _CLEANUP, folder, *watched],
        stdin=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
        pass_fds=[lock],
    ) as cleanup:
        meltano = subprocess.Popen(
            ["meltano", "run", "--no-install", extractor, loader],
            env=environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        stdin = cast("IO[bytes]", cleanup.stdin)
        stdin.write(b"%d\n" % meltano.pid)
        refused = False
        try:
            for line in meltano.stdout or ():
                sys.stdout.buffer.write(line)
                sys.stdout.buffer.flush()
                refused = refused or bool(_REFUSAL.search(line))
            code = meltano.wait()
        finally:
            stdin.close()
            meltano.wait()  # without it, Meltano is a zombie, for which the cleanup waits too
    if code and refused:
        return REFUSED
    return code if code >= 0 else 128 - code


def private_folder() -> tuple[Path, int]:
    """Makes the run's folder, and removes the folders of runs that were killed with their cleanup.

    Returns:
        The folder, and the file descriptor that locks it until the run ends.
    """
    folders = Path(gettempdir(), f"tap-leads-runs-{os.getuid()}")
    folders.mkdir(mode=0o700, exist_ok=True)
    if folders.is_symlink() or folders.stat().st_uid != os.getuid():
        raise SystemExit(f"{folders} belongs to another user. Set TMPDIR to a folder of your own.")
    gate = _open(folders)
    fcntl.flock(gate, fcntl.LOCK_EX)  # only one run at a time does what follows
    try:
        for old in folders.iterdir():
            lock = _open(old)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue  # that run still goes on
            else:
                shutil.rmtree(old, ignore_errors=True)
            finally:
                os.close(lock)
        folder = Path(mkdtemp(dir=folders))
        lock = _open(folder)
        fcntl.flock(lock, fcntl.LOCK_EX)
        return folder, lock
    finally:
        os.close(gate)


def _open(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY)


def environment(folder: Path) -> dict[str, str]:
    """Makes Meltano use what is installed, and write into the run's folder."""
    project = Path(os.environ.get("MELTANO_PROJECT_ROOT") or Path.cwd())
    shared = Path(os.environ.get("MELTANO_SYS_DIR_ROOT") or project / ".meltano").resolve()
    for name in {path.name for path in shared.iterdir()} - {"run"} | {"meltano.db"}:
        (folder / name).symlink_to(shared / name)
    env = {"XDG_STATE_HOME": str(folder), **os.environ, "MELTANO_SYS_DIR_ROOT": str(folder)}
    if entries := env.pop("WORKSPACE_ENTRIES", ""):
        env["MELTANO_PROJECT_ROOT"] = str(project_with(entries, project.resolve(), folder))
    return env


def project_with(entries: str, project: Path, folder: Path) -> Path:
    """Makes a copy of a Meltano project, with another list of workspaces."""
    own = folder / "project"
    (own / _LIST.parent).mkdir(parents=True)
    # Meltano does not include a file that is a link to a place outside of the project.
    for file in (project / "meltano.yml", *(project / _LIST.parent).glob("*.yml")):
        shutil.copy(file, own / file.relative_to(project))
    (own / _LIST).write_text(entries)
    for path in project.iterdir():
        if not (own / path.name).exists():
            (own / path.name).symlink_to(path)
    return own


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
