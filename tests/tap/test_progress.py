"""A sync reports its progress, and how many leads Intercom counts."""

from __future__ import annotations

import logging
import os
import pty
import re
import subprocess
import termios
import threading
from typing import Any, cast

import pytest
from support.tap import Workbench, command, environment

from tap_leads.sandbox import Sandbox
from tap_leads.singer.progress import Progress


class SomeReader:
    """A reader that has read some pages."""

    elapsed = 0.5

    def __init__(self) -> None:
        self.counted: int | None = 1000
        self.asked = threading.Event()

    @property
    def waiting(self) -> int:
        self.asked.set()
        return 7


def test_a_line_of_the_log_tells_leads_rate_and_pages(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    reader = SomeReader()
    progress = Progress(cast("Any", reader), logging.getLogger("test"), interval=0.01)
    progress.sent = 250
    with progress:
        assert reader.asked.wait(5)
    line = "250 leads (25% of 1000) sent in 0 s, 500 a second; 7 pages wait for the target."
    assert caplog.messages[0] == line


def test_the_log_names_the_count_of_intercom(workbench: Workbench, leads_250: Sandbox) -> None:
    assert "Intercom counts 250 leads." in workbench.sync(leads_250).lines("INFO")


def test_on_a_terminal_a_live_line_tells_share_and_time_left(workbench: Workbench) -> None:
    with Sandbox(leads=3_000, latency=0.08, rate_limit=10_000) as sandbox:
        master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (40, 110))
        with subprocess.Popen(
            command("--config", workbench.config(sandbox)),
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=slave,
        ) as tap:
            os.close(slave)
            seen = read_all(master)
        assert tap.returncode == 0
    assert re.search(r"%\|.*/3000 \[\d\d:\d\d<\d\d:\d\d, .*pages wait for the target", seen)
    # No line of the log begins behind the live line.
    assert not re.search(r"\][^\r\n]*\d{4}-\d\d-\d\d [^\r\n]* \| INFO", seen)


def read_all(terminal: int) -> str:
    """What was written to a terminal until the writer closed it."""
    parts = []
    try:
        while part := os.read(terminal, 65536):
            parts.append(part)
    except OSError:  # how Linux reports the end
        pass
    os.close(terminal)
    return b"".join(parts).decode(errors="replace")
