"""The embedded PostgreSQL comes up by itself, and leaves nothing behind."""

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

import psycopg
import pytest

from demo.postgres import PostgresError, PostgresServer, programs

PARENT = """
import json, sys
from demo.postgres import PostgresServer
with PostgresServer() as server:
    print(json.dumps([server.port, server.query("SHOW data_directory")[0][0]]), flush=True)
    sys.stdin.read()
"""

KEEPING_PARENT = """
import json
from demo.postgres import PostgresServer
with PostgresServer() as server:
    print(json.dumps([server.url, server.keep()]))
"""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server for the tests that do it no harm."""
    with PostgresServer() as running:
        yield running


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files; not pytest's, which is closed to the user `nobody`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)
        monkeypatch.setenv("TMPDIR", name)
        yield folder


def program(folder: Path, name: str, script: str) -> None:
    """Puts a shell script where a program of PostgreSQL is looked for."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def postmaster(data: str) -> int:
    """The process id of the server whose files are in a folder."""
    return int(Path(data, "postmaster.pid").read_text().split()[0])


def is_gone(process: int) -> bool:
    """Whether there is no such process."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def answers(port: int) -> bool:
    """Whether a program listens on a port of this machine."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_it_answers_queries(server: PostgresServer) -> None:
    """Values go in as parameters and come out as rows."""
    assert server.query("SELECT %s || '!', 1 + 1", ["ünï 東京"]) == [("ünï 東京!", 2)]


def test_it_keeps_what_is_written(server: PostgresServer) -> None:
    """A statement without a result is committed all the same, and answers no rows."""
    assert server.query("CREATE TABLE kept AS SELECT 100 % 7 AS n") == []
    assert server.query("SELECT n FROM kept") == [(2,)]


def test_it_holds_any_script(server: PostgresServer) -> None:
    """The database is in UTF-8, whatever the locale of this machine."""
    assert server.query("SHOW server_encoding") == [("UTF8",)]


def test_it_listens_on_this_machine_only(server: PostgresServer) -> None:
    """There is no socket file in a folder that others share."""
    assert server.host == "127.0.0.1"
    assert server.query("SHOW listen_addresses") == [("127.0.0.1",)]
    assert server.query("SHOW unix_socket_directories") == [("",)]


@pytest.mark.parametrize("password", ["", "postgres"])
def test_it_refuses_connections_without_the_password(server: PostgresServer, password: str) -> None:
    """Other users of this machine reach the port too."""
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(
            host=server.host,
            port=server.port,
            user=server.user,
            password=password,
            dbname="postgres",
        )


def test_two_servers_do_not_disturb_each_other(server: PostgresServer) -> None:
    """Each has a port, a folder and a password of its own."""
    with PostgresServer() as other:
        assert (other.port, other.password) != (server.port, server.password)
        assert other.query("SELECT to_regclass('kept')") == [(None,)]


def test_nothing_is_left_after_the_end(temporary: Path) -> None:
    """Neither a process nor a file nor an open port."""
    with PostgresServer() as server:
        [(data,)] = server.query("SHOW data_directory")
        process = postmaster(data)
        assert not is_gone(process)
    assert is_gone(process)
    assert not answers(server.port)
    assert list(temporary.iterdir()) == []


def test_nothing_is_left_after_an_error(temporary: Path) -> None:
    """What goes wrong inside the `with` statement goes through it."""
    with pytest.raises(ZeroDivisionError), PostgresServer():
        raise ZeroDivisionError
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_of_a_parent_that_is_killed(number: int, temporary: Path) -> None:
    """By any signal: the supervisor sees the pipe close."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as parent:
        assert parent.stdout
        port, data = json.loads(parent.stdout.readline())
        process = postmaster(data)
        parent.send_signal(number)
        parent.communicate(timeout=30)  # the supervisor has the same stderr: it ends with it
    assert is_gone(process)
    assert not answers(port)
    assert list(temporary.iterdir()) == []


def test_nothing_is_left_of_a_parent_that_is_killed_during_the_start(temporary: Path) -> None:
    """The supervisor does not wait for the server before it looks after its parent."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as parent:
        while not list(temporary.iterdir()) and parent.poll() is None:
            time.sleep(0.01)
        parent.kill()
        said, _ = parent.communicate(timeout=60)
    assert said == b""
    assert list(temporary.iterdir()) == []


def test_a_kept_server_outlives_its_parent_until_it_is_told_to_stop(temporary: Path) -> None:
    """What reads the parent's output need not wait for it."""
    with subprocess.Popen(
        [sys.executable, "-c", KEEPING_PARENT], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as parent:
        output, _ = parent.communicate(timeout=60)
    url, supervisor = json.loads(output)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchall() == [(1,)]
        port = connection.info.port
    os.kill(supervisor, signal.SIGTERM)
    limit = time.monotonic() + 30
    while list(temporary.iterdir()):
        assert time.monotonic() < limit, "its files are still there"
        time.sleep(0.01)
    assert not answers(port)


def test_it_never_runs_as_root(server: PostgresServer) -> None:
    """PostgreSQL refuses to; root starts it as another user, and opens no folder for that."""
    user = pwd.getpwuid(os.geteuid()).pw_name
    [(data,)] = server.query("SHOW data_directory")
    assert Path(data).owner() == ("nobody" if user == "root" else user)
    assert Path(data).stat().st_mode & 0o077 == 0
    assert Path(data).parent.owner() == user


def test_pg_bin_names_other_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the wheel's older PostgreSQL shows."""
    older = min(programs().parents[1].glob("pginstall*/bin"))
    version = subprocess.check_output([older / "postgres", "--version"], text=True).split()[-1]
    monkeypatch.setenv("PG_BIN", str(older))
    with PostgresServer() as server:
        assert server.query("SHOW server_version") == [(version,)]


def test_a_wrong_pg_bin_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The message says which folder is wrong, and what is missing there."""
    monkeypatch.setenv("PG_BIN", str(tmp_path))
    with pytest.raises(PostgresError, match=rf"PG_BIN names {tmp_path}.*`postgres`"):
        programs()


@pytest.mark.parametrize("failing", ["initdb", "postgres"])
def test_a_server_that_does_not_start_says_why(
    failing: str, monkeypatch: pytest.MonkeyPatch, temporary: Path
) -> None:
    """The message ends with the end of the log; and again nothing is left."""
    broken = temporary / "bin"
    broken.mkdir()
    broken.chmod(0o755)
    for name in ("initdb", "postgres"):
        program(broken, name, "echo 'FATAL: no space left'; exit 1" if name == failing else "")
    monkeypatch.setenv("PG_BIN", str(broken))
    with pytest.raises(PostgresError, match=r"FATAL: no space left$"), PostgresServer():
        pytest.fail("It started.")
    assert list(temporary.iterdir()) == [broken]
