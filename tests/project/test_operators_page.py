"""docs/operators.md says what the programs do; tests/tap/test_faults.py tries its tables."""

from __future__ import annotations

import json
import logging
import re
import shlex
from pathlib import Path

import pytest
import yaml
from support.tap import Workbench, run_tap

from demo import meltano
from demo.meltano import ROOT
from tap_leads.errors import TapLeadsError
from tap_leads.sandbox import Sandbox
from tap_leads.scroll.limits import Limits, Pauses
from tap_leads.scroll.outcomes import Outcome
from tap_leads.scroll.reactions import Kind
from tap_leads.singer.settings import SETTINGS

PAGE = (ROOT / "docs/operators.md").read_text()


def test_a_failure_is_reported_within_the_time_that_the_page_derives() -> None:
    """Each pause has its longest duration, and each request takes until its time limit."""
    defaults = {name: setting.get("default") for name, setting in SETTINGS["properties"].items()}
    pauses: list[float] = []
    broken = Outcome(Kind.UNCLEAR, "no response came")
    limits = Pauses(
        Limits(**{name: defaults[name] for name in Limits.__dataclass_fields__}),
        logging.getLogger("test"),
        sleep=pauses.append,
        jitter=lambda _, highest: highest,
    )
    for _ in range(defaults["max_restarts"]):
        limits.restart(broken, opening=False)
    with pytest.raises(TapLeadsError):
        limits.restart(broken, opening=False)
    requests = (len(pauses) + 1) * 2 * defaults["request_timeout"]
    total = sum(pauses) + requests
    waiting = defaults["scroll_wait_timeout"]
    text = " ".join(PAGE.split())
    for words in (
        "five pauses before restarts, of 60, 90, 135, 203 and 304 seconds",
        f"at most {sum(pauses):.0f} seconds",
        f"Six requests that break take at most {2 * defaults['request_timeout']} seconds each",
        f"which are {requests}.",
        f"Together that is {total:.0f} seconds.",
        f"Waiting without progress can add {waiting}.",
        f"| a scroll that breaks each time | {total / 60:.0f} minutes |",
        f"| both: waits and restarts | {(total + waiting) / 60:.0f} minutes |",
        f"{waiting / 60:.0f} minutes (`scroll_wait_timeout`)",
    ):
        assert words in text
    assert [round(pause / 1.1 + 0.01) for pause in pauses] == [60, 90, 135, 203, 304]


def test_the_configuration_for_json_makes_each_line_of_the_log_json(workbench: Workbench) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert yaml.safe_load(block)["version"] == 1
    file = workbench.folder / "logging.yml"
    file.write_text(block)
    with Sandbox(leads=250) as sandbox:
        run = run_tap("--config", workbench.config(sandbox), SINGER_SDK_LOG_CONFIG=str(file))
    assert run.code == 0
    assert "Completed: 250 leads" in "".join(
        json.loads(line)["message"] for line in run.log.splitlines()
    )


def test_under_meltano_the_exit_code_is_1_and_the_last_line_is_not_the_taps(tmp_path: Path) -> None:
    with Sandbox(leads=250, faults=["401@1"]) as sandbox:
        env = meltano.tap_settings(sandbox) | {"TARGET_JSONL_DESTINATION_PATH": str(tmp_path)}
        run = meltano.run("run", "tap-leads", "target-jsonl", folder=tmp_path, env=env)
    assert run.returncode == 1
    *before, last = run.stdout.splitlines()
    assert "Run completed" in last
    assert any("Intercom refused the access token (HTTP 401, unauthorized)." in s for s in before)


def test_the_commands_that_leave_out_fields_leave_out_these_and_no_others(tmp_path: Path) -> None:
    """In a project whose plugin has no `select`, like one that `meltano add` made."""
    lines = re.findall(r"^meltano select .*", PAGE, re.MULTILINE)
    commands = [shlex.split(line)[1:] for line in lines]
    excluded = {command[3] for command in commands if "--exclude" in command}
    assert excluded == {"email", "phone"}
    project = yaml.safe_load((ROOT / "meltano.yml").read_text())
    del project["include_paths"], project["plugins"]["extractors"][0]["select"]
    (tmp_path / "project").mkdir()
    (tmp_path / "project/meltano.yml").write_text(yaml.safe_dump(project))
    with Sandbox(leads=100, faults=["types@*"]) as sandbox:
        env = meltano.tap_settings(sandbox)
        for command in (*commands, ["invoke", "tap-leads"]):
            run = meltano.run(*command, folder=tmp_path, env=env, cwd=tmp_path / "project")
            assert run.returncode == 0, run.stdout
    lines = [line for line in run.stdout.splitlines() if line.startswith('{"type":"RECORD"')]
    records = [json.loads(line)["record"] for line in lines]
    assert len(records) == 100
    fields = set().union(*records)
    assert {"id", "companies", "custom_attributes", "additional_fields"} <= fields
    assert not fields & excluded
