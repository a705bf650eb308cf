"""The tap among other processes: signals, pools, and programs in Python that use it."""

from __future__ import annotations

import importlib
import json
import os
import pickle
import pkgutil
import pty
import subprocess
import sys
from importlib.metadata import version

import pytest
from support.cases import cases
from support.tap import TIME_LIMIT, Run, Workbench, environment, ids_of

import tap_leads
from tap_leads import TapLeadsError, leads, pages
from tap_leads.sandbox import Sandbox
from tap_leads.singer.stream_maps import StreamMapError


def python(script: str, *arguments: str, stderr: int = subprocess.PIPE) -> Run:
    """Runs a program in Python to its end."""
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=stderr,
        check=False,
        timeout=TIME_LIMIT,
    )
    return Run(done.returncode, done.stdout, (done.stderr or b"").decode())


# Errors and signals


def test_every_error_survives_a_process_boundary() -> None:
    for module in pkgutil.walk_packages(tap_leads.__path__, "tap_leads."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    kinds: set[type[TapLeadsError]] = {TapLeadsError, *TapLeadsError.__subclasses__()}
    assert len(kinds) > 3
    errors = [kind.__new__(kind, "what happened") for kind in kinds]
    for error in [*errors, StreamMapError("contacts", "email", "there is no such option")]:
        error.add_note("and where")
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - made here
        assert (type(copy), copy.args) == (type(error), error.args)
        assert copy.__notes__ == ["and where"]


def test_an_unexpected_error_is_logged_with_its_place_and_without_its_text() -> None:
    """The text may contain data of a lead; the lines of code help to repair it."""
    script = """
from tap_leads.tap import TapLeads
class Broken(TapLeads):
    def discover_streams(self):
        raise KeyError("@".join(["jane", "example.com"]))
Broken.cli(["--discover"])
"""
    run = python(script)
    assert (run.code, run.output) == (1, b"")
    assert run.lines("ERROR")[0].startswith("The sync failed with an unexpected KeyError.")
    assert "in discover_streams" in run.log
    assert "jane@example.com" not in run.log


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
    run = python(script)
    assert (run.code, run.output, run.log) == (143, b"False False\n", "")


# Programs in Python


def test_importing_the_package_changes_no_logger_and_no_signal_handler() -> None:
    script = """
import logging, signal
def seen():
    loggers = [logging.getLogger(name) for name in ("", "urllib3", "urllib3.connection",
               "urllib3.connectionpool", "singer_sdk.mapper", "tap-leads")]
    return ([(each.level, each.filters, [handler for handler in each.handlers
             if not isinstance(handler, logging.NullHandler)]) for each in loggers],
            [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)])
before = seen()
import tap_leads, tap_leads.tap
print(seen() == before)
"""
    assert python(script).output == b"True\n"


@cases(
    replaced=("sys.stdout", "sys.stderr"),
    both=("sys.__stdout__ = sys.stdout", "sys.__stderr__ = sys.stderr"),
)
def test_standard_streams_of_the_programs_own_stay(
    output: str, log: str, workbench: Workbench, leads_250: Sandbox
) -> None:
    """As in a notebook, a test or an editor: what the program has put there is no file."""
    script = f"""
import io, os, sys
from tap_leads.tap import TapLeads
{output} = output = io.StringIO()
{log} = log = io.StringIO()
try:
    TapLeads.cli(["--config", sys.argv[1]])
finally:
    os.write(1, output.getvalue().encode())
    kept = sys.stdout is output and sys.stderr is log and "Completed: 250 leads" in log.getvalue()
    os.write(2, str(kept).encode())
"""
    run = python(script, str(workbench.config(leads_250)))
    assert (run.code, run.log, run.ids) == (0, "True", ids_of(leads_250))


def test_python_draws_no_live_line_into_a_terminal(leads_250: Sandbox) -> None:
    script = """
import json, sys
from tap_leads import leads
from tap_leads.singer import progress
progress.LIVE_INTERVAL = 0.001
print(sum(1 for _ in leads(**json.loads(sys.argv[1]))))
"""
    terminal, theirs = pty.openpty()
    try:
        run = python(script, json.dumps(leads_250.settings), stderr=theirs)
        os.set_blocking(terminal, False)
        with pytest.raises(BlockingIOError):
            os.read(terminal, 65536)
    finally:
        os.close(theirs)
        os.close(terminal)
    assert (run.code, run.output) == (0, b"250\n")


def test_pages_that_are_never_iterated_leave_no_thread_or_connection(leads_250: Sandbox) -> None:
    script = """
import json, os, sys, threading
import tap_leads, tap_leads.tap
def opened():
    return threading.enumerate(), sorted(os.listdir("/proc/self/fd"))
before = opened()
read = tap_leads.pages(**json.loads(sys.argv[1]), typed_custom_attributes=True)
if opened() != before:
    sys.exit(f"{before} became {opened()}")
print(sum(len(page.leads) for page in read))
"""
    run = python(script, json.dumps(leads_250.settings))
    assert (run.code, run.output) == (0, b"250\n"), run.log


@cases(leads, pages)
def test_a_missing_token_is_explained_for_python(
    read: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAP_LEADS_ACCESS_TOKEN", "other")
    with pytest.raises(TapLeadsError, match=r"is missing.*leads\(access_token=") as caught:
        read()
    assert "TAP_LEADS_ACCESS_TOKEN" not in str(caught.value)


def test_the_package_has_a_version_and_nothing_unknown() -> None:
    assert tap_leads.__version__ == version("tap-leads")
    with pytest.raises(AttributeError, match="'nothing'"):
        _ = tap_leads.nothing  # type: ignore[attr-defined]
