"""A slow target does not let the scroll expire, and needs disk in place of memory."""

from __future__ import annotations

import time

import psutil
from support.tap import Run, Workbench, ids_of, start_tap

from tap_leads.sandbox import Sandbox

IDLE_LIMIT = 2.0


def test_a_target_that_sleeps_longer_than_the_idle_limit_gets_every_lead_of_one_scroll(
    workbench: Workbench,
) -> None:
    with (
        Sandbox(leads=20_000, idle_limit=IDLE_LIMIT) as sandbox,
        start_tap("--config", workbench.config(sandbox)) as tap,
    ):
        first = tap.stdout.readline()
        peak = 0
        awake = time.monotonic() + 2 * IDLE_LIMIT  # the promise is about time itself
        while time.monotonic() < awake:
            peak = max(peak, psutil.Process(tap.pid).memory_info().rss)
            time.sleep(0.05)
        output, log = tap.communicate(timeout=60)
    run = Run(tap.wait(0), first + output, log.decode())
    assert run.code == 0, run.log
    assert run.ids == ids_of(sandbox)
    assert sandbox.workspace.scrolls_opened == 1
    assert peak < 100e6
