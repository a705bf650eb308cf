"""The Hub's entry, meltano.yml and the README describe the tap as the tap describes itself."""

from __future__ import annotations

import copy
import json
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from singer_sdk.helpers.capabilities import TapCapabilities
from support.programs import BIN, output
from support.tap import environment, ids_of

from demo.meltano import ROOT, tap_settings
from docs.generate.settings_page import default_of, page, schema
from tap_leads.sandbox import Sandbox
from tap_leads.stream import ContactsStream
from tap_leads.tap import TapLeads


def read(path: str) -> Any:
    """The content of a YAML file."""
    return YAML(typ="safe").load(ROOT / path)


ENTRY = read("hub/tap-leads.yml")
[IN_PROJECT] = read("meltano.yml")["plugins"]["extractors"]
README = (ROOT / "README.md").read_text()

each_definition = pytest.mark.parametrize(
    "definition", [ENTRY, IN_PROJECT], ids=["hub/tap-leads.yml", "meltano.yml"]
)


def settings() -> Iterator[dict[str, Any]]:
    """Each setting as Meltano describes it; for an option, only its value."""
    for name, setting in schema()["properties"].items():
        told = {
            "name": name,
            "label": setting["title"],
            "description": setting["description"],
            "kind": "options" if "enum" in setting else setting["type"][0],
        }
        if "enum" in setting:
            told["options"] = setting["enum"]
        if setting.get("secret"):
            told["sensitive"] = True
        if name == "user_agent":  # its default has the version, which a definition does not know
            told["placeholder"] = default_of(setting)
        elif "default" in setting:
            told["value"] = setting["default"]
        yield told


@each_definition
def test_a_definition_has_the_settings_of_the_config_schema(definition: dict[str, Any]) -> None:
    """Names, order, labels, kinds, texts, defaults, choices and secrets."""
    told = copy.deepcopy(definition["settings"])
    for setting in told:
        if "options" in setting:
            setting["options"] = [option["value"] for option in setting["options"]]
    assert told == list(settings())


@each_definition
def test_a_definition_says_what_the_tap_can_do(definition: dict[str, Any]) -> None:
    # `test` is the SDK's option --test, which every tap has.
    capabilities = {*TapLeads.capabilities, TapCapabilities.TEST}
    assert definition["capabilities"] == sorted(str(each) for each in capabilities)
    assert definition["settings_group_validation"] == [schema()["required"]]
    assert definition["select"] == [f"{ContactsStream.name}.*"]


def test_the_hub_and_the_project_define_the_same_tap() -> None:
    """Only the package differs: the Hub's is the released one, the project's is the checkout."""
    in_project = {name: value for name, value in IN_PROJECT.items() if name != "pip_url"}
    assert {name: ENTRY[name] for name in in_project} == in_project


def test_the_hub_tells_what_the_package_tells() -> None:
    package = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    prefix = "Programming Language :: Python :: "
    classified = [text.removeprefix(prefix) for text in package["classifiers"] if prefix in text]
    assert ENTRY["pip_url"] == f"git+{ENTRY['repo']}"  # until the package index has the tap
    assert ENTRY["variant"] == package["name"]
    assert ENTRY["executable"] in package["scripts"]
    assert ENTRY["supported_python_versions"] == [text for text in classified if text[-1].isdigit()]
    assert ENTRY["repo"] == package["urls"]["Repository"]


def test_the_readme_says_of_a_setting_what_the_settings_page_says() -> None:
    """The README's table has the settings that most people set, required ones first."""
    rows = re.findall(r"^\| `[a-z_]+` \| [a-z]+ \| .* \|$", README, re.MULTILINE)
    settings_page = page().splitlines()
    assert rows
    assert [row for row in rows if row not in settings_page] == []
    assert rows[0].startswith("| `access_token` |")


def test_meltano_adds_the_tap_from_the_entry_without_any_hub(tmp_path: Path) -> None:
    """To an empty project. The package is the checkout's, in place of the repository's."""
    package = f"{ROOT} --constraint {ROOT / 'requirements/plugins.txt'}"
    entry = tmp_path / "tap-leads.yml"
    YAML().dump(ENTRY | {"pip_url": package}, entry)
    project = tmp_path / "project"
    project.mkdir()
    (project / "meltano.yml").write_text("send_anonymous_usage_stats: false\n")
    own = {
        "MELTANO_HUB_URL": "http://127.0.0.1:9",  # nothing listens
        "MELTANO_CLI_DISABLE_VERSION_CHECK": "1",
        "XDG_STATE_HOME": str(project),
        "UV_CACHE_DIR": str(ROOT / ".cache/uv"),
    }
    inherited = {k: v for k, v in environment().items() if not k.startswith("MELTANO_")}
    with Sandbox(leads=250) as sandbox:
        env = inherited | own | tap_settings(sandbox)
        meltano = (BIN / "meltano", f"--env-file={os.devnull}")
        output(*meltano, "add", "tap-leads", "--from-ref", entry, cwd=project, env=env)
        written = output(*meltano, "invoke", "tap-leads", cwd=project, env=env)
        messages = [json.loads(line) for line in written.splitlines()]
        ids = [message["record"]["id"] for message in messages if message["type"] == "RECORD"]
        assert sorted(ids) == sorted(ids_of(sandbox))
