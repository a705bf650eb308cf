"""What each setting must be: at the edges, and word by word."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

from support.cases import cases
from support.settings import DEFAULTS

from tap_leads.singer.settings import HOSTS, SETTINGS, check_settings, normalize, variable
from tap_leads.tap import TapLeads

SCHEMA: dict[str, Any] = copy.deepcopy(SETTINGS)
TapLeads.append_builtin_config(SCHEMA)


def complaints(**settings: Any) -> list[str]:
    """What is said about these settings and a good access token."""
    return check_settings(SCHEMA, normalize({"access_token": "good"} | settings))


URL_RULE = "begin with https:// (http:// for this machine only) and have no user, query or '#'"
VERSION_RULE = 'be 1.0, 1.1, 1.2, 1.3 or 1.4, written as text: "1.4"'


@cases(
    ("access_token", ["a b", "a\x7f"], ["!~", "a" * 500], "be text without blanks or line breaks"),
    ("region", ["xx"], ["au"], "be one of us, eu, au"),
    ("api_url", ["http://example.com"], ["http://localhost:8080"], URL_RULE),
    ("api_url", ["https://example.com:99999"], ["https://example.com:65535"], URL_RULE),
    ("api_url", ["https://a..example.com"], ["https://a.example.com"], URL_RULE),
    ("api_version", ["1.5", "0.4", "1.40"], ["1.4", "1.0", "1.1"], VERSION_RULE),
    ("user_agent", [" "], ["ours 1"], "be one line of plain ASCII text"),
    ("request_timeout", [0, 3601], [1, 3600], "be a whole number from 1 to 3600"),
    ("scroll_expiry", [0, 3601], [1, 3600], "be a whole number from 1 to 3600"),
    ("scroll_wait_timeout", [-1, 86401], [0, 86400], "be a whole number from 0 to 86400"),
    ("max_restarts", [-1, 1001], [0, 1000], "be a whole number from 0 to 1000"),
    ("count_mismatch", ["stop", 1], ["warn", "ignore"], "be one of fail, warn, ignore"),
    ("typed_custom_attributes", ["yes"], [True], "be a boolean"),
    ("emit_activate_version_messages", [0], [False], "be a boolean"),
    ("stream_maps", [[]], [{}, {"contacts": {"name": 5}}], "be an object"),
    ("flattening_max_depth", ["2"], [2], "be an integer"),
    ("flattening_separator", [1], ["_"], "be a string"),
)
def test_a_wrong_setting_is_refused_with_its_rule(
    setting: str, wrong: list[object], right: list[object], rule: str
) -> None:
    message = f"Setting '{setting}' must {rule}."
    assert [complaints(**{setting: value}) for value in wrong] == [[message]] * len(wrong)
    assert [complaints(**{setting: value}) for value in right] == [[]] * len(right)


def test_a_setting_of_several_types_names_them_all() -> None:
    schema = {"properties": {"x": {"type": ["integer", "object", "array", "string", "null"]}}}
    rule = "be an integer or an object or a list or a string"
    assert check_settings(schema, {"x": 1.5}) == [f"Setting 'x' must {rule}."]


def test_each_wrong_setting_is_named_once_in_alphabetical_order() -> None:
    found = complaints(user_agent="", region=5, access_token=None)
    assert [message.split("'")[1] for message in found] == ["access_token", "region", "user_agent"]
    assert found[0].startswith("Setting 'access_token' is missing. Set the environment variable ")
    assert f" {variable('access_token')}, " in found[0]


def test_each_region_has_its_address() -> None:
    """As on Intercom's page "Regional hosting"."""
    sites = {"us": "api", "eu": "api.eu", "au": "api.au"}
    assert {region: f"https://{site}.intercom.io" for region, site in sites.items()} == HOSTS


FLATTENING = "Setting 'flattening_max_depth' is missing; flattening needs it."


@cases(
    without_a_depth=({"flattening_enabled": True}, [FLATTENING]),
    with_a_depth=({"flattening_enabled": True, "flattening_max_depth": 1}, []),
    turned_off=({"flattening_enabled": False}, []),
    not_set=({}, []),
)
def test_flattening_needs_a_depth(settings: dict[str, Any], found: list[str]) -> None:
    assert complaints(**settings) == found
    assert complaints(region="x", **settings)[:-1] == found


@cases(
    ({"access_token": "", "region": ""}, {"region": ""}),
    ({"access_token": "a", "region": None}, {"access_token": "a"}),
    ({"api_version": 1.3}, {"api_version": "1.3"}),
    ({"api_version": Decimal("1.3")}, {"api_version": "1.3"}),
    ({"api_version": 1}, {"api_version": 1}),
    ({}, {}),
)
def test_null_is_not_set_and_a_version_may_be_a_number(
    config: dict[str, Any], settings: dict[str, Any]
) -> None:
    assert normalize(config) == settings


def test_the_defaults_are_documented_and_no_other_setting_has_one() -> None:
    fields = SETTINGS["properties"].items()
    found = {name: field["default"] for name, field in fields if "default" in field}
    assert found == {name: value for name, value in DEFAULTS.items() if value is not None}
    assert SETTINGS["required"] == ["access_token"]
    assert [name for name, field in fields if field.get("secret")] == ["access_token"]
