"""The servers that targets load into, each started when it is first needed."""

from __future__ import annotations

import subprocess
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import cache
from socket import socket
from threading import Lock
from typing import Self, TypeVar
from urllib.error import URLError

from demo.environments import installed
from demo.postgres import PostgresServer
from proof.targets.process import RUN_LIMIT, ProgramError

START_LIMIT = 60.0
# The S3 server asks for a signature, and does not check it.
_CREDENTIALS = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=0"
}


_Argument = TypeVar("_Argument")
_Result = TypeVar("_Result")


def once(function: Callable[[_Argument], _Result]) -> Callable[[_Argument], _Result]:
    """Keeps what a function returned, also when several threads ask for it at the same time."""
    lock = Lock()
    cached = cache(function)

    def one_at_a_time(argument: _Argument) -> _Result:
        with lock:
            return cached(argument)

    return one_at_a_time


class Services:
    """A PostgreSQL and an S3 server, for as long as a `with` statement lasts."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    @once
    def postgres(self) -> PostgresServer:
        """A real PostgreSQL."""
        return self._stack.enter_context(PostgresServer())

    @property
    @once
    def s3(self) -> str:
        """The address of a local S3 server, which takes any credentials.

        Raises:
            NotInstalledError: Its packages could not be installed.
            ProgramError: It did not start.
        """
        with socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        program = installed("targets-s3-server") / "moto_server"
        process = self._stack.enter_context(
            subprocess.Popen(
                [program, "--host", "127.0.0.1", "--port", str(port)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        self._stack.callback(process.terminate)
        address = f"http://127.0.0.1:{port}"
        end = time.monotonic() + START_LIMIT
        while time.monotonic() < end and process.poll() is None:
            with suppress(URLError), urllib.request.urlopen(address, timeout=5):
                return address
            time.sleep(0.1)
        raise ProgramError("the local S3 server did not start")

    def request(self, method: str, path: str) -> bytes:
        """Sends a request to the S3 server."""
        address = f"{self.s3}/{path}"
        request = urllib.request.Request(address, method=method, headers=_CREDENTIALS)  # noqa: S310 - our own server
        with urllib.request.urlopen(request, timeout=RUN_LIMIT) as response:  # noqa: S310 - the same
            body: bytes = response.read()
        return body
