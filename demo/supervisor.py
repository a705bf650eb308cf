"""Runs a PostgreSQL server, and leaves nothing of it behind.

    python supervisor.py BIN

BIN is the folder with PostgreSQL's programs. The server's files are in a private temporary folder.
One line of JSON on standard output says how to reach the server. The server runs until standard
input ends, which happens when the parent closes the pipe or is killed. Then the folder is removed.
If the parent writes the line `keep` first, the server runs until SIGTERM, or for eight hours.
"""

import json
import os
import pwd
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
USER = "postgres"
START_SECONDS = 60
KEEP_SECONDS = 8 * 3600
LOG_LINES = 20

# The database is thrown away, so speed matters more than safety. `mmap` leaves no shared memory
# behind after a crash.
OPTIONS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "dynamic_shared_memory_type": "mmap",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "timezone": "UTC",
}

INITDB = (
    f"--username={USER}",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--no-sync",
)

# PGDATA, PGPORT and the like would change the server; LC_ALL=C makes its messages English.
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("PG")} | {"LC_ALL": "C"}


class StartError(Exception):
    """The server did not start; the message says why."""


def serve(programs: Path, folder: Path) -> None:
    """Makes an empty database, and runs its server until standard input ends."""
    account: dict[str, Any] = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        nobody = pwd.getpwnam("nobody")
        account = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        programs = copied(programs, folder)
    data, secret = folder / "data", folder / "password"
    data.mkdir(mode=0o700)
    password = secrets.token_urlsafe(18)
    secret.touch(mode=0o600)
    secret.write_text(password)
    if account:
        # The folder itself stays root's, so that no other user can add files to it.
        for path in folder.rglob("*"):
            os.chown(path, account["user"], account["group"])
        folder.chmod(0o711)

    log = folder / "log"
    with log.open("wb") as output:
        common: dict[str, Any] = {"cwd": data, "env": ENVIRONMENT, "stdin": subprocess.DEVNULL}
        common |= {"stdout": output, "stderr": output, **account}
        command = [str(programs / "initdb"), f"--pgdata={data}", f"--pwfile={secret}", *INITDB]
        if subprocess.run(command, check=False, timeout=START_SECONDS, **common).returncode:
            raise StartError(f"initdb failed:\n{tail(log)}")
        port = free_port()
        options = [f"-c{name}={value}" for name, value in {**OPTIONS, "port": port}.items()]
        server = subprocess.Popen([programs / "postgres", "-D", data, *options], **common)
    try:
        if not is_up(server, data):
            raise StartError(f"PostgreSQL did not start:\n{tail(log)}")
        print(json.dumps({"host": HOST, "port": port, "user": USER, "password": password}))
        sys.stdout.flush()
        if sys.stdin.readline() == "keep\n":
            detach()
            time.sleep(KEEP_SECONDS)
    finally:
        server.send_signal(signal.SIGQUIT)  # skips the last checkpoint
        server.wait()


def copied(programs: Path, folder: Path) -> Path:
    """Copies the wheel's programs, because `nobody` may not be allowed to read this checkout.

    The programs find their libraries relative to themselves, so both folders stay side by side.
    """
    package = programs.parent.parent
    libraries = package.with_name(f"{package.name}.libs")
    if not libraries.is_dir():  # a system's PostgreSQL, which every user can run
        return programs
    copy = folder / package.name / programs.parent.name
    shutil.copytree(programs.parent, copy, ignore=shutil.ignore_patterns("include", "*.a"))
    shutil.copytree(libraries, folder / libraries.name)
    return copy / programs.name


def is_up(server: subprocess.Popen[bytes], data: Path) -> bool:
    """Waits until the server accepts connections; False if it ended or took too long."""
    status = data / "postmaster.pid"
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        # The server writes its state into the eighth line of this file.
        if status.exists() and status.read_text().split("\n")[7:8] == ["ready   "]:
            return True
        if select.select([sys.stdin], [], [], 0.02)[0]:
            raise SystemExit(1)  # the parent is gone
    return False


def tail(log: Path) -> str:
    """The end of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES:])


def free_port() -> int:
    """Finds a free port."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def detach() -> None:
    """Closes the parent's output, so that its readers do not wait for this process."""
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(null, stream.fileno())


def main(programs: Path) -> int:
    """Runs a server in a folder that is removed at the end; returns the exit code."""
    # Ctrl-C is for the parent, and its end is noticed here. SIGTERM must run the `finally` blocks.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda signum, _: sys.exit(128 + signum))
    folder = Path(tempfile.mkdtemp(prefix="tap-leads-postgres-"))
    try:
        serve(programs, folder)
    except (StartError, OSError, KeyError, subprocess.TimeoutExpired) as error:
        print(json.dumps({"error": str(error)}))
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
