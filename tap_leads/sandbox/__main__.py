"""Command line of the sandbox: serve until stopped, or as long as a command runs."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType

from tap_leads.sandbox.arguments import DEFAULT_PORT, parser
from tap_leads.sandbox.sandbox import Sandbox

_NOT_EXECUTABLE = 126  # as in a shell
_NOT_FOUND = 127
_SIGNALLED = 128  # plus the number of the signal
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sandbox.

    Args:
        arguments: Of the command line; None takes those of the program.

    Returns:
        The exit code: that of the command, 0 when stopped by a signal, or 1 for a busy port.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    end = given.index("--") if "--" in given else len(given)
    command = given[end + 1 :]
    options = vars(parser().parse_args(given[:end]))
    quiet, port = options.pop("quiet"), options.pop("port")
    if port is None:
        port = 0 if command else DEFAULT_PORT
    options["workspaces"] = dict(options["workspaces"])
    try:
        sandbox = Sandbox(**options, port=port)
    except ValueError as error:
        parser().error(f"argument --fault: {error}")
    if not command:  # before there are other threads, so that only `_serve` receives the signals
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        sandbox.start()
    except OSError as error:
        sys.stderr.write(f"sandbox: port {port}: {os.strerror(error.errno or 0)}\n")
        return 1
    try:
        code = _run(command, sandbox) if command else _serve(sandbox)
    finally:
        sandbox.stop()
    if not quiet:
        workspaces = sandbox.workspaces.values()
        opened = sum(workspace.scrolls_opened for workspace in workspaces)
        idle = max(workspace.longest_idle for workspace in workspaces)
        sys.stderr.write(
            f"sandbox: {sandbox.requests} requests, {opened} scrolls opened, "
            f"longest idle {idle:.1f} s\n"
        )
    return code


def _serve(sandbox: Sandbox) -> int:
    sys.stdout.write(
        f"The sandbox serves {sandbox.workspace.count()} leads at {sandbox.url}\n"
        f"Access token: {', '.join(sandbox.workspaces)}\n"
        "Point the tap at it:\n\n"
        f"    TAP_LEADS_API_URL={sandbox.url} TAP_LEADS_ACCESS_TOKEN={sandbox.token} tap-leads\n\n"
        "Ctrl-C ends it.\n"
    )
    sys.stdout.flush()
    signal.sigwait(_SIGNALS)
    return 0


def _run(command: Sequence[str], sandbox: Sandbox) -> int:
    """Run a command against the sandbox, and return its exit code as a shell does."""
    child: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def forward(signum: int, _: FrameType | None) -> None:
        if child:
            child.send_signal(signum)
        else:
            early.append(signum)  # pragma: no cover - no test can hit this moment

    for signum in _SIGNALS:
        signal.signal(signum, forward)
    environment = {
        **os.environ,
        "TAP_LEADS_API_URL": sandbox.url,
        "TAP_LEADS_ACCESS_TOKEN": sandbox.token,
        "PYTHON_DOTENV_DISABLED": "1",  # otherwise a .env file could name a real workspace
    }
    try:
        child = subprocess.Popen(command, env=environment)  # noqa: S603 - this is its purpose
    except FileNotFoundError:
        sys.stderr.write(f"sandbox: command not found: {command[0]}\n")
        return _NOT_FOUND
    except OSError as error:
        sys.stderr.write(f"sandbox: cannot run {command[0]}: {error.strerror}\n")
        return _NOT_EXECUTABLE
    while early:
        child.send_signal(early.pop(0))  # pragma: no cover - no test can hit this moment
    code = child.wait()
    return code if code >= 0 else _SIGNALLED - code


if __name__ == "__main__":
    raise SystemExit(main())
