"""The texts of `tap-leads --about` and `--help`."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from singer_sdk.about import AboutFormatter, AboutInfo
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

ABOUT_FORMAT = "tap-leads"
"""The format of `--about` without `--format`. The SDK's own leaves out the descriptions."""


class _Text(AboutFormatter, format_name=ABOUT_FORMAT):
    @override
    def format_about(self, about_info: AboutInfo) -> str:
        return "\n".join(_lines(about_info))


def _lines(info: AboutInfo) -> Iterator[str]:
    yield f"{info.name} {info.version} (Meltano SDK {info.sdk_version})"
    yield info.description or ""
    yield ""
    yield f"Python: {', '.join(info.supported_python_versions or [])}"
    yield from textwrap.wrap(
        f"Capabilities: {', '.join(str(each) for each in info.capabilities)}",
        width=80,
        break_on_hyphens=False,
    )
    yield ""
    yield "Settings, with their environment variables:"
    for name, setting in info.settings["properties"].items():
        yield ""
        yield f"{name} ({_kind(name, setting, info.settings)}), {variable(name)}"
        yield from textwrap.wrap(
            setting.get("description", ""), 76, initial_indent="    ", subsequent_indent="    "
        )


def _kind(name: str, setting: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    kinds = setting["type"] if isinstance(setting["type"], list) else [setting["type"]]
    words = [next(kind for kind in kinds if kind != "null")]
    if name in schema["required"]:
        words.append("required")
    if "default" in setting:
        default = setting["default"]
        words.append(f"default {default if isinstance(default, str) else json.dumps(default)}")
    return ", ".join(words)
