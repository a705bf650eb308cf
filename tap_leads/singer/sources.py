"""Where the settings come from: files, environment variables, and the file `.env`."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from dotenv import load_dotenv

from tap_leads.singer.settings import SettingsError, variable

_LOGGER = logging.getLogger("tap-leads")
_INLINE = re.compile(r'[{"\n]|access_token')
"""Matches a value of --config that is not a file name but the settings themselves."""


def read_file(path: str) -> dict[str, Any]:
    """Reads a configuration file.

    It is read once, so pipes work too: `--config <(…)`, a FIFO, `-` or `/dev/stdin`. The encoding
    is UTF-8 or UTF-16; `json` finds out which.

    Raises:
        SettingsError: The file cannot be read, or contains no JSON object.
    """
    if _INLINE.search(path) and not os.path.lexists(path):
        raise SettingsError(
            "--config takes the name of a file, not the settings themselves: other users of this "
            "machine could read them in the list of processes. Write them to a file, or use "
            "TAP_LEADS_… environment variables."
        )
    try:
        # /dev/stdin cannot be opened if it is a socket.
        with click.open_file("-" if path == "/dev/stdin" else path, "rb") as file:
            return _object(file.read())
    except OSError as error:
        raise SettingsError(
            f"The configuration file {path} cannot be read: {error.strerror}."
        ) from None
    except (ValueError, RecursionError):
        raise SettingsError(f"The configuration file {path} contains no JSON object.") from None


def read_environment(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Reads the settings that environment variables contain, then those in `.env`.

    As in Meltano and other tools, the file `.env` of the current folder gives values to variables
    that are not set. PYTHON_DOTENV_DISABLED=1 turns this off.

    Args:
        schema: The JSON Schema of all settings.

    Raises:
        SettingsError: Variables do not have the types of their settings.
    """
    path = Path(".env").absolute()
    try:
        if load_dotenv(path):
            _LOGGER.info("Read %s; variables that were set already override it.", path)
    except (OSError, ValueError) as error:
        raise SettingsError(f"The file .env cannot be read ({type(error).__name__}).") from None
    settings, messages = {}, []
    for name, setting in schema["properties"].items():
        if (text := os.environ.get(variable(name))) is None:
            continue
        parse, form = next(
            (_PARSERS[kind] for kind in setting["type"] if kind in _PARSERS), (str, "text")
        )
        try:
            settings[name] = parse(text)
        except (ValueError, LookupError, RecursionError):
            messages.append(f"Variable {variable(name)} must contain {form}.")
    if messages:
        raise SettingsError(" ".join(messages))
    known = {*map(variable, (*schema["properties"], "loglevel"))}
    for name in sorted(os.environ.keys() - known):
        # Meltano's own variables about the tap have two underscores: TAP_LEADS__SELECT.
        if name.startswith(variable("")) and not name.startswith(variable("_")):
            _LOGGER.warning("Variable '%s' is not known, and is ignored.", name)
    return settings


def _object(text: str | bytes) -> dict[str, Any]:
    value = json.loads(text, parse_float=Decimal)
    if not isinstance(value, dict):
        raise ValueError  # noqa: TRY004 - like any other text that is no JSON object
    return value


_BOOLEANS = dict.fromkeys(("true", "1", "yes", "on"), True) | dict.fromkeys(
    ("false", "0", "no", "off"), False
)
_PARSERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "integer": (int, "a whole number"),
    "boolean": (lambda text: _BOOLEANS[text.lower()], "true or false"),
    "object": (_object, "a JSON object"),
}
