"""With typed attributes, a sync has the types of the workspace, or it fails."""

from __future__ import annotations

import json

from support.cases import cases
from support.runs import the_error
from support.tap import Workbench, ids_of, run_tap

from tap_leads.sandbox import Sandbox


@cases("429@1:0", "503@1", "lost@1", "hang@1", "cut@1")
def test_a_failed_request_for_the_definitions_is_repeated(fault: str, workbench: Workbench) -> None:
    with Sandbox(leads=5, faults=[f"data_attributes/{fault}"]) as sandbox:
        run = workbench.sync(sandbox, typed_custom_attributes=True, request_timeout=1)
    assert (run.code, run.ids) == (0, ids_of(sandbox))
    attributes = run.messages[0]["schema"]["properties"]["custom_attributes"]
    assert attributes["properties"]["team_size"]["type"] == ["integer", "null"]


@cases("1.3", "1.4")
def test_the_catalog_has_the_types_of_each_version(version: str, workbench: Workbench) -> None:
    """Versions before 1.4 have the definitions elsewhere."""
    with Sandbox(leads=5) as sandbox:
        run = workbench.sync(
            sandbox, "--discover", typed_custom_attributes=True, api_version=version
        )
    (entry,) = json.loads(run.output)["streams"]
    attributes = entry["schema"]["properties"]["custom_attributes"]["properties"]
    assert attributes["team_size"]["type"] == ["integer", "null"]


@cases(
    ("nojson@*", "was not definitions of attributes"),
    ('body@*:{"data_attributes":[1]}', "are not as documented"),
    ("503@*", "'scroll_wait_timeout' allows 1 s"),
    ("429@*", "'scroll_wait_timeout' allows 1 s"),
    ("403@*", "does not let this access token read attributes"),
    ("404@*", "did not find the attributes"),
)
def test_without_definitions_nothing_is_sent(fault: str, words: str, workbench: Workbench) -> None:
    with Sandbox(leads=5, faults=[f"data_attributes/{fault}"]) as sandbox:
        run = workbench.sync(sandbox, typed_custom_attributes=True, scroll_wait_timeout=1)
    assert words in the_error(run)
    assert run.output == b""


def test_discovery_without_a_token_says_that_the_types_need_one(workbench: Workbench) -> None:
    config = workbench.file("config.json", {"typed_custom_attributes": True})
    run = run_tap("--discover", "--config", config)
    assert "'access_token' is missing" in the_error(run)
    assert run.output == b""
