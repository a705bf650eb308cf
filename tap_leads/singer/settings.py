"""The settings: what each means, what it may be, and what is said when it is wrong."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from singer_sdk import typing as th

from tap_leads import TapLeadsError, __version__

if TYPE_CHECKING:
    from jsonschema import ValidationError

HOSTS = {
    "us": "https://api.intercom.io",
    "eu": "https://api.eu.intercom.io",
    "au": "https://api.au.intercom.io",
}
"""Where each region's workspaces are served (Intercom's page "Regional hosting")."""

_NO_BLANKS = r"^(?![\s\S]*\s)[!-~]+$"
_ONE_LINE = r"^(?![\s\S]*[\r\n])[ -~]*[!-~][ -~]*$"
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
            "The access token of an Intercom app with the permission"
            " *Read and list users and companies*."
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
        th.StringType(allowed_values=["1.0", "1.1", "1.2", "1.3", "1.4"]),
        default="1.4",
        title="API version",
        description="The version of Intercom's API, `1.0` to `1.4`; later ones have no leads.",
    ),
    th.Property(
        "user_agent",
        th.StringType(pattern=_ONE_LINE),
        default=f"tap-leads/{__version__}",
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
            "Seconds to wait, in all, for a scroll that somebody else has open, or for the rate"
            " limit; then the sync fails."
        ),
    ),
    th.Property(
        "max_restarts",
        th.IntegerType(minimum=0, maximum=1000),
        default=5,
        title="Maximal restarts",
        description="How often a sync may begin a broken scroll anew; then it fails.",
    ),
    th.Property(
        "typed_custom_attributes",
        th.BooleanType,
        default=False,
        title="Typed custom attributes",
        description=(
            "Whether to ask Intercom for the workspace's attribute definitions, and declare the"
            " types of `custom_attributes` by them."
        ),
    ),
    th.Property(
        "emit_activate_version_messages",
        th.BooleanType,
        default=True,
        title="Emit ACTIVATE_VERSION messages",
        description=(
            "Whether to tell the target, after a complete sync only, that leads which were not"
            " in it are gone."
        ),
    ),
).to_dict()
"""The JSON Schema of the tap's own settings; the SDK adds those for stream maps and flattening."""

_MUST = {
    "access_token": "be text without blanks or line breaks",
    "api_url": "begin with https:// (http:// for this machine only) and hold no user, query or '#'",
    "api_version": 'be 1.0, 1.1, 1.2, 1.3 or 1.4, written as text: "1.4"',
    "user_agent": "be one line of plain ASCII text",
}
_A = {"integer": "an integer", "object": "an object", "array": "a list"}
_TRUTH = {"true", "1", "yes", "on", "false", "0", "no", "off"}


class SettingsError(TapLeadsError):
    """Settings are missing or wrong. The message names each, and no value."""


def check_settings(
    schema: Mapping[str, Any], errors: Iterator[ValidationError], config: Mapping[str, Any]
) -> list[str]:
    """Says in a line for each setting what is wrong with it.

    Args:
        schema: The JSON Schema of all settings.
        errors: What a validator found in the configuration.
        config: The configuration itself.
    """
    messages = {_message(schema["properties"], error) for error in errors}
    if not messages and "api_url" in config and not _is_address(config["api_url"]):
        messages.add(f"Setting 'api_url' must {_MUST['api_url']}.")
    if config.get("flattening_enabled") is True and "flattening_max_depth" not in config:
        messages.add("Setting 'flattening_max_depth' is missing; flattening needs it.")
    return sorted(messages)


def _message(settings: Mapping[str, Any], error: ValidationError) -> str:
    if error.validator == "required":
        return (
            "Setting 'access_token' is missing. Give it in the configuration file, or in the "
            f"environment as {variable('access_token')}, which is read without --config, or with "
            "--config ENV."
        )
    name = ".".join(str(step) for step in error.path)
    return f"Setting '{name}' must {_rule(name, settings.get(name, {}), error)}."


def _rule(name: str, setting: Mapping[str, Any], error: ValidationError) -> str:
    if name in _MUST:
        return _MUST[name]
    if "enum" in setting:
        return f"be one of {', '.join(setting['enum'])}"
    if "minimum" in setting:
        return f"be a whole number from {setting['minimum']} to {setting['maximum']}"
    if error.validator == "type" and "type" in setting:
        kinds = [str(kind) for kind in setting.get("type", ()) if kind != "null"]
        return "be " + " or ".join(_A.get(kind, f"a {kind}") for kind in kinds)
    return "be of another form; see `tap-leads --about`"


def variable(setting: str) -> str:
    """The environment variable of a setting."""
    return f"TAP_LEADS_{setting.upper()}"


def check_environment(schema: Mapping[str, Any]) -> list[str]:
    """Says which variables hold no value of their setting's type.

    The SDK would end with a traceback that shows the value, or take a typing error for "false".
    """
    messages = []
    for name, setting in schema["properties"].items():
        text = os.environ.get(variable(name))
        kinds = setting.get("type", [])
        if text is None:
            continue
        if "integer" in kinds and not _is_integer(text):
            messages.append(f"Variable {variable(name)} must hold a whole number.")
        elif "boolean" in kinds and text.lower() not in _TRUTH:
            messages.append(f"Variable {variable(name)} must hold true or false.")
        elif "object" in kinds and not _is_object(text):
            messages.append(f"Variable {variable(name)} must hold a JSON object.")
    return messages


def _is_address(url: str) -> bool:
    """Whether the HTTP library could take it for one: ports, labels and the like."""
    try:
        requests.Request("GET", url).prepare()
        (urlsplit(url).hostname or "").encode("idna")
    except ValueError:
        return False
    return True


def check_file(path: str) -> None:
    """Reads a configuration file, as the SDK would end with a traceback on a wrong one.

    Raises:
        SettingsError: It is not there, or holds no JSON object.
    """
    try:
        wrong = not isinstance(json.loads(Path(path).read_text(encoding="utf-8")), dict)
    except OSError as error:
        raise SettingsError(
            f"The configuration file {path} cannot be read: {error.strerror}."
        ) from None
    except (ValueError, RecursionError):
        wrong = True
    if wrong:
        raise SettingsError(f"The configuration file {path} holds no JSON object.")


def _is_integer(text: str) -> bool:
    try:
        int(text)
    except ValueError:
        return False
    return True


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
