"""The log says how far a sync is, and why it fails, whatever its configuration."""

from __future__ import annotations

import logging
import os
import pty
import re
import subprocess
import termios
from contextlib import suppress
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any

import pytest
from support.cases import cases
from support.tap import Workbench, command, environment, run_tap

from tap_leads.sandbox import Sandbox
from tap_leads.singer.logs import report_error, set_up, valid_level
from tap_leads.singer.progress import Progress
from tap_leads.tap import TapLeads

FILE = "SINGER_SDK_LOG_CONFIG"
CONSOLE = {"version": 1, "handlers": {"console": {"class": "logging.StreamHandler"}}}


@cases(
    existing_loggers_are_off=CONSOLE | {"root": {"handlers": ["console"]}},
    nothing_is_configured={"version": 1},
    level_is_too_high={"version": 1, "root": {"level": "CRITICAL"}},
    no_handler=CONSOLE | {"loggers": {"tap-leads": {"propagate": False}}},
)
def test_the_cause_of_a_failure_is_always_written(given: object, workbench: Workbench) -> None:
    file = workbench.file("logging.yaml", given)
    run = run_tap(**{FILE: str(file)})
    assert run.code == 1
    assert run.log.count("Setting 'access_token' is missing.") == 1


@cases("", "CRITICAL", "45", "warning", " info ")
def test_any_level_lets_the_cause_of_a_failure_through(level: str) -> None:
    run = run_tap(LOGLEVEL=level)
    assert run.error
    assert bool(run.lines("INFO")) is (level.strip() in {"", "info"})


def test_a_quiet_log_is_empty_after_a_good_run(workbench: Workbench, leads_250: Sandbox) -> None:
    run = workbench.sync(leads_250, environment={"LOGLEVEL": "WARNING"})
    assert (run.code, run.log) == (0, "")


@cases(
    unknown_level=("LOGLEVEL", "notice", ["LOGLEVEL 'notice' is not a level of the log; INFO is."]),
    missing_file=(FILE, "{}/missing.yaml", ["not found: {}/missing.yaml"]),
    wrong_file=(FILE, "{}/wrong.yaml", ["{}/wrong.yaml.* is not a valid logging configuration"]),
    no_file=(FILE, "", []),
)
def test_a_wrong_variable_is_named_and_ignored(
    variable: str, value: str, warnings: list[str], workbench: Workbench
) -> None:
    workbench.file("wrong.yaml", {"version": 7})
    run = run_tap(**{variable: value.format(workbench.folder)})
    for warning, line in zip(warnings, run.lines("WARNING"), strict=True):
        assert re.search(warning.format(workbench.folder), line)
    assert run.error


@cases(("10", False), ("trace", True))
def test_the_level_does_not_stop_a_program_in_python(
    level: str, warned: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = "singer_sdk.metrics"
    caplog.set_level(logging.getLogger(metrics).level, metrics)  # put back after the test
    monkeypatch.setenv("LOGLEVEL", level)
    TapLeads(config={"access_token": "any"})
    assert ("LOGLEVEL 'trace'" in caplog.text) is warned


@cases(("0", "DEBUG"), ("15", "INFO"), ("30", "WARNING"), ("99", "CRITICAL"))
def test_a_number_is_a_level(text: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAP_LEADS_LOGLEVEL", text)
    with valid_level() as unknown:
        levels = logging.getLevelNamesMapping()
        assert levels[os.environ["TAP_LEADS_LOGLEVEL"]] == levels[name]
        assert unknown is None


def test_an_error_of_the_sdk_without_a_configuration_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        set_up(lambda: 1 / 0, logging.getLogger("test"))


def test_a_handler_that_takes_nothing_does_not_count(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.Logger("test")  # noqa: LOG001 - with no other handlers
    logger.addHandler(logging.NullHandler())
    report_error(logger, "The cause is %s", "this")
    assert capsys.readouterr().err == "The cause is this\n"


# Progress


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
