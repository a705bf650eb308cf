"""Each setting is described, and one line names a wrong one, without its value."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

from support.cases import cases
from support.settings import DEFAULTS
from support.tap import Workbench, run_tap

from tap_leads.sandbox import Sandbox
from tap_leads.singer.settings import SETTINGS, check_settings, variable
from tap_leads.tap import TapLeads

OF_THE_SDK = [
    *("stream_maps", "stream_map_config", "faker_config", "flattening_enabled"),
    *("flattening_max_depth", "flattening_max_key_length", "flattening_separator"),
]
ALL: dict[str, Any] = copy.deepcopy(SETTINGS)
TapLeads.append_builtin_config(ALL)


def complaints(**settings: Any) -> list[str]:
    """The messages about these settings and a good access token."""
    return check_settings(ALL, {"access_token": "good"} | settings)


# What the settings are


def test_there_are_no_settings_but_these() -> None:
    assert list(ALL["properties"]) == [*DEFAULTS, *OF_THE_SDK]


def test_a_tap_made_in_python_has_the_defaults() -> None:
    config = TapLeads(config={"access_token": "good"}).config
    assert {name: config.get(name) for name in DEFAULTS} == DEFAULTS | {"access_token": "good"}


@cases(
    ({}, "https://api.intercom.io"),
    ({"region": "eu"}, "https://api.eu.intercom.io"),
    ({"region": "au"}, "https://api.au.intercom.io"),
    ({"region": "eu", "api_url": "https://example.com/x/"}, "https://example.com/x"),
    ({"region": None, "api_url": None}, "https://api.intercom.io"),
)
def test_region_or_api_url_choose_the_address(settings: dict[str, Any], address: str) -> None:
    stream = TapLeads(config={"access_token": "good"} | settings).contacts
    assert stream.get_url(None) == f"{address}/contacts/scroll"


# Wrong values

API = "https://api.intercom.io"
WRONG: dict[str, list[Any]] = {
    "access_token": [
        "text without blanks or line breaks",
        *("hush hush", "hush\n", "hush\r\nX-Evil: 1", "hush\0", "hüsh", 8472, ["hush"]),
    ],
    "user_agent": ["one line of plain ASCII text", "hush\nX-Evil: 1", "hush\n", "", "hüsh"],
    "api_url": [
        "begin with https://",
        *(8472, "", "api.intercom.io", "//api.intercom.io", "https:///path", "https://:443"),
        *("ftp://api.intercom.io", "http://api.intercom.io", "http://0.0.0.0", "http://[::2]"),
        # not this machine
        *("http://1270.0.1.1", "http://example.com/127.0.0.1", "http://127.0.0.1.example.com"),
        *("http://127.0.0.1example.com", "http://localhost.example.com", "http://localhosthush"),
        *("http://127.0.0.1:80@example.com", "http://127.0.0.1\\@example.com", f"{API}\\hush"),
        # users, queries, parts and blanks
        *("https://user:hush@example.com", f"{API}?token=hush", f"{API}/?", f"{API}/#part"),
        *(f"{API} /", f" {API}", f"{API}\n", f"{API}/\nhush", f"{API}\tx"),
        # wrong ports and names
        *(f"{API}:port", f"{API}:", f"{API}:123456", f"{API}:65536", "https://."),
        *("https://api..io", f"https://{'a' * 64}.io", "https://[:::1]"),
    ],
}


@cases(*((name, rule, value) for name, (rule, *values) in WRONG.items() for value in values))
def test_a_wrong_setting_is_named_without_its_value(setting: str, rule: str, value: Any) -> None:
    (message,) = complaints(**{setting: value})
    assert re.search(f"'{setting}'.*{rule}", message)
    assert not re.search("hush|hüsh|8472|Evil|example.com|\n", message)


@cases(
    *(API, f"{API}/", f"{API}:8443", "https://proxy.example.com/intercom/v1", "https://10.0.0.7"),
    *("https://[2001:db8::1]:8443/", "http://127.0.0.1:8080", "http://127.1.2.3"),
    *("http://localhost", "http://localhost:80/path", "http://[::1]:8080"),
)
def test_an_api_url_is_https_or_this_machine(url: str) -> None:
    assert complaints(api_url=url) == []


def test_one_line_names_all_wrong_settings(workbench: Workbench) -> None:
    config = {"access_token": "hush\nhush", "region": "hush", "max_restarts": 8472}
    run = run_tap("--config", workbench.file("config.json", config), LOGLEVEL="DEBUG")
    assert all(f"'{name}'" in run.refusal for name in config)
    assert run.log.splitlines()[-1].endswith(run.refusal)
    assert "8472" not in run.log


def test_the_error_about_a_missing_token_names_the_places_for_it() -> None:
    """An empty one is missing too: a copy of `.env.example` contains it."""
    run = run_tap(TAP_LEADS_ACCESS_TOKEN="", TAP_LEADS_REGOIN="eu", TAP_LEADS__SELECT="[]")
    assert run.lines("WARNING") == ["Variable 'TAP_LEADS_REGOIN' is not known, and is ignored."]
    assert "'access_token' is missing" in run.refusal
    places = ("TAP_LEADS_ACCESS_TOKEN", ".env", "configuration file", "Meltano")
    assert [place for place in places if place not in run.refusal] == []


def test_null_is_not_set_and_an_unknown_setting_is_ignored(workbench: Workbench) -> None:
    nulls: dict[str, Any] = dict.fromkeys({*DEFAULTS, *OF_THE_SDK} - {"access_token", "api_url"})
    with Sandbox(leads=5) as sandbox:
        run = workbench.sync(sandbox, **nulls, acess_token="hush").complete(sandbox)
    assert run.lines("WARNING") == ["Setting 'acess_token' is not known, and is ignored."]
    assert "hush" not in run.log
    assert run.kinds == ["SCHEMA", "RECORD", "ACTIVATE_VERSION", "STATE"]
    sent = [sandbox.headers_seen[0][name] for name in ("Intercom-Version", "User-Agent")]
    assert sent == [DEFAULTS["api_version"], DEFAULTS["user_agent"]]


# Variables


@cases(("request_timeout", "hush"), ("request_timeout", "8472"), ("stream_maps", '["hush"]'))
def test_a_wrong_variable_is_named_in_one_line_without_its_value(setting: str, value: str) -> None:
    run = run_tap(**{"TAP_LEADS_ACCESS_TOKEN": "good", variable(setting): value})
    assert setting in run.refusal.lower()
    assert value not in run.log


def test_settings_from_variables_are_those_of_a_file(workbench: Workbench) -> None:
    """In YAML and JSON, a version without quotes is a number."""
    with Sandbox(leads=5) as sandbox:
        settings = {
            "access_token": sandbox.token,
            "api_url": sandbox.url,
            "api_version": 1.0,
            "user_agent": "ours/1",
            "emit_activate_version_messages": False,
            "stream_maps": {"contacts": {"email": None}},
        }
        texts = {
            variable(name): value if isinstance(value, str) else json.dumps(value)
            for name, value in settings.items()
        }
        run = run_tap("--config", workbench.file("config.json", settings))
        for same in (run_tap(**texts), run_tap("--config", "ENV", **texts)):
            assert same.lasting == run.lasting
    for headers in sandbox.headers_seen:
        names = ("Authorization", "Accept", "User-Agent", "Intercom-Version")
        assert [headers[name] for name in names] == ["right", "application/json", "ours/1", "1.0"]
    assert run.kinds == ["SCHEMA", "RECORD", "STATE"]
    assert not any("email" in record for record in run.records)


# Files


@cases(
    missing=(None, []),
    missing_for_a_test=(None, ["--test"]),
    missing_for_discovery=(None, ["--discover"]),
    cut_off=(b'{"access_token": "hush', []),
    no_utf_8=(b'\xff\xfe{"access_token": "hush"}', []),
)
def test_a_file_that_is_no_configuration_is_named_in_one_line(
    content: bytes | None, arguments: list[str], workbench: Workbench
) -> None:
    path = workbench.folder / "settings-of-mine.json"
    if content:
        path.write_bytes(content)
    assert "settings-of-mine.json" in run_tap("--config", path, *arguments).refusal
