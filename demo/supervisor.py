"""The process that supervises a PostgreSQL server, and leaves nothing of it behind.

    python supervisor.py BIN

It makes a private temporary folder, starts the server whose programs are in BIN, says in one line
of JSON on its standard output how to reach it, and waits for its standard input to end. That
happens when the parent closes the pipe, or is killed. Then it stops the server and removes the
folder. If the parent writes the line `keep` first, the server outlives the parent: until SIGTERM,
or for eight hours.
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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict

HOST = "127.0.0.1"
USER = "postgres"
TRIES = 3  # another program may take the free port before the server does
START_SECONDS = 60
STOP_SECONDS = 15
KEEP_SECONDS = 8 * 3600
LOG_LINES = 20

# Speed for a database that is thrown away, and no shared memory that outlives a crash.
OPTIONS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "dynamic_shared_memory_type": "mmap",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "timezone": "UTC",
}

# PGDATA, PGPORT and their like would reach into the server; its messages are to be in English.
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("PG")} | {"LC_ALL": "C"}


class StartError(Exception):
    """The server did not start; the message says why."""


class Account(TypedDict, total=False):
    """The user that `subprocess` runs a program as; empty: the current one."""

    user: int
    group: int
    extra_groups: list[int]


def server_account() -> Account:
    """The user that the server runs as: it refuses to be root, so that root runs it as `nobody`."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def reachable(programs: Path, folder: Path) -> Path:
    """Copies the wheel's programs, as `nobody` may not look into this checkout.

    They find their libraries relative to themselves, so both folders stay side by side.
    """
    package = programs.parent.parent
    libraries = package.with_name(f"{package.name}.libs")
    if not libraries.is_dir():  # a system's PostgreSQL, which every user can run
        return programs
    copied = folder / package.name / programs.parent.name
    shutil.copytree(programs.parent, copied, ignore=shutil.ignore_patterns("include", "*.a"))
    shutil.copytree(libraries, folder / libraries.name)
    return copied / programs.name


def make_database(programs: Path, folder: Path, password: str, account: Account) -> Path:
    """Makes an empty database that only the password opens."""
    data = folder / "data"
    data.mkdir(mode=0o700)
    secret = folder / "password"
    secret.touch(mode=0o600)
    secret.write_text(password)
    if account:
        # All but the folder itself, in which only root may make files: it writes the log there.
        for path in folder.rglob("*"):
            os.chown(path, account["user"], account["group"])
        folder.chmod(0o711)
    made = subprocess.run(
        [
            programs / "initdb",
            f"--pgdata={data}",
            f"--username={USER}",
            f"--pwfile={secret}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ],
        check=False,
        cwd=data,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=START_SECONDS,
        **account,
    )
    if made.returncode:
        raise StartError(f"initdb failed:\n{tail(made.stdout)}")
    return data


@contextmanager
def running(programs: Path, data: Path, account: Account) -> Iterator[int]:
    """Runs the server; yields its port."""
    log = data.with_name("log")
    for _ in range(TRIES):
        port = free_port()
        options = [f"-c{name}={value}" for name, value in {**OPTIONS, "port": port}.items()]
        with log.open("wb") as output:
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, *options],
                cwd=data,
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                **account,
            )
        try:
            if is_up(server, data):
                yield port
                return
        finally:
            stop(server)
    raise StartError(f"PostgreSQL did not start:\n{tail(log.read_text(errors='replace'))}")


def is_up(server: subprocess.Popen[bytes], data: Path) -> bool:
    """Waits until the server accepts connections, or has ended, or took too long."""
    status = data / "postmaster.pid"
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        # The eighth line of this file is the server's word on how far it is.
        if status.exists() and status.read_text().split("\n")[7:8] == ["ready   "]:
            return True
        if select.select([sys.stdin], [], [], 0.02)[0]:
            raise SystemExit(1)  # the parent is gone
    return False


def stop(server: subprocess.Popen[bytes]) -> None:
    """Ends the server without a last checkpoint: its files are thrown away."""
    server.send_signal(signal.SIGQUIT)
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def free_port() -> int:
    """Finds a port that is free."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def tail(text: str) -> str:
    """The end of a log."""
    return "\n".join(text.splitlines()[-LOG_LINES:])


def say(**words: object) -> None:
    """Tells the parent."""
    print(json.dumps(words), flush=True)


def detach() -> None:
    """Lets go of the parent's output, so that what reads it does not wait for this process."""
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(null, stream.fileno())


def main(programs: Path) -> int:
    """Runs a server until standard input ends."""
    # Ctrl-C is meant for the parent, whose end this process notices; a kill is for this one, and
    # has to pass through the `finally`s.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda signum, _: sys.exit(128 + signum))
    account = server_account()
    password = secrets.token_urlsafe(18)
    folder = Path(tempfile.mkdtemp(prefix="tap-leads-postgres-"))
    try:
        if account:
            programs = reachable(programs, folder)
        data = make_database(programs, folder, password, account)
        with running(programs, data, account) as port:
            say(host=HOST, port=port, user=USER, password=password)
            if sys.stdin.readline() == "keep\n":
                detach()
                time.sleep(KEEP_SECONDS)
    except (StartError, OSError, KeyError, subprocess.TimeoutExpired) as error:
        say(error=str(error))
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
