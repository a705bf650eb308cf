"""A sync reports its progress, and how many leads Intercom counts."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import termios
from contextlib import suppress
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any

from support.tap import Workbench, command, environment

from tap_leads.sandbox import Sandbox
from tap_leads.singer.progress import Progress


def test_a_line_of_the_log_tells_leads_rate_and_pages() -> None:
    lines: SimpleQueue[str] = SimpleQueue()
    logger: Any = SimpleNamespace(info=lambda text, *values: lines.put(text % values))
    reader: Any = SimpleNamespace(elapsed=0.5, counted=1000, waiting=7)
    progress = Progress(reader, logger, interval=0.01)
    progress.sent = 250
    with progress:
        assert lines.get(timeout=60) == (
            "250 leads (25% of 1000) sent in 0 s, 500 a second; 7 pages wait for the target."
        )


def test_the_log_names_the_count_of_intercom(workbench: Workbench, leads_250: Sandbox) -> None:
    assert "Intercom counts 250 leads." in workbench.sync(leads_250).lines("INFO")


def test_on_a_terminal_a_live_line_tells_share_and_time_left(workbench: Workbench) -> None:
    seen = b""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (40, 110))
    with (
        Sandbox(leads=2_000, latency=0.08, rate_limit=10_000) as sandbox,
        subprocess.Popen(
            command("--config", workbench.config(sandbox)),
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=slave,
        ) as tap,
    ):
        os.close(slave)
        with suppress(OSError):  # how Linux reports the end
            while part := os.read(master, 65536):
                seen += part
        os.close(master)
    assert tap.returncode == 0
    assert re.search(rb"%\|.*/2000 \[\d\d:\d\d<\d\d:\d\d, .*pages wait for the target", seen)
    # No line of the log begins behind the live line.
    assert not re.search(rb"\][^\r\n]*\d{4}-\d\d-\d\d [^\r\n]* \| INFO", seen)
