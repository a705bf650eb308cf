"""The demo loses one of two machines midway, with each executor that it knows."""

from __future__ import annotations

import re
import sys

import pytest
from support.cases import cases
from support.programs import output


@pytest.mark.timeout(960)
@pytest.mark.machines
@cases("edge", "celery")
def test_a_workspace_whose_machine_is_lost_arrives_completely_from_the_other(executor: str) -> None:
    printed = output(sys.executable, "-m", "demo.airflow", f"--executor={executor}", timeout=900)
    [lost] = re.findall(r"Machine (\w+) is lost", printed)
    [acme] = re.findall(r"tap-leads--acme +(.*?)  ", printed)
    *before, last = re.findall(r"\d+: (\w+)", acme)
    assert lost in before
    assert {lost, last} == {"one", "two"}
    rows = re.findall(r"success +(\d+) +\w+ +(\d+) +yes", printed)
    assert rows == [("2500", "2500"), ("1200", "1200"), ("300", "300")]
