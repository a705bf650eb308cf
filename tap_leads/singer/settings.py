"""The settings: their descriptions, their limits, and the messages about wrong values."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from singer_sdk import typing as th
from singer_sdk.plugin_base import JSONSchemaValidator

from tap_leads.errors import TapLeadsError

if TYPE_CHECKING:
    from jsonschema import ValidationError

HOSTS = {
    "us": "https://api.intercom.io",
    "eu": "https://api.eu.intercom.io",
    "au": "https://api.au.intercom.io",
}
"""The address of each region (Intercom's page "Regional hosting")."""

_NO_BLANKS = r"^(?![\s\S]*\s)[!-~]+$"
_ONE_LINE = r"^(?![\s\S]*[\r\n])[ -~]*[!-~][ -~]*$"
_VERSION = r"^1\.[0-4](?![\s\S])"
_API_URL = (
    r"^(?![\s\S]*[\s@?#])"
    r"(https://([\w.-]+|\[[\da-fA-F:.]+\])|http://(localhost|127(\.\d{1,3}){3}|\[::1\]))"
    r"(:\d{1,5})?(/.*)?$"
)

SETTINGS: dict[str, Any] = th.PropertiesList(
    th.Property(
        "access_token",
        th.StringType(pattern=_NO_BLANKS),
        required=True,
        secret=True,
        title="Access token",
        description=(
            "The access token of an Intercom app with the permissions"
            " *Read and list users and companies* and *Read counts*."
        ),
    ),
    th.Property(
        "region",
        th.StringType(allowed_values=list(HOSTS)),
        default="us",
        title="Region",
        description="Where the workspace is hosted: `us`, `eu` or `au`.",
    ),
    th.Property(
        "api_url",
        th.StringType(pattern=_API_URL),
        title="API URL",
        description=(
            "Replaces the region's address, for a proxy or the sandbox. It begins with `https://`;"
            " `http://` is for this machine only."
        ),
    ),
    th.Property(
        "api_version",
        th.StringType(pattern=_VERSION),  # no choice: Meltano would refuse 1.4 without quotes
        default="1.4",
        title="API version",
        description="The version of Intercom's API, `1.0` to `1.4`; later ones have no scroll.",
    ),
    th.Property(
        "user_agent",
        th.StringType(pattern=_ONE_LINE),
        default=f"tap-leads/{version('tap-leads')}",
        title="User agent",
        description="What the tap calls itself in its requests.",
    ),
    th.Property(
        "request_timeout",
        th.IntegerType(minimum=1, maximum=3600),
        default=90,
        title="Request timeout",
        description=(
            "Seconds that Intercom may stay silent in a request; a page can take over a minute in"
            " a large workspace."
        ),
    ),
    th.Property(
        "scroll_expiry",
        th.IntegerType(minimum=1, maximum=3600),
        default=60,
        title="Scroll expiry",
        description="Seconds after which Intercom drops an unused scroll.",
    ),
    th.Property(
        "scroll_wait_timeout",
        th.IntegerType(minimum=0, maximum=86400),
        default=600,
        title="Scroll wait timeout",
        description=(
            "Seconds to wait without progress, for another open scroll, the rate limit or an"
            " unreachable API; then the sync fails. A page with something new starts the count"
            " again."
        ),
    ),
    th.Property(
        "max_restarts",
        th.IntegerType(minimum=0, maximum=1000),
        default=5,
        title="Most restarts",
        description="How often a sync may restart a broken scroll, in total; then it fails.",
    ),
    th.Property(
        "count_mismatch",
        th.StringType(allowed_values=["fail", "warn", "ignore"]),
        default="fail",
        title="Count mismatch",
        description=(
            "What follows if two scrolls in a row miss more than 1 % of the leads that Intercom"
            " counts: `fail` ends the sync with an error, `warn` accepts them with a warning."
            " `ignore` opens no second scroll because of a count. While the count disagrees, no"
            " target is told to delete leads."
        ),
    ),
    th.Property(
        "typed_custom_attributes",
        th.BooleanType,
        default=False,
        title="Typed custom attributes",
        description=(
            "Whether to ask Intercom for the types of the workspace's custom attributes, and give"
            " `custom_attributes` these types."
        ),
    ),
    th.Property(
        "emit_activate_version_messages",
        th.BooleanType,
        default=True,
        title="Emit ACTIVATE_VERSION messages",
        description=(
            "Whether to tell the target which leads were deleted, after a complete sync only."
        ),
    ),
).to_dict()
"""The JSON Schema of the settings. The SDK adds those of stream maps and flattening."""

_MUST = {
    "access_token": "be text without blanks or line breaks",
    "api_url": "begin with https:// (http:// for this machine only) and have no user, query or '#'",
    "api_version": 'be 1.0, 1.1, 1.2, 1.3 or 1.4, written as text: "1.4"',
    "user_agent": "be one line of plain ASCII text",
}
_A = {"integer": "an integer", "object": "an object", "array": "a list"}


class SettingsError(TapLeadsError):
    """Settings are missing or wrong. The message names them, without their values."""


def normalize(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings in the form that is checked and used.

    Null means not set. So does an empty access token, as in a copy of `.env.example`. A version
    such as 1.3 is a number if it has no quotes in YAML or JSON.
    """
    settings = {name: value for name, value in config.items() if value is not None}
    if settings.get("access_token") == "":
        del settings["access_token"]
    if isinstance(version := settings.get("api_version"), float | Decimal):
        settings["api_version"] = str(version)
    return settings


def check_settings(schema: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    """Returns a message per wrong setting, and adds the defaults to the configuration.

    Args:
        schema: The JSON Schema of all settings.
        config: The configuration.
    """
    # Stream maps are checked later, with the field named. The SDK's schema of them is not valid.
    properties = schema["properties"] | {"stream_maps": {"type": ["object", "null"]}}
    errors = JSONSchemaValidator({**schema, "properties": properties}).iter_errors(config)
    messages = {_message(properties, error) for error in errors}
    if not messages and "api_url" in config and not _is_address(config["api_url"]):
        messages.add(f"Setting 'api_url' must {_MUST['api_url']}.")
    if config.get("flattening_enabled") is True and "flattening_max_depth" not in config:
        messages.add("Setting 'flattening_max_depth' is missing; flattening needs it.")
    return sorted(messages)


def _message(settings: Mapping[str, Any], error: ValidationError) -> str:
    if error.validator == "required":
        return (
            "Setting 'access_token' is missing. Set the environment variable "
            f"{variable('access_token')}, write it into the file .env (Meltano reads that of its "
            "project, tap-leads that of the current folder), or put 'access_token' into the "
            "configuration file. `tap-leads --config FILE` reads variables and .env only if "
            "`--config ENV` is given too."
        )
    name = str(error.path[0])
    return f"Setting '{name}' must {_rule(name, settings[name])}."


def _rule(name: str, setting: Mapping[str, Any]) -> str:
    if name in _MUST:
        return _MUST[name]
    if "enum" in setting:
        return f"be one of {', '.join(setting['enum'])}"
    if "minimum" in setting:
        return f"be a whole number from {setting['minimum']} to {setting['maximum']}"
    kinds = [str(kind) for kind in setting["type"] if kind != "null"]
    return "be " + " or ".join(_A.get(kind, f"a {kind}") for kind in kinds)


def variable(setting: str) -> str:
    """The environment variable of a setting."""
    return f"TAP_LEADS_{setting.upper()}"


def _is_address(url: str) -> bool:
    """Whether the HTTP library accepts it: ports, labels and the like."""
    try:
        requests.Request("GET", url).prepare()
        (urlsplit(url).hostname or "").encode("idna")
    except ValueError:
        return False
    return True
