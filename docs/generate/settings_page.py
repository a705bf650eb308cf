"""docs/settings.md, from the settings of the tap."""

import copy
import json
from typing import Any

from tap_leads import __version__
from tap_leads.singer.settings import SETTINGS
from tap_leads.tap import TapLeads

HEAD = """\
# Settings

Written by `make docs` from `tap_leads/singer/settings.py`.

You can set each setting in three ways:

- With Meltano: `meltano config set tap-leads SETTING VALUE`. Meltano 3 needs another order:
  `meltano config tap-leads set SETTING VALUE`.
- In a configuration file: `{"SETTING": value}`.
- In an environment variable: `TAP_LEADS_` and the name in capitals, as in `TAP_LEADS_REGION`.

| Setting | Type | Default | Description |
|---|---|---|---|
"""


def schema() -> dict[str, Any]:
    """The JSON Schema of all settings that can have an effect, the SDK's included."""
    schema = copy.deepcopy(SETTINGS)
    TapLeads.append_builtin_config(schema)
    del schema["properties"]["faker_config"]  # the tap does not install Faker
    return schema


def default_of(setting: dict[str, Any]) -> str:
    """A setting's default in words."""
    value = setting["default"]
    text = value if isinstance(value, str) else json.dumps(value)
    return text.replace(__version__, "<version>")


def row(name: str, setting: dict[str, Any], *, required: bool = False) -> str:
    """A setting as a row of a Markdown table."""
    default = f"`{default_of(setting)}`" if "default" in setting else ""
    default = "(required)" if required else default
    return f"| `{name}` | {setting['type'][0]} | {default} | {setting['description']} |\n"


def page() -> str:
    """The page."""
    described = schema()
    return HEAD + "".join(
        row(name, setting, required=name in described["required"])
        for name, setting in described["properties"].items()
    )
