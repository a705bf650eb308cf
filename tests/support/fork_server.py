"""Forks runs of a program from a process that has imported it, which saves the start of Python.

Each run has its own file descriptors, environment, working folder, signals and exit code. Only the
imports were made before.

No run outlives the tests: a server whose connection ends kills its runs, and then ends too.
"""

from __future__ import annotations

import atexit
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
from typing import IO, NamedTuple, Self

_COVERAGE = "COVERAGE_PROCESS_CONFIG"
_LONGEST_REQUEST = 2**20
_END = 20.0  # seconds that a server has to end its runs and to save their coverage


class Program(NamedTuple):
    """What a server runs.

    Attributes:
        python: The interpreter.
        imported: The module that its runs share.
        entry: The module to run, or the path of the script.
    """

    python: str
    imported: str
    entry: str


TAP = Program(sys.executable, "tap_leads.tap", "tap_leads")


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
        connection: socket.socket,
        arguments: Sequence[str],
        env: Mapping[str, str],
        stdin: IO[bytes],
    ) -> None:
        self.args = arguments
        self.pid = 0
        self.returncode: int | None = None
        pipes = [os.pipe() for _ in range(3)]
        self._reply, self.stdout, self.stderr = (
            os.fdopen(ours, "rb", buffering=-1 if number else 0)
            for number, (ours, _) in enumerate(pipes)
        )
        request = json.dumps([list(arguments), dict(env), os.getcwd()]).encode()  # noqa: PTH109
        try:
            descriptors = [*(theirs for _, theirs in pipes), stdin.fileno()]
            socket.send_fds(connection, [request], descriptors)
        except ConnectionError:
            self._close()
            raise
        finally:
            for _, theirs in pipes:
                os.close(theirs)
        self.pid = self._next_number()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._close()

    def send_signal(self, number: int) -> None:
        """Sends a signal, unless the process has ended."""
        if self.pid and self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Ends the process at once."""
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float) -> int:
        """Waits for the exit code.

        Raises:
            TimeoutExpired: The process took longer. It is killed.
        """
        if self.returncode is None:
            if not select.select([self._reply], [], [], timeout)[0]:
                self.kill()
                raise subprocess.TimeoutExpired(self.args, timeout)
            self.returncode = self._next_number()
        return self.returncode

    def communicate(self, timeout: float) -> tuple[bytes, bytes]:
        """Reads both outputs to their end, and waits for the exit code.

        Raises:
            TimeoutExpired: The process took longer. It is killed.
        """
        with ThreadPoolExecutor(2) as readers:
            output, log = (readers.submit(file.read) for file in (self.stdout, self.stderr))
            self.wait(timeout)
            return output.result(), log.result()

    def _next_number(self) -> int:
        line = self._reply.readline()
        if not line:
            self.kill()
            self._close()
            raise ConnectionError("The fork server ended before its run did.")
        return int(line)

    def _close(self) -> None:
        for file in (self._reply, self.stdout, self.stderr):
            file.close()


class _Server:
    """A process that forks runs of a program until its connection ends."""

    def __init__(self, program: Program) -> None:
        ours = program.python == sys.executable
        self.connection, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        with theirs:
            self.process = subprocess.Popen(
                [program.python, "-P", __file__, str(theirs.fileno()), *program[1:]],
                env=os.environ | ({"PYTHONPATH": os.pathsep.join(sys.path)} if ours else {}),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,  # not seekable, like the standard output of the runs
                start_new_session=True,  # Ctrl-C is for the tests, which then close this
            )

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
                return Process(_servers[key].connection, arguments, env, given)
            _servers.pop(key).close()  # it died, and is replaced
        _servers[key] = _Server(program)
        return Process(_servers[key].connection, arguments, env, given)


def close() -> None:
    """Ends the servers of this process."""
    while _servers:
        _servers.popitem()[1].close()


def _serve(connection: socket.socket) -> bool:
    """Forks a process per request, and replies with its id and its exit code.

    Returns:
        Whether this process is to run the program; otherwise, it is the server at its end.
    """
    runs: dict[int, tuple[int, int]] = {}  # process and reply, by a descriptor of the process
    while True:
        for ready in select.select([connection.fileno(), *runs], [], [])[0]:
            if ready in runs:
                pid, reply = runs.pop(ready)
                os.close(ready)
                _end(pid, reply)
                continue
            request, descriptors, _, _ = socket.recv_fds(connection, _LONGEST_REQUEST, 4)
            if not request:
                for pid, reply in runs.values():
                    os.kill(pid, signal.SIGKILL)
                    _end(pid, reply)
                return False
            reply, *streams = descriptors
            pid = os.fork()
            if not pid:
                connection.close()
                for descriptor in [reply, *runs, *(reply for _, reply in runs.values())]:
                    os.close(descriptor)
                _become(request, streams)
                return True
            for stream in streams:
                os.close(stream)
            _reply(reply, pid)
            runs[os.pidfd_open(pid)] = pid, reply


def _end(pid: int, reply: int) -> None:
    """Takes the exit code of a process, and replies with it."""
    _, status = os.waitpid(pid, 0)
    _reply(reply, os.waitstatus_to_exitcode(status))
    os.close(reply)


def _reply(reply: int, number: int) -> None:
    with suppress(BrokenPipeError):  # the test is over
        os.write(reply, b"%d\n" % number)


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
    _, connection, imported, entry = sys.argv
    importlib.import_module(imported)
    gc.freeze()  # so that collecting garbage in a run copies no memory of the server
    if not _serve(socket.socket(fileno=int(connection))):
        return
    codes: list[int] = []
    if _COVERAGE not in os.environ:  # which is written at the end
        atexit.register(_leave, codes)
    try:
        if os.sep in entry:
            runpy.run_path(entry, run_name="__main__")
        else:
            runpy.run_module(entry, run_name="__main__", alter_sys=True)
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
