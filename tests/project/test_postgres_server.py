"""The embedded PostgreSQL starts without an installation, and leaves nothing behind."""

import json
import os
import pwd
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from support.cases import cases

from demo.postgres import PostgresError, PostgresServer, programs

PARENT = """
import json, sys
from demo.postgres import PostgresServer
with PostgresServer() as server:
    [(data,)] = server.query("SHOW data_directory")
    process = int(open(f"{data}/postmaster.pid").readline())
    kept = server.keep() if "keep" in sys.argv else 0
    print(json.dumps([server.url, server.port, process, kept]), flush=True)
    if not kept:
        sys.stdin.read()
"""


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files; not pytest's, which is closed to the user `nobody`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)
        monkeypatch.setenv("TMPDIR", name)
        yield folder


def start(*arguments: str) -> subprocess.Popen[bytes]:
    """Starts a program that runs a server."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", PARENT, *arguments]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)


def responds(port: int) -> bool:
    """Whether a program listens on a port of this machine."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@cases("", "postgres")
def test_it_refuses_a_wrong_password(password: str, postgres: PostgresServer) -> None:
    """Other users of this machine can connect to the port too."""
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(postgres.url.replace(postgres.password, password))


@cases(signal.SIGKILL, signal.SIGINT)
def test_nothing_is_left_when_the_parent_is_killed(number: signal.Signals, temporary: Path) -> None:
    """No process, file or open port is left. SIGINT raises an error in the `with` statement."""
    with start() as parent:
        assert parent.stdout
        _, port, server, _ = json.loads(parent.stdout.readline())
        assert psutil.pid_exists(server)
        parent.send_signal(number)
        parent.communicate(timeout=30)  # the supervisor has the same stderr, so it has ended too
    assert not psutil.pid_exists(server)
    assert not responds(port)
    assert list(temporary.iterdir()) == []


def test_nothing_is_left_of_a_parent_that_is_killed_during_the_start(temporary: Path) -> None:
    with start() as parent:
        while not list(temporary.iterdir()) and parent.poll() is None:
            time.sleep(0.01)
        parent.kill()
        said, _ = parent.communicate(timeout=60)
    assert (said, list(temporary.iterdir())) == (b"", [])


def test_a_kept_server_outlives_its_parent_until_sigterm(temporary: Path) -> None:
    """The readers of the parent's output do not wait for the server."""
    with start("keep") as parent:
        output, _ = parent.communicate(timeout=60)
    url, port, _, supervisor = json.loads(output)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchall() == [(1,)]
    os.kill(supervisor, signal.SIGTERM)
    limit = time.monotonic() + 30
    while list(temporary.iterdir()):
        assert time.monotonic() < limit, "its files are still there"
        time.sleep(0.01)
    assert not responds(port)


def test_it_takes_any_script_and_is_closed_to_others(postgres: PostgresServer) -> None:
    """It never runs as root, but as `nobody`, whose parent folder stays closed to other users."""
    names = ("server_encoding", "listen_addresses", "unix_socket_directories", "data_directory")
    *settings, data = [value for name in names for [value] in postgres.query(f"SHOW {name}")]
    assert settings == ["UTF8", "127.0.0.1", ""]
    user = pwd.getpwuid(os.geteuid()).pw_name
    assert Path(data).owner() == ("nobody" if user == "root" else user)
    assert Path(data).stat().st_mode & 0o077 == 0
    assert Path(data).parent.owner() == user


def test_pg_bin_names_other_programs_for_a_server_that_shares_nothing(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For example the older PostgreSQL of the same wheel."""
    older = min(programs().parents[1].glob("pginstall*/bin"))
    version = subprocess.check_output([older / "postgres", "--version"], text=True).split()[-1]
    monkeypatch.setenv("PG_BIN", str(older))
    with PostgresServer() as server:
        assert server.query("SHOW server_version") == [(version,)]
        assert server.query("SHOW data_directory") != postgres.query("SHOW data_directory")
        assert (server.port, server.password) != (postgres.port, postgres.password)


def test_a_wrong_pg_bin_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PG_BIN", str(tmp_path))
    with pytest.raises(PostgresError, match=rf"PG_BIN names {tmp_path}.*`postgres`"):
        programs()


@cases("initdb", "postgres")
def test_a_server_that_does_not_start_says_why(
    failing: str, monkeypatch: pytest.MonkeyPatch, temporary: Path
) -> None:
    """The message ends with the end of the log, and nothing is left."""
    broken = temporary / "bin"
    broken.mkdir(0o755)
    for name in ("initdb", "postgres"):
        end = "echo 'FATAL: no space left'; exit 1"
        (broken / name).write_text(f"#!/bin/sh\n{end if name == failing else ''}\n")
        (broken / name).chmod(0o755)
    monkeypatch.setenv("PG_BIN", str(broken))
    with pytest.raises(PostgresError, match=r"FATAL: no space left$"), PostgresServer():
        pytest.fail("It started.")
    assert list(temporary.iterdir()) == [broken]
