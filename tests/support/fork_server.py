"""Forks runs of the tap from a process that has imported it, which saves the start of Python.

Each run has its own file descriptors, environment, working folder, signals and exit code, and ends
as Python ends. Only the imports were made before.

No run outlives the tests: a server whose connection ends kills its runs, and then ends too.
"""

from __future__ import annotations

import gc
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
from typing import Self

_MODULE = "tap_leads"
_COVERAGE = "COVERAGE_PROCESS_CONFIG"
_LONGEST_REQUEST = 2**20
_END = 20.0  # seconds that a server has to end its runs and to save their coverage


class Process:
    """A run of the tap; its methods are those of `subprocess.Popen`.

    Attributes:
        pid: The process.
        stdout: Its standard output.
        stderr: Its standard error.
        returncode: Its exit code; None until `wait` or `communicate` has returned it.
    """

    def __init__(
        self, connection: socket.socket, arguments: Sequence[str], env: Mapping[str, str]
    ) -> None:
        self.args = [_MODULE, *arguments]
        self.pid = 0
        self.returncode: int | None = None
        pipes = [os.pipe() for _ in range(3)]
        self._reply, self.stdout, self.stderr = (
            os.fdopen(ours, "rb", buffering=-1 if number else 0)
            for number, (ours, _) in enumerate(pipes)
        )
        request = json.dumps([list(arguments), dict(env), os.getcwd()]).encode()  # noqa: PTH109
        try:
            socket.send_fds(connection, [request], [theirs for _, theirs in pipes])
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
            raise ConnectionError("The fork server ended before a run of the tap did.")
        return int(line)

    def _close(self) -> None:
        for file in (self._reply, self.stdout, self.stderr):
            file.close()


class _Server:
    """A process that forks runs of the tap until its connection ends."""

    def __init__(self) -> None:
        self.connection, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
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


_servers: dict[str | None, _Server] = {}
"""By whether they measure coverage."""


def start(arguments: Sequence[str], env: Mapping[str, str]) -> Process:
    """Starts a run of the tap; with coverage, if the calling test is to be measured."""
    try:
        return Process(_server().connection, arguments, env)
    except ConnectionError:  # the server died, and is replaced
        _servers.pop(os.environ.get(_COVERAGE)).close()
        return Process(_server().connection, arguments, env)


def _server() -> _Server:
    coverage = os.environ.get(_COVERAGE)
    if coverage not in _servers:
        _servers[coverage] = _Server()
    return _servers[coverage]


def close() -> None:
    """Ends the servers of this process."""
    while _servers:
        _servers.popitem()[1].close()


def _serve(connection: socket.socket) -> bool:
    """Forks a process per request, and replies with its id and its exit code.

    Returns:
        Whether this process is to run the tap; otherwise, it is the server at its end.
    """
    runs: dict[int, tuple[int, int]] = {}  # process and reply, by a descriptor of the process
    while True:
        for ready in select.select([connection.fileno(), *runs], [], [])[0]:
            if ready in runs:
                pid, reply = runs.pop(ready)
                os.close(ready)
                _end(pid, reply)
                continue
            request, descriptors, _, _ = socket.recv_fds(connection, _LONGEST_REQUEST, 3)
            if not request:
                for pid, reply in runs.values():
                    os.kill(pid, signal.SIGKILL)
                    _end(pid, reply)
                return False
            reply, output, log = descriptors
            pid = os.fork()
            if not pid:
                connection.close()
                for descriptor in [reply, *runs, *(reply for _, reply in runs.values())]:
                    os.close(descriptor)
                _become(request, output, log)
                return True
            os.close(output)
            os.close(log)
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


def _become(request: bytes, output: int, log: int) -> None:
    """Gives this process what a run was asked for."""
    for target, descriptor in enumerate((output, log), 1):
        os.dup2(descriptor, target)
        os.close(descriptor)
    arguments, env, folder = json.loads(request)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    os.chdir(folder)
    sys.argv[1:] = arguments


def _main() -> None:
    import tap_leads.tap  # noqa: F401, PLC0415 - what the runs share

    gc.freeze()  # so that collecting garbage in a run copies no memory of the server
    if _serve(socket.socket(fileno=int(sys.argv[1]))):
        runpy.run_module(_MODULE, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
