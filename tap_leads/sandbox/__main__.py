"""Command line of the sandbox: serve until stopped, or as long as a command runs."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from types import FrameType

from tap_leads.sandbox.arguments import DEFAULT_PORT, parser
from tap_leads.sandbox.sandbox import Sandbox

_NOT_EXECUTABLE = 126  # the shell's codes
_NOT_FOUND = 127
_SIGNALLED = 128  # plus the signal's number


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sandbox.

    Args:
        arguments: Of the command line; None takes the program's own.

    Returns:
        The exit code: the command's, 0 when stopped by a signal, or 1 for a busy port.
    """
    ours, command = _split(sys.argv[1:] if arguments is None else arguments)
    options = vars(parser().parse_args(ours))
    quiet, port = options.pop("quiet"), options.pop("port")
    if port is None:
        port = 0 if command else DEFAULT_PORT
    options["workspaces"] = dict(options["workspaces"])
    sandbox = Sandbox(**options, port=port)
    signals = {signal.SIGINT, signal.SIGTERM}
    if not command:  # blocked before there are threads, so that `_serve` gets them
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        sandbox.start()
    except OSError as error:
        sys.stderr.write(f"sandbox: port {port}: {os.strerror(error.errno or 0)}\n")
        return 1
    try:
        code = _run(command, sandbox) if command else _serve(sandbox, signals)
    finally:
        sandbox.stop()
    if not quiet:
        sys.stderr.write(_summary(sandbox))
    return code


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Separate the sandbox's own arguments from the command after the first `--`."""
    own = list(arguments)
    if "--" not in own:
        return own, []
    at = own.index("--")
    return own[:at], own[at + 1 :]


def _serve(sandbox: Sandbox, signals: set[signal.Signals]) -> int:
    tokens = ", ".join(sandbox.workspaces)
    sys.stdout.write(
        f"The sandbox serves {sandbox.workspace.count()} leads at {sandbox.url}\n"
        f"Access token: {tokens}\n"
        "Point the tap at it:\n\n"
        f"    TAP_LEADS_API_URL={sandbox.url} TAP_LEADS_ACCESS_TOKEN={sandbox.token} tap-leads\n\n"
        "Ctrl-C ends it.\n"
    )
    sys.stdout.flush()
    signal.sigwait(signals)
    return 0


def _run(command: Sequence[str], sandbox: Sandbox) -> int:
    """Run a command against the sandbox and return its exit code, as a shell would give it."""
    child: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def forward(signum: int, _: FrameType | None) -> None:
        if child:
            child.send_signal(signum)
        else:
            early.append(signum)  # pragma: no cover - a moment that no test can meet

    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, forward)
    try:
        child = subprocess.Popen(command, env=_environment(sandbox))  # noqa: S603 - that is its job
    except FileNotFoundError:
        sys.stderr.write(f"sandbox: command not found: {command[0]}\n")
        return _NOT_FOUND
    except OSError as error:
        sys.stderr.write(f"sandbox: cannot run {command[0]}: {error.strerror}\n")
        return _NOT_EXECUTABLE
    while early:
        child.send_signal(early.pop(0))  # pragma: no cover - the same
    code = child.wait()
    return code if code >= 0 else _SIGNALLED - code


def _environment(sandbox: Sandbox) -> Mapping[str, str]:
    return {
        **os.environ,
        "TAP_LEADS_API_URL": sandbox.url,
        "TAP_LEADS_ACCESS_TOKEN": sandbox.token,
        "PYTHON_DOTENV_DISABLED": "1",  # else a .env file could name a real workspace
    }


def _summary(sandbox: Sandbox) -> str:
    workspaces = sandbox.workspaces.values()
    opened = sum(workspace.scrolls_opened for workspace in workspaces)
    idle = max(workspace.longest_idle for workspace in workspaces)
    return (
        f"sandbox: {sandbox.requests} requests, {opened} scrolls opened, "
        f"longest idle {idle:.1f} s\n"
    )


if __name__ == "__main__":
    raise SystemExit(main())
