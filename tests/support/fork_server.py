"""Forks runs of a program from a process that has imported it, which saves the start of Python.

Each run has its own file descriptors, environment, working folder, signals and exit code. Only the
imports were made before.

No run outlives the tests: the server ends with its connection, and Linux kills its runs then.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import IO, NamedTuple, Self

_COVERAGE = "COVERAGE_PROCESS_CONFIG"
_LONGEST_REQUEST = 2**20
_END = 20.0  # seconds that a server has to save its coverage, and a killed run to end
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_prctl = ctypes.CDLL(None).prctl


class Program(NamedTuple):
    """What a server runs.

    Attributes:
        python: The interpreter.
        imported: The module that its runs share.
        script: The script to run.
    """

    python: str
    imported: str
    script: str


TAP = Program(sys.executable, "tap_leads.tap", str(Path(sys.executable).with_name("tap-leads")))


class Process:
    """A run of a program; its methods are those of `subprocess.Popen`.

    Attributes:
        pid: The process.
        stdout: Its standard output.
        stderr: Its standard error.
        returncode: Its exit code; None until `wait` or `communicate` has returned it.
    """

    def __init__(
        self,
        server: _Server,
        arguments: Sequence[str],
        env: Mapping[str, str],
        stdin: IO[bytes],
    ) -> None:
        self.returncode: int | None = None
        self._server = server
        ours, theirs = zip(os.pipe(), os.pipe(), strict=True)
        self.stdout, self.stderr = (os.fdopen(descriptor, "rb") for descriptor in ours)
        try:
            request = [list(arguments), dict(env), os.getcwd()]  # noqa: PTH109
            self.pid = server.ask(request, *theirs, stdin.fileno())
        except ConnectionError:
            self._close()
            raise
        finally:
            for descriptor in theirs:
                os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        with suppress(OSError):  # the server ended
            self.wait(_END)
        self._close()

    def send_signal(self, number: int) -> None:
        """Sends a signal, unless the process has ended."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Ends the process at once."""
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float) -> int:
        """Waits for the exit code.

        Raises:
            TimeoutError: The process took longer. It is killed.
            ConnectionError: The server ended, and the process with it.
        """
        if self.returncode is None:
            # The id is not used again before the server is asked for the exit code.
            with suppress(ProcessLookupError), os.fdopen(os.pidfd_open(self.pid)) as process:
                if not select.select([process], [], [], timeout)[0]:
                    self.kill()
                    raise TimeoutError(f"Process {self.pid} took longer than {timeout} s.")
            self.returncode = self._server.ask(self.pid)
        return self.returncode

    def communicate(self, timeout: float) -> tuple[bytes, bytes]:
        """Reads both outputs to their end, and waits for the exit code as `wait` does."""
        with ThreadPoolExecutor(2) as readers:
            output, log = (readers.submit(file.read) for file in (self.stdout, self.stderr))
            self.wait(timeout)
            return output.result(), log.result()

    def _close(self) -> None:
        for file in (self.stdout, self.stderr):
            file.close()


class _Server:
    """A process that forks runs of a program until its connection ends."""

    def __init__(self, program: Program) -> None:
        ours = program.python == sys.executable
        self.connection, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        with theirs:
            self.process = subprocess.Popen(
                [program.python, "-P", __file__, *program[1:]],
                env=os.environ | ({"PYTHONPATH": os.pathsep.join(sys.path)} if ours else {}),
                stdin=theirs.fileno(),
                stdout=subprocess.PIPE,  # not seekable, like the standard output of the runs
                start_new_session=True,  # Ctrl-C is for the tests, which then close this
            )

        self._lock = Lock()

    def ask(self, request: object, *descriptors: int) -> int:
        """Sends arguments, environment and folder of a run, or the id of a run that ended.

        Returns:
            The id of the run, or its exit code.
        """
        with self._lock:
            socket.send_fds(self.connection, [json.dumps(request).encode()], descriptors)
            reply = self.connection.recv(99)
        if not reply:
            raise ConnectionError("The fork server ended.")
        return int(reply)

    def close(self) -> None:
        self.connection.close()
        try:
            self.process.communicate(timeout=_END)
        finally:
            self.process.kill()


_servers: dict[tuple[Program, str | None], _Server] = {}
"""By what they run, and whether they measure coverage."""


def start(
    arguments: Sequence[str],
    env: Mapping[str, str],
    program: Program = TAP,
    stdin: IO[bytes] | None = None,
) -> Process:
    """Starts a run of a program; with coverage, if the calling test is to be measured."""
    key = program, os.environ.get(_COVERAGE)
    with stdin or Path(os.devnull).open("rb") as given:
        if key in _servers:
            with suppress(ConnectionError):
                return Process(_servers[key], arguments, env, given)
            _servers.pop(key).close()  # it died, and is replaced
        _servers[key] = _Server(program)
        return Process(_servers[key], arguments, env, given)


def close() -> None:
    """Ends the servers of this process."""
    while _servers:
        _servers.popitem()[1].close()


def _serve(connection: socket.socket) -> bool:
    """Replies to what `_Server.ask` sends.

    Returns:
        Whether this process is a run; otherwise, it is the server at its end.
    """
    while True:
        request, streams, _, _ = socket.recv_fds(connection, _LONGEST_REQUEST, 3)
        if not request:
            return False
        number = json.loads(request)
        if isinstance(number, int):
            _, status = os.waitpid(number, 0)
            number = os.waitstatus_to_exitcode(status)
        else:
            server = os.getpid()
            number = os.fork()
            if not number:
                _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
                if os.getppid() != server:
                    os._exit(1)
                connection.close()
                _become(request, streams)
                return True
            for stream in streams:
                os.close(stream)
        with suppress(BrokenPipeError):  # the tests have ended
            connection.send(b"%d" % number)


def _become(request: bytes, streams: Sequence[int]) -> None:
    """Gives this process what a run was asked for: output, log and input, and the request."""
    for target, descriptor in zip((1, 2, 0), streams, strict=True):
        os.dup2(descriptor, target)
        os.close(descriptor)
    arguments, env, folder = json.loads(request)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    os.chdir(folder)
    sys.argv[1:] = arguments


def _main() -> None:
    _, imported, script = sys.argv
    importlib.import_module(imported)
    gc.freeze()  # so that collecting garbage in a run copies no memory of the server
    if not _serve(socket.socket(fileno=0)):
        return
    codes: list[int] = []
    if _COVERAGE not in os.environ:  # which is written at the end
        atexit.register(_leave, codes)
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, int):
            codes.append(end.code)
        raise


def _leave(codes: list[int]) -> None:
    """Ends a run: Python would free all objects first, which takes longer than most runs.

    This is called last, after threads have ended. If an output fails, Python says so as usual.
    """
    if codes:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(codes[0])


if __name__ == "__main__":
    _main()
