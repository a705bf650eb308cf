"""The texts of `tap-leads --about` and `--help`."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from singer_sdk.about import AboutInfo, TextFormatter
from typing_extensions import override

from tap_leads.singer.settings import variable

HELP = """Reads every lead of an Intercom workspace through the Scroll API, and writes Singer
messages to standard output. The exit code is 0 only if all leads were written.

Without --config, the settings come from TAP_LEADS_… environment variables and from the file .env of
the current folder. --about lists them.

To try it without an Intercom workspace, run it against the sandbox, a simulated Intercom:

  python -m tap_leads.sandbox -- tap-leads
"""

TEST_HELP = """Check the access token, both permissions and the API version: ask Intercom for some
leads and counts. No scroll is opened, so the test never disturbs a sync. --test=schema writes the
schema, and sends no request."""


class _Text(TextFormatter, format_name="text"):
    """Replaces the SDK's text, which has no descriptions and no defaults."""

    @override
    def format_about(self, about_info: AboutInfo) -> str:
        text = super().format_about(replace(about_info, settings={}))
        return text + "\n".join(_lines(about_info.settings))


def _lines(schema: Mapping[str, Any]) -> Iterator[str]:
    for name, setting in schema["properties"].items():
        words = [next(kind for kind in setting["type"] if kind != "null")]
        if name in schema["required"]:
            words.append("required")
        if "default" in setting:
            default = setting["default"]
            words.append(f"default {default if isinstance(default, str) else json.dumps(default)}")
        yield f"  {name} ({', '.join(words)}), {variable(name)}"
        yield textwrap.indent(textwrap.fill(setting.get("description", ""), 76), " " * 6)
