"""Programs in Python and notebooks iterate over leads, and can call the SDK and the command."""

from __future__ import annotations

import importlib
import io
import json
import os
import pickle
import pkgutil
import pty
import subprocess
import sys
from contextlib import redirect_stdout
from importlib.metadata import version
from typing import Any, Literal, Required, get_args, get_origin, get_type_hints

import pytest
from jupyter_client.manager import run_kernel
from support.cases import cases
from support.programs import finish
from support.tap import Run, Workbench, environment, ids_of

import tap_leads
from tap_leads import Settings, TapLeadsError, leads, pages
from tap_leads.sandbox import Sandbox
from tap_leads.singer.settings import SETTINGS
from tap_leads.singer.stream_maps import StreamMapError
from tap_leads.tap import TapLeads


def python(script: str, *arguments: str, **options: Any) -> Run:
    """Runs a program in Python to its end."""
    done = finish(sys.executable, "-c", script, *arguments, env=environment(), **options)
    return Run(done.returncode, done.stdout.encode(), done.stderr or "")


def settings_of(sandbox: Sandbox) -> Settings:
    """The settings that point at a sandbox."""
    return {"access_token": sandbox.token, "api_url": sandbox.url, "scroll_expiry": 1}


def test_leads_are_the_records_of_the_tap(workbench: Workbench, leads_250: Sandbox) -> None:
    run = workbench.sync(leads_250).complete(leads_250)
    assert list(leads(**settings_of(leads_250))) == run.records


def test_a_restart_repeats_no_lead() -> None:
    with Sandbox(leads=250, idle_limit=0.5, faults=["restart@2"]) as sandbox:
        found = [lead["id"] for lead in leads(**settings_of(sandbox))]
    assert sandbox.workspace.scrolls_opened == 2
    assert sorted(found) == sorted(ids_of(sandbox))


def test_a_failure_is_raised_after_the_leads_before_it() -> None:
    found: list[dict[str, Any]] = []
    with Sandbox(leads=250, faults=["401@2"]) as sandbox:
        with pytest.raises(TapLeadsError, match="access_token"):
            found.extend(leads(**settings_of(sandbox)))
        assert [lead["id"] for lead in found] == ids_of(sandbox)[:100]


def test_pages_are_what_the_scroll_sends(leads_250: Sandbox) -> None:
    found = list(pages(**settings_of(leads_250)))
    assert [len(page.leads) for page in found] == [100, 100, 50]
    assert [lead["id"] for page in found for lead in page.leads] == ids_of(leads_250)
    asked = [request.token for request in leads_250.workspace.history]
    assert [page.scroll_param for page in found] == asked[-3:]


def test_stream_maps_and_flattening_apply_to_leads(leads_250: Sandbox) -> None:
    settings = settings_of(leads_250)
    maps = {"contacts": {"email": "md5(email) if email else None", "phone": None}}
    settings |= {"stream_maps": maps, "flattening_enabled": True, "flattening_max_depth": 1}
    found = list(leads(**settings))
    assert len(found) == 250
    assert {len(lead["email"] or "") for lead in found} == {0, 32}
    assert not any("phone" in lead for lead in found)
    assert all("location_data__city_name" in lead for lead in found)


def test_stopping_leaves_no_thread_file_or_connection_behind() -> None:
    """Wherever it stops; a scroll that it leaves open expires soon."""
    script = """
import itertools, json, os, sys, threading
import tap_leads, tap_leads.tap
def opened():
    return threading.enumerate(), sorted(os.listdir("/proc/self/fd"))
before = opened()
for name, number in itertools.product(["leads", "pages"], [None, 0, 1, 9999]):
    read = getattr(tap_leads, name)(**json.loads(sys.argv[1]), typed_custom_attributes=True)
    print(name, number, number is not None and sum(1 for _ in itertools.islice(read, number)))
    if number == 1 and opened() == before:
        sys.exit("nothing was open in between, so this shows nothing")
    if number is not None:
        read.close()
    if opened() != before:
        sys.exit(f"{before} became {opened()}")
"""
    with Sandbox(leads=250, idle_limit=0.2) as sandbox:
        run = python(script, json.dumps(settings_of(sandbox)))
    assert run.code == 0, run.log
    assert run.output.decode().splitlines() == [
        *("leads None False", "leads 0 0", "leads 1 1", "leads 9999 250"),
        *("pages None False", "pages 0 0", "pages 1 1", "pages 9999 3"),
    ]


def test_wrong_settings_are_named_at_the_call_without_their_values() -> None:
    with pytest.raises(TapLeadsError, match=r"'access_token' .* 'max_restarts'") as caught:
        leads(access_token="hush hush", max_restarts=-8472)
    assert "hush" not in str(caught.value)
    with pytest.raises(TypeError, match="'zone'"):
        leads(access_token="good", zone="eu")  # type: ignore[call-arg]


