"""With typed attributes, a sync has the types of the workspace, or it fails."""

from __future__ import annotations

from support.cases import cases
from support.tap import Run, Workbench, ids_of, run_tap

from tap_leads.sandbox import Sandbox


def sync(workbench: Workbench, *faults: str, wait: int = 2) -> tuple[Run, list[str]]:
    """A sync with typed attributes; and the ids that the sandbox has."""
    with Sandbox(leads=250, faults=faults) as sandbox:
        run = workbench.sync(
            sandbox, typed_custom_attributes=True, scroll_wait_timeout=wait, request_timeout=1
        )
        return run, ids_of(sandbox)


@cases("429@1:0", "503@1", "lost@1", "reset@1", "hang@1", "cut@1", "status@1:500")
def test_a_failed_request_for_the_definitions_is_repeated(fault: str, workbench: Workbench) -> None:
    run, ids = sync(workbench, f"data_attributes/{fault}", wait=20)
    assert run.code == 0, run.log
    assert run.ids == ids
    attributes = run.messages[0]["schema"]["properties"]["custom_attributes"]
    assert attributes["properties"]["team_size"]["type"] == ["integer", "null"]


def test_versions_before_1_4_have_the_definitions_elsewhere(workbench: Workbench) -> None:
    with Sandbox(leads=5) as sandbox:
        run = workbench.sync(sandbox, typed_custom_attributes=True, api_version="1.3")
    assert run.code == 0, run.log
    assert "team_size" in run.messages[0]["schema"]["properties"]["custom_attributes"]["properties"]


@cases(
    not_json=("nojson@*", "was not definitions of attributes"),
    malformed=('body@*:{"data_attributes":[1]}', "are not as documented"),
    **{
        "503": ("503@*", "'scroll_wait_timeout' allows 2 s"),
        "429": ("429@*", "'scroll_wait_timeout' allows 2 s"),
        "403": ("403@*", "does not let this access token read attributes"),
        "404": ("404@*", "did not find the attributes"),
    },
)
def test_without_the_definitions_nothing_is_sent(
    fault: str, words: str, workbench: Workbench
) -> None:
    run, _ = sync(workbench, f"data_attributes/{fault}")
    assert run.code == 1
    assert run.output == b""
    (error,) = run.lines("ERROR")
    assert words in error
    assert "Traceback" not in run.log


def test_discovery_without_a_token_says_that_the_types_need_one(workbench: Workbench) -> None:
    config = workbench.file("config.json", {"typed_custom_attributes": True})
    run = run_tap("--discover", "--config", config)
    assert (run.code, run.output) == (1, b"")
    (error,) = run.lines("ERROR")
    assert "'access_token' is missing" in error
    assert "Traceback" not in run.log
