"""What the Hub's entry, meltano.yml and the README say of the tap is what the tap itself says."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from singer_sdk.helpers.capabilities import TapCapabilities
from support.tap import environment, ids_of

from demo.meltano import ROOT, tap_settings
from docs.generate.settings_page import default_of, page, schema
from tap_leads.sandbox import Sandbox
from tap_leads.stream import ContactsStream
from tap_leads.tap import TapLeads

ENTRY = ROOT / "hub/tap-leads.yml"
README = (ROOT / "README.md").read_text()
TIME_LIMIT = 120.0


def read(path: Path) -> Any:
    """What a YAML file holds."""
    return YAML(typ="safe").load(path)


def definitions() -> list[Any]:
    """The Hub's entry and the project's own definition of the tap."""
    [in_project] = read(ROOT / "meltano.yml")["plugins"]["extractors"]
    return [
        pytest.param(read(ENTRY), id="hub/tap-leads.yml"),
        pytest.param(in_project, id="meltano.yml"),
    ]


def settings() -> Iterator[dict[str, Any]]:
    """Each setting as Meltano describes it; of an option, its value alone."""
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
        if name == "user_agent":  # a definition outlives a version
            told["placeholder"] = default_of(setting)
        elif "default" in setting:
            told["value"] = setting["default"]
        yield told


@pytest.mark.parametrize("definition", definitions())
def test_a_definition_has_the_settings_of_the_config_schema(definition: dict[str, Any]) -> None:
    """Names, order, labels, kinds, texts, defaults, choices and which is a secret."""
    told = copy.deepcopy(definition["settings"])
    for setting in told:
        if "options" in setting:
            setting["options"] = [option["value"] for option in setting["options"]]
    assert told == list(settings())


@pytest.mark.parametrize("definition", definitions())
def test_a_definition_says_what_the_tap_can_do(definition: dict[str, Any]) -> None:
    # `test` is the SDK's option --test, which every tap has.
    capabilities = {*TapLeads.capabilities, TapCapabilities.TEST}
    assert definition["capabilities"] == sorted(str(each) for each in capabilities)
    assert definition["settings_group_validation"] == [schema()["required"]]
    assert definition["select"] == [f"{ContactsStream.name}.*"]


def test_the_hub_and_the_project_define_the_same_tap() -> None:
    """But for the package: the Hub's is the released one, the project's is the checkout."""
    entry, in_project = (parameter.values[0] for parameter in definitions())
    del in_project["pip_url"]
    assert {name: entry[name] for name in in_project} == in_project


def test_the_hub_tells_what_the_package_tells() -> None:
    package = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    entry = read(ENTRY)
    prefix = "Programming Language :: Python :: "
    classified = [text.removeprefix(prefix) for text in package["classifiers"] if prefix in text]
    assert entry["pip_url"] == f"git+{entry['repo']}"  # until the package index has the tap
    assert entry["variant"] == package["name"]
    assert entry["executable"] in package["scripts"]
    assert entry["supported_python_versions"] == [text for text in classified if text[-1].isdigit()]
    assert entry["repo"] == package["urls"]["Repository"]


def test_the_readme_says_of_a_setting_what_the_settings_page_says() -> None:
    """The README's table has the settings that most people set, required ones first."""
    rows = re.findall(r"^\| `[a-z_]+` \| [a-z]+ \| .* \|$", README, re.MULTILINE)
    settings_page = page().splitlines()
    assert rows
    assert [row for row in rows if row not in settings_page] == []
    assert rows[0].startswith("| `access_token` |")


def test_meltano_adds_the_tap_from_the_entry_without_any_hub(tmp_path: Path) -> None:
    """To a project that holds nothing yet; then the tap runs as installed there."""
    # The checkout takes the place of the repository.
    package = f"{ROOT} --constraint {ROOT / 'requirements/plugins.txt'}"
    entry = tmp_path / "tap-leads.yml"
    YAML().dump(read(ENTRY) | {"pip_url": package}, entry)
    project = tmp_path / "project"
    project.mkdir()
    (project / "meltano.yml").write_text("send_anonymous_usage_stats: false\n")

    meltano(project, "add", "tap-leads", "--from-ref", str(entry))
    with Sandbox(leads=250) as sandbox:
        output = meltano(project, "invoke", "tap-leads", **tap_settings(sandbox))
        messages = [json.loads(line) for line in output.splitlines()]
        ids = [message["record"]["id"] for message in messages if message["type"] == "RECORD"]
        assert sorted(ids) == sorted(ids_of(sandbox))


def meltano(project: Path, *arguments: str, **settings: str) -> str:
    """Runs Meltano, which succeeds, in a project of its own; what it wrote."""
    inherited = environment(XDG_STATE_HOME=str(project), UV_CACHE_DIR=str(ROOT / ".cache/uv"))
    env = {name: value for name, value in inherited.items() if not name.startswith("MELTANO_")}
    env["MELTANO_HUB_URL"] = "http://127.0.0.1:9"  # nothing listens
    env["MELTANO_CLI_DISABLE_VERSION_CHECK"] = "1"
    done = subprocess.run(
        [Path(sys.executable).with_name("meltano"), f"--env-file={os.devnull}", *arguments],
        cwd=project,
        env=env | settings,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIME_LIMIT,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
