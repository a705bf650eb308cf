"""Each setting says what it is; a wrong one is named in one line, and its value never is."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from singer_sdk.plugin_base import JSONSchemaValidator
from support.tap import Run, Workbench, run_tap

from tap_leads import __version__
from tap_leads.sandbox import Sandbox
from tap_leads.singer.settings import SETTINGS, check_settings, variable
from tap_leads.stream import ContactsStream
from tap_leads.tap import TapLeads

OWN = (
    "access_token",
    "region",
    "api_url",
    "api_version",
    "user_agent",
    "request_timeout",
    "scroll_expiry",
    "scroll_wait_timeout",
    "max_restarts",
    "count_mismatch",
    "typed_custom_attributes",
    "emit_activate_version_messages",
)


def all_settings() -> dict[str, Any]:
    """The JSON Schema of the tap's settings and the SDK's."""
    schema = copy.deepcopy(SETTINGS)
    TapLeads.append_builtin_config(schema)
    return schema


def complaints(**settings: Any) -> list[str]:
    """What is said about these settings and a good access token."""
    config = {"access_token": "good"} | settings
    schema = all_settings()
    return check_settings(schema, JSONSchemaValidator(schema).iter_errors(config), config)


def the_only_line(run: Run) -> str:
    """The one line that a run said when it refused its settings."""
    assert run.code == 1, run.log
    assert run.output == b""
    (error,) = run.lines("ERROR")
    assert run.log.splitlines()[-1].endswith(error), "more than a line"
    assert "Traceback" not in run.log
    assert "  File " not in run.log
    return error


REQUIREMENTS = {
    "access_token": "text without blanks or line breaks",
    "region": "one of us, eu, au",
    "api_url": "begin with https://",
    "api_version": "1.0, 1.1, 1.2, 1.3 or 1.4",
    "user_agent": "one line of plain ASCII text",
    "request_timeout": "whole number from 1 to 3600",
    "scroll_expiry": "whole number from 1 to 3600",
    "scroll_wait_timeout": "whole number from 0 to 86400",
    "max_restarts": "whole number from 0 to 1000",
    "emit_activate_version_messages": "boolean",
    "stream_maps": "object",
    "flattening_enabled": "boolean",
    "flattening_max_depth": "integer",
    "flattening_separator": "string",
}


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        pytest.param("access_token", "hush hush", id="token-with-blank"),
        pytest.param("access_token", "hush\n", id="token-with-line-break"),
        pytest.param("access_token", "hush\r\nX-Evil: 1", id="token-with-header"),
        pytest.param("access_token", "\thush", id="token-with-tab"),
        pytest.param("access_token", "hush\x00", id="token-with-nul"),
        pytest.param("access_token", "hüsh", id="token-not-ascii"),
        pytest.param("access_token", 8472, id="token-a-number"),
        pytest.param("access_token", ["hush"], id="token-a-list"),
        pytest.param("region", "hush", id="region-unknown"),
        pytest.param("region", "EU", id="region-in-capitals"),
        pytest.param("region", 8472, id="region-a-number"),
        pytest.param("region", "", id="region-empty"),
        pytest.param("api_url", 8472, id="url-a-number"),
        pytest.param("api_version", "2.14", id="version-2"),
        pytest.param("api_version", 1.4, id="version-a-number"),
        pytest.param("api_version", "1.5", id="version-that-never-was"),
        pytest.param("user_agent", "hush\nX-Evil: 1", id="agent-with-line-break"),
        pytest.param("user_agent", "hush\n", id="agent-with-line-break-at-the-end"),
        pytest.param("user_agent", " ", id="agent-blank"),
        pytest.param("user_agent", "", id="agent-empty"),
        pytest.param("user_agent", "hüsh", id="agent-not-ascii"),
        pytest.param("request_timeout", 0, id="timeout-0"),
        pytest.param("request_timeout", 3601, id="timeout-too-great"),
        pytest.param("request_timeout", -8472, id="timeout-negative"),
        pytest.param("request_timeout", 8472.5, id="timeout-fraction"),
        pytest.param("request_timeout", "8472", id="timeout-text"),
        pytest.param("request_timeout", True, id="timeout-true"),
        pytest.param("scroll_expiry", 0, id="expiry-0"),
        pytest.param("scroll_expiry", 3601, id="expiry-too-great"),
        pytest.param("scroll_wait_timeout", -1, id="wait-negative"),
        pytest.param("scroll_wait_timeout", 86401, id="wait-too-great"),
        pytest.param("max_restarts", -1, id="restarts-negative"),
        pytest.param("max_restarts", 1001, id="restarts-too-many"),
        pytest.param("emit_activate_version_messages", "hush", id="flag-text"),
        pytest.param("emit_activate_version_messages", 1, id="flag-number"),
        pytest.param("stream_maps", "hush", id="maps-text"),
        pytest.param("stream_maps", ["hush"], id="maps-list"),
        pytest.param("flattening_enabled", "hush", id="flattening-text"),
        pytest.param("flattening_max_depth", "hush", id="depth-text"),
        pytest.param("flattening_separator", 8472, id="separator-number"),
    ],
)
def test_a_wrong_setting_is_named_once_with_what_it_must_be_and_without_its_value(
    setting: str, value: Any
) -> None:
    (message,) = complaints(**{setting: value})
    assert f"'{setting}'" in message
    assert REQUIREMENTS[setting] in message
    for secret in ("hush", "hüsh", "8472", "Evil"):
        assert secret not in message
    assert "\n" not in message


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
BAD_URLS = [
    "",
    "api.intercom.io",
    "//api.intercom.io",
    "https://",
    "https:///path",
    "https://:443",
    "ftp://api.intercom.io",
    "file:///etc/passwd",
    "http://api.intercom.io",
    "http://10.0.0.7",
    "http://192.168.0.1:8080",
    "http://0.0.0.0",
    "http://[::2]",
    "http://127.0.0.1.example.com",
    "http://127.0.0.1example.com",
    "http://1270.0.1.1",
    "http://localhost.example.com",
    "http://localhostexample.com",
    "http://example.com/127.0.0.1",
    "http://user@127.0.0.1",
    "http://127.0.0.1:80@example.com",
    "http://127.0.0.1\\@example.com",
    "http://localhost\\.example.com",
    "https://user:hush@api.intercom.io",
    "https://user@api.intercom.io",
    "https://api.intercom.io?token=hush",
    "https://api.intercom.io/?",
    "https://api.intercom.io/#part",
    "https://api.intercom.io\\hush",
    "https://api.intercom.io /",
    " https://api.intercom.io",
    "https://api.intercom.io\n",
    "https://api.intercom.io/\nhush",
    "https://api.intercom.io\tx",
    "https://api.intercom.io:port",
    "https://api.intercom.io:",
    "https://api.intercom.io:123456",
]
# Addresses of the right form that no request can be sent to.
IMPOSSIBLE_URLS = [
    "https://api.intercom.io:65536",
    "https://.",
    "https://api..intercom.io",
    "https://" + "a" * 64 + ".example.com",
    "https://[:::1]",
]


@pytest.mark.parametrize("url", GOOD_URLS)
def test_an_api_url_is_https_or_this_machine(url: str) -> None:
    assert complaints(api_url=url) == []


@pytest.mark.parametrize("url", BAD_URLS)
def test_any_other_api_url_is_refused_without_showing_it(url: str) -> None:
    (message,) = complaints(api_url=url)
    assert "'api_url'" in message
    assert "hush" not in message
    assert "example.com" not in message


@pytest.mark.parametrize("url", IMPOSSIBLE_URLS)
def test_an_address_that_cannot_be_one_is_a_clear_error(workbench: Workbench, url: str) -> None:
    config = {"access_token": "hush", "api_url": url, "max_restarts": 0, "scroll_expiry": 1}
    run = run_tap("--config", workbench.file("config.json", config))
    assert run.code == 1
    assert not run.records
    (error,) = run.lines("ERROR")
    assert "api_url" in error
    assert "unexpected" not in error
    assert "  File " not in run.log


def test_all_that_is_wrong_is_said_in_one_line(workbench: Workbench) -> None:
    config = {"access_token": "hush\nhush", "region": "hush", "max_restarts": 8472}
    error = the_only_line(run_tap("--config", workbench.file("config.json", config)))
    for name in config:
        assert f"'{name}'" in error
    assert "hush" not in error
    assert "8472" not in error


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_a_wrong_token_is_nowhere_in_the_log(workbench: Workbench, level: str) -> None:
    path = workbench.file("config.json", {"access_token": "hush\nhush"})
    run = run_tap("--config", path, LOGLEVEL=level)
    assert "access_token" in the_only_line(run)
    assert "hush" not in run.log


@pytest.mark.parametrize("config", [{}, {"access_token": None}, {"region": "eu"}])
def test_a_missing_token_is_named_with_the_places_where_it_can_be_given(
    workbench: Workbench, config: dict[str, Any]
) -> None:
    error = the_only_line(run_tap("--config", workbench.file("config.json", config)))
    assert "'access_token' is missing" in error
    assert "TAP_LEADS_ACCESS_TOKEN" in error


def test_without_a_file_the_settings_come_from_the_environment() -> None:
    assert "'access_token' is missing" in the_only_line(run_tap())


def test_flattening_without_its_depth_is_an_error() -> None:
    (message,) = complaints(flattening_enabled=True)
    assert "'flattening_max_depth' is missing" in message
    assert complaints(flattening_enabled=True, flattening_max_depth=1) == []
    assert complaints(flattening_enabled=False) == []


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        pytest.param("request_timeout", "hush", id="integer-word"),
        pytest.param("request_timeout", "", id="integer-empty"),
        pytest.param("scroll_expiry", "1.5", id="integer-fraction"),
        pytest.param("max_restarts", "8472", id="integer-too-great"),
        pytest.param("emit_activate_version_messages", "hush", id="boolean-word"),
        pytest.param("emit_activate_version_messages", "ture", id="boolean-misspelt"),
        pytest.param("emit_activate_version_messages", "2", id="boolean-number"),
        pytest.param("flattening_enabled", "hush", id="sdk-boolean"),
        pytest.param("flattening_max_depth", "hush", id="sdk-integer"),
        pytest.param("stream_maps", "hush", id="object-word"),
        pytest.param("stream_maps", "{hush", id="object-cut-off"),
        pytest.param("stream_maps", '["hush"]', id="object-list"),
        pytest.param("stream_maps", "", id="object-empty"),
        pytest.param("region", "hush", id="word"),
        pytest.param("access_token", "hush hush", id="token"),
        pytest.param("api_url", "http://hush.example.com", id="url"),
    ],
)
def test_a_wrong_variable_is_named_in_one_line_without_its_value(setting: str, value: str) -> None:
    good = {"TAP_LEADS_ACCESS_TOKEN": "good", "TAP_LEADS_API_URL": "http://127.0.0.1:9"}
    quick = {"TAP_LEADS_MAX_RESTARTS": "0", "TAP_LEADS_SCROLL_EXPIRY": "1"}
    run = run_tap(**good | quick | {variable(setting): value})
    error = the_only_line(run)
    assert f"'{setting}'" in error or variable(setting) in error
    for secret in ("hush", "8472", "ture"):
        assert secret not in run.log


@pytest.mark.parametrize("setting", OWN)
def test_each_setting_is_told_its_variable(setting: str) -> None:
    assert variable(setting) == f"TAP_LEADS_{setting.upper()}"


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
    assert [message["type"] for message in expected[:1] + expected[-2:]] == [
        "SCHEMA",
        "RECORD",
        "STATE",
    ]
    assert "email" not in expected[1]["record"]


@pytest.mark.parametrize("text", ["true", "True", "1", "yes", "on", "false", "FALSE", "0", "no"])
def test_a_boolean_variable_may_be_written_in_several_ways(text: str) -> None:
    wanted = text.lower() in {"true", "1", "yes", "on"}
    with Sandbox(leads=1) as sandbox:
        run = run_tap(
            TAP_LEADS_ACCESS_TOKEN=sandbox.token,
            TAP_LEADS_API_URL=sandbox.url,
            TAP_LEADS_EMIT_ACTIVATE_VERSION_MESSAGES=text,
        )
    assert run.code == 0, run.log
    assert ("ACTIVATE_VERSION" in run.kinds) == wanted


def test_null_means_not_set(workbench: Workbench) -> None:
    nothing = dict.fromkeys((*OWN, "stream_maps", "flattening_enabled", "flattening_max_depth"))
    with Sandbox(leads=5) as sandbox:
        given = {"access_token": sandbox.token, "api_url": sandbox.url}
        run = run_tap("--config", workbench.file("config.json", nothing | given))
        assert run.code == 0, run.log
        assert run.kinds == ["SCHEMA", "RECORD", "ACTIVATE_VERSION", "STATE"]
        (headers, *_) = sandbox.headers_seen
        assert headers["Intercom-Version"] == "1.4"
        assert headers["User-Agent"] == f"tap-leads/{__version__}"
    assert not run.lines("WARNING")


def test_an_unknown_setting_is_said_by_its_name_and_ignored(workbench: Workbench) -> None:
    with Sandbox(leads=5) as sandbox:
        run = workbench.sync(sandbox, start_date="hush", acess_token="hush")
    assert run.code == 0, run.log
    assert run.lines("WARNING") == [
        "Setting 'acess_token' is not known, and is ignored.",
        "Setting 'start_date' is not known, and is ignored.",
    ]
    assert "hush" not in run.log


def stream(**settings: Any) -> ContactsStream:
    """The stream of a tap with these settings."""
    tap = TapLeads(config={"access_token": "good"} | settings)
    found = tap.streams["contacts"]
    assert isinstance(found, ContactsStream)
    return found


@pytest.fixture
def _signals() -> Any:
    """Leaves the handling of signals as it was; a tap takes it over."""
    import signal  # noqa: PLC0415

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_signals")
@pytest.mark.parametrize(
    ("settings", "address"),
    [
        pytest.param({}, "https://api.intercom.io", id="default"),
        pytest.param({"region": "us"}, "https://api.intercom.io", id="us"),
        pytest.param({"region": "eu"}, "https://api.eu.intercom.io", id="eu"),
        pytest.param({"region": "au"}, "https://api.au.intercom.io", id="au"),
        pytest.param(
            {"region": "eu", "api_url": "https://proxy.example.com/x/"},
            "https://proxy.example.com/x",
            id="api-url-replaces-it",
        ),
        pytest.param({"region": None, "api_url": None}, "https://api.intercom.io", id="null"),
    ],
)
def test_the_region_chooses_the_host(settings: dict[str, Any], address: str) -> None:
    assert stream(**settings).get_url(None) == f"{address}/contacts/scroll"


@pytest.mark.usefixtures("_signals")
def test_a_tap_made_in_python_has_the_defaults() -> None:
    assert {name: stream().config.get(name) for name in OWN} == {
        "access_token": "good",
        "region": "us",
        "api_url": None,
        "api_version": "1.4",
        "user_agent": f"tap-leads/{__version__}",
        "request_timeout": 90,
        "scroll_expiry": 60,
        "scroll_wait_timeout": 600,
        "max_restarts": 5,
        "count_mismatch": "fail",
        "typed_custom_attributes": False,
        "emit_activate_version_messages": True,
    }


def test_there_are_no_settings_but_these() -> None:
    of_the_sdk: dict[str, Any] = {"properties": {}}
    TapLeads.append_builtin_config(of_the_sdk)
    own = [name for name in all_settings()["properties"] if name not in of_the_sdk["properties"]]
    assert tuple(own) == OWN
    assert set(of_the_sdk["properties"]) == {
        "stream_maps",
        "stream_map_config",
        "faker_config",
        "flattening_enabled",
        "flattening_max_depth",
        "flattening_max_key_length",
        "flattening_separator",
    }
    assert SETTINGS["required"] == ["access_token"]


@pytest.mark.parametrize("setting", OWN)
def test_each_setting_has_a_title_a_description_and_a_default_where_there_is_one(
    setting: str,
) -> None:
    field = SETTINGS["properties"][setting]
    assert field["title"]
    assert field["description"].endswith(".")
    assert ("default" in field) == (setting not in {"access_token", "api_url"})
    assert setting == "access_token" or "null" in field["type"]


@pytest.mark.parametrize(
    "setting", ["request_timeout", "scroll_expiry", "scroll_wait_timeout", "max_restarts"]
)
def test_each_number_has_bounds_around_its_default(setting: str) -> None:
    field = SETTINGS["properties"][setting]
    assert field["type"] == ["integer", "null"]
    assert 0 <= field["minimum"] < field["default"] < field["maximum"]
    assert complaints(**{setting: field["minimum"]}) == []
    assert complaints(**{setting: field["maximum"]}) == []


def test_only_the_token_is_a_secret() -> None:
    secrets = [name for name, field in SETTINGS["properties"].items() if field.get("secret")]
    assert secrets == ["access_token"]
    assert SETTINGS["properties"]["access_token"]["writeOnly"] is True


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(None, id="missing"),
        pytest.param(b"", id="empty"),
        pytest.param(b"hush", id="no-json"),
        pytest.param(b'{"access_token": "hush', id="cut-off"),
        pytest.param(b'{"access_token": "hush",}', id="comma-too-many"),
        pytest.param(b'["hush"]', id="list"),
        pytest.param(b'"hush"', id="text"),
        pytest.param(b"null", id="null"),
        pytest.param(b'\xff\xfe{"access_token": "hush"}', id="no-utf-8"),
        pytest.param(b"[" * 100_000, id="nested-too-deeply"),
    ],
)
def test_a_file_that_is_no_configuration_is_said_so_in_one_line(
    workbench: Workbench, content: bytes | None
) -> None:
    path = workbench.folder / "settings-of-mine.json"
    if content is not None:
        path.write_bytes(content)
    run = run_tap("--config", path)
    assert "settings-of-mine.json" in the_only_line(run)
    assert "hush" not in run.log


@pytest.mark.parametrize("argument", ["--test", "--discover"])
def test_it_is_said_so_whatever_the_file_is_for(workbench: Workbench, argument: str) -> None:
    run = run_tap("--config", workbench.folder / "settings-of-mine.json", argument)
    assert "settings-of-mine.json" in the_only_line(run)


def test_a_folder_is_no_configuration_file(workbench: Workbench) -> None:
    assert str(workbench.folder) in the_only_line(run_tap("--config", workbench.folder))
