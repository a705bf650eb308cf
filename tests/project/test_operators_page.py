"""docs/operators.md says what the programs do; tests/tap/test_faults.py tries its tables."""

from __future__ import annotations

import json
import logging
import re

import pytest
import yaml
from support.tap import Workbench, run_tap

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
