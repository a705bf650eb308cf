"""Each setting is described, and one line names a wrong one, without its value."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from support.cases import cases
from support.settings import DEFAULTS
from support.tap import Run, Workbench, run_tap

from tap_leads.sandbox import Sandbox
from tap_leads.singer.settings import SETTINGS, check_settings, variable
from tap_leads.singer.sources import read_environment
from tap_leads.tap import TapLeads

OF_THE_SDK = [
    "stream_maps",
    "stream_map_config",
    "faker_config",
    "flattening_enabled",
    "flattening_max_depth",
    "flattening_max_key_length",
    "flattening_separator",
]


def all_settings() -> dict[str, Any]:
    """The JSON Schema of the tap's settings and the SDK's."""
    schema = copy.deepcopy(SETTINGS)
    TapLeads.append_builtin_config(schema)
    return schema


def complaints(**settings: Any) -> list[str]:
    """The messages about these settings and a good access token."""
    return check_settings(all_settings(), {"access_token": "good"} | settings)


def the_only_line(run: Run) -> str:
    """The only error line of a run that refused its settings."""
    assert run.code == 1, run.log
    assert run.output == b""
    (error,) = run.lines("ERROR")
    assert run.log.splitlines()[-1].endswith(error), "more than a line"
    assert "Traceback" not in run.log
    assert "  File " not in run.log
    for value in ("hush", "8472"):
        assert value not in run.log
    return error


# What the settings are


def test_there_are_no_settings_but_these() -> None:
    assert list(all_settings()["properties"]) == [*DEFAULTS, *OF_THE_SDK]
    assert SETTINGS["required"] == ["access_token"]


@pytest.mark.parametrize(("setting", "default"), DEFAULTS.items())
def test_each_setting_has_a_title_a_description_and_a_default_where_there_is_one(
    setting: str, default: Any
) -> None:
    field = SETTINGS["properties"][setting]
    assert field["title"]
    assert field["description"].endswith(".")
    assert field.get("default") == default
    assert setting == "access_token" or "null" in field["type"]
    assert (
        field.get("secret", False) is field.get("writeOnly", False) is (setting == "access_token")
    )
    if field["type"] == ["integer", "null"]:
        assert 0 <= field["minimum"] < default < field["maximum"]
        assert complaints(**{setting: field["minimum"]}) == []
        assert complaints(**{setting: field["maximum"]}) == []


def test_a_tap_made_in_python_has_the_defaults() -> None:
    config = TapLeads(config={"access_token": "good"}).config
    assert {name: config.get(name) for name in DEFAULTS} == DEFAULTS | {"access_token": "good"}


@cases(
    ({}, "https://api.intercom.io"),
    ({"region": "us"}, "https://api.intercom.io"),
    ({"region": "eu"}, "https://api.eu.intercom.io"),
    ({"region": "au"}, "https://api.au.intercom.io"),
    (
        {"region": "eu", "api_url": "https://proxy.example.com/x/"},
        "https://proxy.example.com/x",
    ),
    ({"region": None, "api_url": None}, "https://api.intercom.io"),
)
def test_the_region_chooses_the_host_and_api_url_replaces_it(
    settings: dict[str, Any], address: str
) -> None:
    stream = TapLeads(config={"access_token": "good"} | settings).contacts
    assert stream.get_url(None) == f"{address}/contacts/scroll"


# Wrong values

WRONG: dict[str, tuple[str, list[Any]]] = {
    "access_token": (
        "text without blanks or line breaks",
        ["hush hush", "hush\n", "hush\r\nX-Evil: 1", "\thush", "hush\0", "hüsh", 8472, ["hush"]],
    ),
    "region": ("one of us, eu, au", ["hush", "EU", 8472, ""]),
    "api_url": ("begin with https://", [8472]),
    "api_version": ("1.0, 1.1, 1.2, 1.3 or 1.4", ["2.14", 1.4, "1.5"]),
    "user_agent": (
        "one line of plain ASCII text",
        ["hush\nX-Evil: 1", "hush\n", " ", "", "hüsh"],
    ),
    "request_timeout": ("whole number from 1 to 3600", [0, 3601, -8472, 8472.5, "8472", True]),
    "scroll_expiry": ("whole number from 1 to 3600", [0, 3601]),
    "scroll_wait_timeout": ("whole number from 0 to 86400", [-1, 86401]),
    "max_restarts": ("whole number from 0 to 1000", [-1, 1001]),
    "count_mismatch": ("one of fail, warn, ignore", ["hush"]),
    "emit_activate_version_messages": ("boolean", ["hush", 1]),
    "stream_maps": ("object", ["hush", ["hush"]]),
    "flattening_enabled": ("boolean", ["hush"]),
    "flattening_max_depth": ("integer", ["hush"]),
    "flattening_separator": ("string", [8472]),
}


@pytest.mark.parametrize(
    ("setting", "requirement", "value"),
    [
        (setting, requirement, value)
        for setting, (requirement, values) in WRONG.items()
        for value in values
    ],
)
def test_a_wrong_setting_is_named_once_with_what_it_must_be_and_without_its_value(
    setting: str, requirement: str, value: Any
) -> None:
    (message,) = complaints(**{setting: value})
    assert f"'{setting}'" in message
    assert requirement in message
    for secret in ("hush", "hüsh", "8472", "Evil", "\n"):
        assert secret not in message


GOOD_URLS = [
    "https://api.intercom.io",
    "https://api.intercom.io/",
    "https://api.intercom.io:8443",
    "https://proxy.example.com/intercom/v1",
    "https://10.0.0.7",
    "https://[2001:db8::1]:8443/",
    "http://127.0.0.1:8080",
    "http://127.1.2.3",
    "http://localhost",
    "http://localhost:80/path",
    "http://[::1]:8080",
]
API = "https://api.intercom.io"
BAD_URLS = {
    "no scheme": ["", "api.intercom.io", "//api.intercom.io"],
    "no host": ["https://", "https:///path", "https://:443"],
    "another scheme": ["ftp://api.intercom.io", "file:///etc/passwd"],
    "http beyond this machine": [
        *("http://api.intercom.io", "http://10.0.0.7", "http://192.168.0.1:8080"),
        *("http://0.0.0.0", "http://[::2]", "http://1270.0.1.1", "http://example.com/127.0.0.1"),
        *("http://127.0.0.1.example.com", "http://127.0.0.1example.com"),
        *("http://localhost.example.com", "http://localhostexample.com"),
        *("http://127.0.0.1:80@example.com", "http://127.0.0.1\\@example.com"),
        *("http://localhost\\.example.com", f"{API}\\hush"),
    ],
    "user": ["http://user@127.0.0.1", "https://user:hush@intercom.io", "https://user@intercom.io"],
    "query or part": [f"{API}?token=hush", f"{API}/?", f"{API}/#part"],
    "blanks": [f"{API} /", f" {API}", f"{API}\n", f"{API}/\nhush", f"{API}\tx"],
    "port": [f"{API}:port", f"{API}:", f"{API}:123456", f"{API}:65536"],
    "no name": ["https://.", "https://api..io", "https://" + "a" * 64 + ".io", "https://[:::1]"],
}


@cases(*GOOD_URLS)
def test_an_api_url_is_https_or_this_machine(url: str) -> None:
    assert complaints(api_url=url) == []


@pytest.mark.parametrize("url", [url for urls in BAD_URLS.values() for url in urls])
def test_any_other_api_url_is_refused_without_showing_it(url: str) -> None:
    (message,) = complaints(api_url=url)
    assert "'api_url'" in message
    assert "hush" not in message
    assert "example.com" not in message


def test_flattening_without_its_depth_is_an_error() -> None:
    (message,) = complaints(flattening_enabled=True)
    assert "'flattening_max_depth' is missing" in message
    assert complaints(flattening_enabled=True, flattening_max_depth=1) == []
    assert complaints(flattening_enabled=False) == []


@cases("INFO", "DEBUG")
def test_one_line_names_all_wrong_settings(level: str, workbench: Workbench) -> None:
    config = {"access_token": "hush\nhush", "region": "hush", "max_restarts": 8472}
    path = workbench.file("config.json", config)
    error = the_only_line(run_tap("--config", path, LOGLEVEL=level))
    for name in config:
        assert f"'{name}'" in error


@pytest.mark.parametrize(
    "config",
    [None, {}, {"access_token": None}, {"access_token": ""}, {"region": "eu"}],
    ids=["no-file", "empty-file", "null", "empty-text", "other-settings"],
)
def test_the_error_about_a_missing_token_names_the_places_where_it_can_be_given(
    workbench: Workbench, config: dict[str, Any] | None
) -> None:
    """An empty one is missing too: a copy of `.env.example` contains it."""
    if config is None:
        run = run_tap(TAP_LEADS_ACCESS_TOKEN="")
    else:
        run = run_tap("--config", workbench.file("config.json", config))
    error = the_only_line(run)
    assert "'access_token' is missing" in error
    for place in ("TAP_LEADS_ACCESS_TOKEN", ".env", "configuration file", "Meltano"):
        assert place in error


def test_an_unknown_setting_is_named_and_ignored(workbench: Workbench) -> None:
    with Sandbox(leads=5) as sandbox:
        run = workbench.sync(sandbox, start_date="hush", acess_token="hush")
    assert run.code == 0, run.log
    assert run.lines("WARNING") == [
        "Setting 'acess_token' is not known, and is ignored.",
        "Setting 'start_date' is not known, and is ignored.",
    ]
    assert "hush" not in run.log


def test_null_means_not_set(workbench: Workbench) -> None:
    with Sandbox(leads=5) as sandbox:
        given = {"access_token": sandbox.token, "api_url": sandbox.url}
        config = dict.fromkeys((*DEFAULTS, *OF_THE_SDK)) | given
        run = run_tap("--config", workbench.file("config.json", config))
        assert run.code == 0, run.log
        assert run.kinds == ["SCHEMA", "RECORD", "ACTIVATE_VERSION", "STATE"]
        (headers, *_) = sandbox.headers_seen
        assert headers["Intercom-Version"] == DEFAULTS["api_version"]
        assert headers["User-Agent"] == DEFAULTS["user_agent"]
    assert not run.lines("WARNING")


# Variables

WRONG_VARIABLES = {
    "request_timeout": ["hush", "", "1.5", "8472"],
    "emit_activate_version_messages": ["hush", "8472"],
    "flattening_enabled": ["hush"],
    "flattening_max_depth": ["hush"],
    "stream_maps": ["hush", "{hush", '["hush"]', ""],
    "access_token": ["hush hush"],
}


@pytest.mark.parametrize(
    ("setting", "value"),
    [(setting, value) for setting, values in WRONG_VARIABLES.items() for value in values],
)
def test_a_wrong_variable_is_named_in_one_line_without_its_value(setting: str, value: str) -> None:
    error = the_only_line(run_tap(**{"TAP_LEADS_ACCESS_TOKEN": "good", variable(setting): value}))
    assert f"'{setting}'" in error or f"TAP_LEADS_{setting.upper()}" in error


def test_settings_from_variables_are_those_of_a_file(workbench: Workbench) -> None:
    settings = {
        "access_token": "sandbox",
        "api_version": "1.1",
        "user_agent": "ours/1",
        "request_timeout": 5,
        "scroll_expiry": 1,
        "emit_activate_version_messages": False,
        "stream_maps": {"contacts": {"email": None}},
    }

    def sync(*arguments: str | Path, **variables: str) -> list[dict[str, Any]]:
        run = run_tap(*arguments, **variables)
        assert run.code == 0, run.log
        return [message | {"time_extracted": None} for message in run.messages]

    with Sandbox(leads=5) as sandbox:
        settings["api_url"] = sandbox.url
        texts = {
            variable(name): value if isinstance(value, str) else json.dumps(value)
            for name, value in settings.items()
        }
        path = workbench.file("config.json", settings)
        expected = sync("--config", path)
        assert sync(**texts) == sync("--config", "ENV", **texts) == expected
        assert {headers["User-Agent"] for headers in sandbox.headers_seen} == {"ours/1"}
        assert {headers["Intercom-Version"] for headers in sandbox.headers_seen} == {"1.1"}
    kinds = [message["type"] for message in expected]
    assert kinds == ["SCHEMA", *["RECORD"] * 5, "STATE"]
    assert "email" not in expected[1]["record"]


@cases("true", "True", "1", "yes", "on", "false", "FALSE", "0", "no")
def test_a_boolean_variable_may_be_written_in_several_ways(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_DOTENV_DISABLED", "1")
    monkeypatch.setenv("TAP_LEADS_FLATTENING_ENABLED", text)
    expected = text.lower() in {"true", "1", "yes", "on"}
    assert read_environment(all_settings())["flattening_enabled"] is expected


def test_a_misspelled_variable_is_named_and_ignored() -> None:
    names = {"TAP_LEADS_REGOIN": "eu", "TAP_LEADS__SELECT": "[]", "TAP_LEADS_LOGLEVEL": "INFO"}
    run = run_tap(TAP_LEADS_ACCESS_TOKEN="any", **names, TAP_LEADS_REGION="xx")
    assert run.lines("WARNING") == ["Variable 'TAP_LEADS_REGOIN' is not known, and is ignored."]


# Files


@cases([], ["--test"], ["--discover"])
def test_a_missing_file_is_named_in_one_line(arguments: list[str], workbench: Workbench) -> None:
    path = workbench.folder / "settings-of-mine.json"
    assert "settings-of-mine.json" in the_only_line(run_tap("--config", path, *arguments))


@cases(
    empty=b"",
    no_json=b"hush",
    cut_off=b'{"access_token": "hush',
    list=b'["hush"]',
    null=b"null",
    no_utf_8=b'\xff\xfe{"access_token": "hush"}',
    nested_too_deeply=b"[" * 100_000,
)
def test_a_file_that_is_no_configuration_is_named_in_one_line(
    content: bytes, workbench: Workbench
) -> None:
    path = workbench.folder / "settings-of-mine.json"
    path.write_bytes(content)
    assert "settings-of-mine.json" in the_only_line(run_tap("--config", path))


def test_a_folder_is_no_configuration_file(workbench: Workbench) -> None:
    assert str(workbench.folder) in the_only_line(run_tap("--config", workbench.folder))
