"""The tap among other processes: pools, process 1 of a container, terminals that close."""

from __future__ import annotations

import importlib
import json
import os
import pickle
import pkgutil
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from support.tap import TIME_LIMIT, Run, command, environment, ids_of

import tap_leads
from tap_leads import TapLeadsError
from tap_leads.sandbox import Sandbox
from tap_leads.singer.map_rules import StreamMapError


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox of 250 leads of the test's own."""
    with Sandbox(leads=250) as sandbox:
        yield sandbox


def variables(sandbox: Sandbox) -> dict[str, str]:
    """This environment with the settings of a sandbox."""
    return environment(TAP_LEADS_ACCESS_TOKEN=sandbox.token, TAP_LEADS_API_URL=sandbox.url)


# Errors


def kinds_of_errors(kind: type[TapLeadsError] = TapLeadsError) -> Iterator[type[TapLeadsError]]:
    """All classes of errors that users can meet."""
    yield kind
    for subclass in kind.__subclasses__():
        yield from kinds_of_errors(subclass)


def test_every_error_survives_a_process_boundary() -> None:
    for module in pkgutil.walk_packages(tap_leads.__path__, "tap_leads."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    kinds = set(kinds_of_errors())
    assert len(kinds) > 5
    for kind in kinds:
        error = kind.__new__(kind, "what happened")
        error.add_note("and where")
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - made here
        assert (type(copy), copy.args) == (kind, ("what happened",))
        assert copy.__notes__ == ["and where"]


def test_an_error_keeps_its_message_across_processes() -> None:
    error = StreamMapError("contacts", "email", "there is no such option")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - made here


# Signals


def test_signals_are_handled_before_the_first_large_import() -> None:
    script = """
import signal, sys
from tap_leads.singer import signals
real = signals.handle
def handle():
    real()
    print("singer_sdk" in sys.modules, "requests" in sys.modules, flush=True)
    signal.raise_signal(signal.SIGTERM)
signals.handle = handle
from tap_leads.__main__ import main
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=False, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (143, "False False\n", "")


@pytest.mark.parametrize("wrapper", [[], ["nohup"]], ids=["terminal", "nohup"])
def test_a_hangup_ends_the_tap_but_not_under_nohup(sandbox: Sandbox, wrapper: list[str]) -> None:
    with subprocess.Popen(
        [*wrapper, *command()],
        env=variables(sandbox),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()  # the rest does not fit into the pipe
        process.send_signal(signal.SIGHUP)
        run = Run(process.returncode, first + process.stdout.read(), process.stderr.read().decode())
        code = process.wait(timeout=TIME_LIMIT)
    if wrapper:
        assert code == 0, run.log
        assert run.ids == ids_of(sandbox)
    else:
        assert code == 129
        assert run.lines("ERROR") == ["Ended by a signal; the sync is not complete."]
        assert b"STATE" not in run.output


# Terminals


def test_python_draws_no_live_line_into_a_terminal(sandbox: Sandbox) -> None:
    script = """
import json, sys
from tap_leads import leads
from tap_leads.singer import progress
progress.LIVE_INTERVAL = 0.001
print(sum(1 for _ in leads(**json.loads(sys.argv[1]))))
"""
    settings = json.dumps({"access_token": sandbox.token, "api_url": sandbox.url})
    terminal, theirs = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-c", script, settings],
            stdout=subprocess.PIPE,
            stderr=theirs,
            check=False,
            text=True,
            timeout=60,
        )
        os.set_blocking(terminal, False)
        with pytest.raises(BlockingIOError):
            os.read(terminal, 65536)
    finally:
        os.close(theirs)
        os.close(terminal)
    assert (done.returncode, done.stdout) == (0, "250\n")