def test_the_settings_are_those_of_the_tap() -> None:
    schema: dict[str, Any] = {"properties": dict(SETTINGS["properties"])}
    TapLeads.append_builtin_config(schema)
    names = schema["properties"].keys() - {"faker_config"}  # the tap does not install Faker
    assert Settings.__annotations__.keys() == names
    hints = get_type_hints(Settings, include_extras=True)
    required = {name for name, hint in hints.items() if get_origin(hint) is Required}
    assert required == set(SETTINGS["required"])
    choices = {name: get_args(hint) for name, hint in hints.items() if get_origin(hint) is Literal}
    fields = SETTINGS["properties"].items()
    assert choices == {name: tuple(field["enum"]) for name, field in fields if "enum" in field}


def test_importing_the_package_is_cheap() -> None:
    imported = python("import sys, tap_leads; print(*sys.modules)").output.decode().split()
    assert "tap_leads" in imported
    assert not {"singer_sdk", "requests", "msgspec", "click"} & set(imported)
    assert set(tap_leads.__all__) >= {"leads", "pages", "TapLeadsError"}


@cases(leads, pages)
def test_a_missing_token_is_explained(read: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAP_LEADS_ACCESS_TOKEN", "other")
    with pytest.raises(TapLeadsError, match=r"is missing.*leads\(access_token=") as caught:
        read()
    assert "TAP_LEADS_ACCESS_TOKEN" not in str(caught.value)


def test_the_package_has_a_version_and_nothing_unknown() -> None:
    assert tap_leads.__version__ == version("tap-leads")
    with pytest.raises(AttributeError, match="'nothing'"):
        _ = tap_leads.nothing  # type: ignore[attr-defined]


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
    run = python(script, str(workbench.config(leads_250))).complete(leads_250)
    assert run.log == "True"


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
        streams = {"capture_output": False, "stdout": subprocess.PIPE, "stderr": theirs}
        run = python(script, json.dumps(settings_of(leads_250)), **streams)
        os.set_blocking(terminal, False)
        with pytest.raises(BlockingIOError):
            os.read(terminal, 65536)
    finally:
        os.close(theirs)
        os.close(terminal)
    assert (run.code, run.output) == (0, b"250\n")


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


# Calls of the SDK

MESSAGES = ["SCHEMA", *["RECORD"] * 250, "ACTIVATE_VERSION", "STATE"]


def test_a_tap_syncs_twice_to_any_standard_output_and_ignores_a_state(
    leads_250: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    state = {"bookmarks": {"contacts": {"x": 1}}}
    with caplog.at_level("INFO"):
        tap = TapLeads(config=dict(settings_of(leads_250)), state=state)
    assert "The given state is ignored" in caplog.text
    versions: list[int] = []
    for file in (io.StringIO(), io.TextIOWrapper(io.BytesIO(), encoding="utf-8")):
        with redirect_stdout(file):
            file.write("# before\n")
            tap.sync_all()
            file.write("# after\n")
        file.seek(0)
        first, *lines, last = file.read().splitlines()
        assert (first, last) == ("# before", "# after")
        messages = [json.loads(line) for line in lines]
        assert [message["type"] for message in messages] == MESSAGES
        assert messages[-1]["value"] == {"bookmarks": {"contacts": {}}}
        versions += {message["version"] for message in messages if "version" in message}
    before, after = versions
    assert before < after


def test_records_without_messages(leads_250: Sandbox, capfd: pytest.CaptureFixture[str]) -> None:
    """From `leads`, and from the stream as the SDK reads it."""
    records = TapLeads(config=dict(settings_of(leads_250))).contacts.get_records(None)
    assert [record["id"] for record in records] == ids_of(leads_250)
    assert len(list(leads(**settings_of(leads_250)))) == 250
    assert capfd.readouterr().out == ""


def test_a_notebook_iterates_and_syncs(leads_250: Sandbox) -> None:
    """In a real kernel, whose standard output is not a file."""
    code = f"""
from tap_leads import leads
print(sum(1 for _ in leads(**{settings_of(leads_250)})), "leads")
from tap_leads.tap import TapLeads
TapLeads(config={settings_of(leads_250)}).sync_all()
"""
    told: list[dict[str, Any]] = []
    null = subprocess.DEVNULL
    client: Any
    with run_kernel(kernel_name="python3", stdout=null, stderr=null) as client:
        client.execute_interactive(code, timeout=60, output_hook=told.append)
    texts = [each["content"]["text"] for each in told if each["content"].get("name") == "stdout"]
    first, *lines = "".join(texts).splitlines()
    assert first == "250 leads"
    assert [json.loads(line)["type"] for line in lines] == MESSAGES


# The command in a program


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
