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
def test_a_workspace_whose_machine_is_lost_arrives_completely_through_the_other(
    executor: str,
) -> None:
    command = (sys.executable, "-m", "demo.airflow", f"--executor={executor}")
    printed = output(*command, seconds=900)
    [lost] = re.findall(r"Machine (\w+) is lost", printed)
    [other] = {"one", "two"} - {lost}
    [acme] = re.findall(r"tap-leads--acme +(.*?)  ", printed)
    tries = re.findall(r"(\d+): (\w+)", acme)
    assert len(tries) > 1
    assert {machine for _, machine in tries[:-1]} >= {lost}
    assert tries[-1][1] == other
    rows = re.findall(r"success +(\d+) +\w+ +(\d+) +yes", printed)
    assert rows == [("2500", "2500"), ("1200", "1200"), ("300", "300")]
