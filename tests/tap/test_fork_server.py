"""A run of the tap that a test starts never outlives the test."""

from __future__ import annotations

import sys
from contextlib import suppress

import psutil
from support.programs import finish
from support.tap import Workbench, environment

from tap_leads.sandbox import Sandbox

PARENT = """
import os, signal, sys
from support.tap import start_tap
tap = start_tap("--config", sys.argv[1])
tap.stderr.readline()
print(tap.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_run_ends_with_the_process_of_its_test_however_that_ends(workbench: Workbench) -> None:
    with Sandbox(leads=5, faults=["hang@1"]) as sandbox:
        config = workbench.config(sandbox)
        env = environment(PYTHONPATH=":".join(sys.path))
        parent = finish(sys.executable, "-c", PARENT, config, env=env)
        with suppress(psutil.NoSuchProcess):
            psutil.Process(int(parent.stdout)).wait(timeout=30)
    assert parent.returncode == -9
