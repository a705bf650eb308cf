"""The Hub's entry, meltano.yml and the README describe the tap as the tap describes itself."""

from __future__ import annotations

import json
import os
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from singer_sdk.helpers.capabilities import TapCapabilities
from support.cases import cases
from support.programs import BIN, output
from support.tap import ids_of

from demo.meltano import ROOT, environment, tap_settings
from docs.generate.settings_page import default_of, page, schema
from tap_leads.sandbox import Sandbox
from tap_leads.stream import ContactsStream
from tap_leads.tap import TapLeads

YAML_FILE = YAML(typ="safe")
ENTRY = YAML_FILE.load(ROOT / "hub/tap-leads.yml")
[IN_PROJECT] = YAML_FILE.load(ROOT / "meltano.yml")["plugins"]["extractors"]
# Runs commands of Meltano one after the other, each forked, because its imports take long.
MELTANO = f"""
import os, shlex, sys
from meltano.cli import main
for line in sys.argv[1:]:
    if not os.fork():
        sys.argv = ["meltano", "--env-file={os.devnull}", *shlex.split(line)]
        sys.exit(main())
    if os.wait()[1]:
        sys.exit(line)
"""


def settings() -> Iterator[dict[str, Any]]:
    """Each setting as Meltano describes it; for an option, only its value."""
    for name, setting in schema()["properties"].items():
        options = {"options": setting["enum"]} if "enum" in setting else {}
        kind = {"kind": "options" if options else setting["type"][0]}
        secret = {"sensitive": True} if setting.get("secret") else {}
        value = {"value": setting["default"]} if "default" in setting else {}
        if name == "user_agent":  # its default has the version, which a definition does not know
            value = {"placeholder": default_of(setting)}
        told = {"name": name, "label": setting["title"], "description": setting["description"]}
        yield told | kind | options | secret | value


@cases(hub=ENTRY, meltano_yml=IN_PROJECT)
def test_a_definition_has_the_settings_of_the_config_schema(definition: dict[str, Any]) -> None:
    """Names, order, labels, kinds, texts, defaults, choices and secrets."""
    assert [
        setting | {"options": [option["value"] for option in setting["options"]]}
        if "options" in setting
        else setting
        for setting in definition["settings"]
    ] == list(settings())


@cases(hub=ENTRY, meltano_yml=IN_PROJECT)
def test_a_definition_says_what_the_tap_can_do(definition: dict[str, Any]) -> None:
    # `test` is the SDK's option --test, which every tap has.
    capabilities = {*TapLeads.capabilities, TapCapabilities.TEST}
    assert definition["capabilities"] == sorted(str(each) for each in capabilities)
    assert definition["settings_group_validation"] == [schema()["required"]]
    assert definition["select"] == [f"{ContactsStream.name}.*"]


def test_the_hub_and_the_project_define_the_same_tap() -> None:
    """Only the package differs: the Hub's is the released one, the project's is the checkout."""
    assert ENTRY | IN_PROJECT | {"pip_url": ENTRY["pip_url"]} == ENTRY


def test_the_hub_tells_what_the_package_tells() -> None:
    package = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    classified = "\n".join(package["classifiers"])
    assert ENTRY["pip_url"] == f"git+{ENTRY['repo']}"  # until the package index has the tap
    assert (ENTRY["variant"], ENTRY["repo"]) == (package["name"], package["urls"]["Repository"])
    assert ENTRY["executable"] in package["scripts"]
    assert ENTRY["supported_python_versions"] == re.findall(r":: (\d\.\d+)", classified)


def test_the_readme_says_of_a_setting_what_the_settings_page_says() -> None:
    """The README's table has the settings that most people set, required ones first."""
    readme = (ROOT / "README.md").read_text()
    rows = re.findall(r"^\| `[a-z_]+` \| [a-z]+ \| .* \|$", readme, re.MULTILINE)
    assert rows[0].startswith("| `access_token` |")
    assert set(rows) <= set(page().splitlines())


def test_the_project_files_fit_meltanos_schema() -> None:
    """The schema is that of the hook `check-meltano` of check-jsonschema."""
    files = ("meltano.yml", "orchestrate/workspaces.meltano.yml")
    output(BIN / "check-jsonschema", "--builtin-schema", "vendor.meltano", *files)


def test_a_new_project_adds_the_tap_without_any_hub_and_selects_fields(tmp_path: Path) -> None:
    """The operators' page says how to leave out fields, and these and no others are left out.

    YAML makes a number of an API version without quotes, which would be wrong for a setting with
    choices. The package is the checkout's, in place of the repository's.
    """
    operators = (ROOT / "docs/operators.md").read_text()
    selections = re.findall(r"^meltano (select .*)", operators, re.MULTILINE)
    package = f"{ROOT} --constraint {ROOT / 'requirements/plugins.txt'}"
    YAML().dump(ENTRY | {"pip_url": package}, tmp_path / "tap-leads.yml")
    own = [{"name": "tap-leads", "config": {"api_version": 1.3}}]
    environments = [{"name": "dev", "config": {"plugins": {"extractors": own}}}]
    YAML().dump({"environments": environments}, tmp_path / "meltano.yml")
    env = {
        "MELTANO_ENVIRONMENT": "dev",
        "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
        "MELTANO_HUB_URL": "http://127.0.0.1:9",  # nothing listens
        "MELTANO_CLI_DISABLE_VERSION_CHECK": "1",
        "XDG_STATE_HOME": str(tmp_path),
        "UV_CACHE_DIR": str(ROOT / ".cache/uv"),
    }
    with Sandbox(leads=100, faults=["types@*"]) as sandbox:
        commands = ("add tap-leads --from-ref tap-leads.yml", *selections, "config test tap-leads")
        program = (sys.executable, "-c", MELTANO, *commands, "invoke tap-leads")
        written = output(*program, cwd=tmp_path, env=environment() | env | tap_settings(sandbox))
        lines = [line for line in written.splitlines() if line.startswith('{"type":"RECORD"')]
        records = [json.loads(line)["record"] for line in lines]
        assert [record["id"] for record in records] == ids_of(sandbox)
        assert {headers["Intercom-Version"] for headers in sandbox.headers_seen} == {"1.3"}
    fields = set().union(*records)
    assert {"id", "companies", "custom_attributes", "additional_fields"} <= fields
    assert not fields & {"email", "phone"}
