"""Python programs and notebooks iterate over leads, and can call the SDK."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from contextlib import redirect_stdout
from typing import Any, Literal, Required, get_args, get_origin, get_type_hints

import pytest
from jupyter_client.manager import run_kernel
from support.programs import finish, output
from support.tap import Workbench, ids_of

import tap_leads
from tap_leads import Settings, TapLeadsError, leads, pages
from tap_leads.sandbox import Sandbox
from tap_leads.singer.settings import SETTINGS
from tap_leads.tap import TapLeads


def settings_of(sandbox: Sandbox) -> Settings:
    """The settings that point at a sandbox."""
    return {"access_token": sandbox.token, "api_url": sandbox.url, "scroll_expiry": 1}


def test_leads_are_the_records_of_the_tap(
    workbench: Workbench, leads_250: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    found = list(leads(**settings_of(leads_250)))
    assert capfd.readouterr().out == ""
    assert [lead["id"] for lead in found] == ids_of(leads_250)
    assert found == workbench.sync(leads_250).records


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


LEFT_BEHIND = """
import itertools, json, os, sys, threading
import tap_leads, tap_leads.tap
def opened():
    return threading.enumerate(), sorted(os.listdir("/proc/self/fd"))
before = opened()
for name, number in itertools.product(["leads", "pages"], [0, 1, 9999]):
    read = getattr(tap_leads, name)(**json.loads(sys.argv[1]))
    print(name, number, sum(1 for _ in itertools.islice(read, number)))
    if number == 1 and opened() == before:
        sys.exit("nothing was open in between, so this shows nothing")
    read.close()
    if opened() != before:
        sys.exit(f"{before} became {opened()}")
"""


def test_stopping_leaves_no_thread_file_or_connection_behind() -> None:
    """Wherever it stops; a scroll that it leaves open expires soon."""
    with Sandbox(leads=250, idle_limit=0.2) as sandbox:
        settings = json.dumps(settings_of(sandbox))
        done = finish(sys.executable, "-c", LEFT_BEHIND, settings)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        *("leads 0 0", "leads 1 1", "leads 9999 250", "pages 0 0", "pages 1 1", "pages 9999 3"),
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
    imported = output(sys.executable, "-c", "import sys, tap_leads; print(*sys.modules)").split()
    assert not {"singer_sdk", "requests", "msgspec", "click"} & set(imported)
    assert set(tap_leads.__all__) >= {"leads", "pages", "TapLeadsError"}


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
    records = TapLeads(config=dict(settings_of(leads_250))).contacts.get_records(None)
    assert [record["id"] for record in records] == ids_of(leads_250)
    assert capfd.readouterr().out == ""


NOTEBOOK = """
import json
from tap_leads import leads
settings = json.loads({settings!r})
print(sum(1 for _ in leads(**settings)), "leads")
from tap_leads.tap import TapLeads
TapLeads(config=settings).sync_all()
"""


def test_a_notebook_iterates_and_syncs(leads_250: Sandbox) -> None:
    """In a real kernel, whose standard output is not a file."""
    code = NOTEBOOK.format(settings=json.dumps(settings_of(leads_250)))
    told: list[dict[str, Any]] = []
    null = subprocess.DEVNULL
    client: Any
    with run_kernel(kernel_name="python3", stdout=null, stderr=null) as client:
        client.execute_interactive(code, timeout=60, output_hook=told.append)
    texts = [each["content"]["text"] for each in told if each["content"].get("name") == "stdout"]
    first, *lines = "".join(texts).splitlines()
    assert first == "250 leads"
    assert [json.loads(line)["type"] for line in lines] == MESSAGES
