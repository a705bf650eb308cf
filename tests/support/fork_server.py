"""Runs the tap in a process forked from one that has imported it: without the start of Python.

The forked process has its own file descriptors, environment, working folder, signals and exit
code, and ends as Python ends. Only the imports are not its own.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

_MODULE = "tap_leads"
_COVERAGE = "COVERAGE_PROCESS_CONFIG"


class ForkServer:
    """A process that forks one run of the tap after another. It ends with its connection."""

    def __init__(self) -> None:
        self._connection, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,  # not seekable, like the standard output of the runs
                start_new_session=True,  # Ctrl-C is for the tests, which then close this
            )
        self._replies = self._connection.makefile("rb")

    def close(self) -> None:
        """Ends the process, which first saves its coverage."""
        self._replies.close()
        self._connection.close()
        self._process.communicate()

    def run(
        self, arguments: Sequence[str], env: Mapping[str, str], time_limit: float
    ) -> subprocess.CompletedProcess[bytes]:
        """Runs the tap to its end, like `subprocess.run`."""
        request, output, log = os.pipe(), os.pipe(), os.pipe()
        with ThreadPoolExecutor(2) as readers:
            outputs = [readers.submit(_read, pipe[0]) for pipe in (output, log)]
            theirs = [0, output[1], log[1], request[0]]
            socket.send_fds(self._connection, [b"run"], theirs)
            for descriptor in theirs[1:]:
                os.close(descriptor)
            with os.fdopen(request[1], "w") as file:
                json.dump([list(arguments), dict(env), os.getcwd()], file)  # noqa: PTH109
            code = self._wait(time_limit)
            return subprocess.CompletedProcess(arguments, code, *(out.result() for out in outputs))

    def _wait(self, time_limit: float) -> int:
        pid = int(self._replies.readline())
        self._connection.settimeout(time_limit)
        try:
            code = int(self._replies.readline())
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            close()  # because the reply to this run is still to come
            raise subprocess.TimeoutExpired(_MODULE, time_limit) from None
        self._connection.settimeout(None)
        return code


def _read(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


_servers: dict[str | None, ForkServer] = {}


def run(
    arguments: Sequence[str], env: Mapping[str, str], time_limit: float
) -> subprocess.CompletedProcess[bytes]:
    """Runs the tap to its end; with coverage, if the calling test is to be measured."""
    coverage = os.environ.get(_COVERAGE)
    if coverage not in _servers:
        _servers[coverage] = ForkServer()
    return _servers[coverage].run(arguments, env, time_limit)


def close() -> None:
    """Ends the servers of this process."""
    while _servers:
        _servers.popitem()[1].close()


def _serve(connection: socket.socket) -> bool:
    """Forks a process per request.

    Returns:
        Whether this process is to run the tap; otherwise, it is the server at its end.
    """
    while True:
        message, descriptors, _, _ = socket.recv_fds(connection, 16, 4)
        if not message:
            return False
        pid = os.fork()
        if not pid:
            connection.close()
            for target, descriptor in enumerate(descriptors[:3]):
                os.dup2(descriptor, target)
                os.close(descriptor)
            with os.fdopen(descriptors[3]) as request:
                arguments, env, folder = json.load(request)
            os.environ.clear()
            os.environ.update(env)
            time.tzset()
            os.chdir(folder)
            sys.argv[1:] = arguments
            return True
        for descriptor in descriptors:
            os.close(descriptor)
        connection.sendall(b"%d\n" % pid)
        _, status = os.waitpid(pid, 0)
        connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def _main() -> None:
    import tap_leads.tap  # noqa: F401, PLC0415 - what the runs share

    gc.freeze()  # so that collecting garbage in a run copies no memory of the server
    if _serve(socket.socket(fileno=int(sys.argv[1]))):
        runpy.run_module(_MODULE, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
