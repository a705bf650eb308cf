"""A slow target does not let the scroll expire, and costs disk instead of memory."""

from __future__ import annotations

import json
import subprocess
import time

import psutil
from support.tap import Workbench, command, environment, ids_of

from tap_leads.sandbox import Sandbox

IDLE_LIMIT = 1.0


def test_a_target_that_sleeps_four_idle_limits_gets_every_lead_of_one_scroll(
    workbench: Workbench,
) -> None:
    with Sandbox(leads=20_000, idle_limit=IDLE_LIMIT) as sandbox:
        with subprocess.Popen(
            command("--config", workbench.config(sandbox)),
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as tap:
            assert tap.stdout is not None
            first = tap.stdout.readline()
            peak = 0
            awake = time.monotonic() + 4 * IDLE_LIMIT  # the promise is about time itself
            while time.monotonic() < awake:
                peak = max(peak, psutil.Process(tap.pid).memory_info().rss)
                time.sleep(0.05)
            messages = [json.loads(line) for line in [first, *tap.stdout]]
        records = [message["record"] for message in messages if message["type"] == "RECORD"]
        assert tap.returncode == 0
        assert [record["id"] for record in records] == ids_of(sandbox)
        assert sandbox.workspace.scrolls_opened == 1
        assert sandbox.workspace.longest_idle < IDLE_LIMIT / 2
        assert peak < 100e6
