"""The tap works with the streams, files and variables that a shell gives it."""

from __future__ import annotations

import os
import pty
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
from support.cases import cases
from support.tap import TIME_LIMIT, Run, Workbench, command, environment, result, run_tap

from tap_leads.sandbox import Sandbox

TAP = " ".join(command())


def settings_of(sandbox: Sandbox) -> dict[str, str]:
    """The variables that point the tap at a sandbox."""
    return {"TAP_LEADS_ACCESS_TOKEN": sandbox.token, "TAP_LEADS_API_URL": sandbox.url}


def bash(script: str, folder: Path, sandbox: Sandbox | None = None, **variables: str) -> Run:
    """Runs a script of bash in a folder; `tap` is the tap, with the settings of the sandbox."""
    settings = settings_of(sandbox) if sandbox else {}
    with subprocess.Popen(
        ["bash", "-c", f'tap() {{ {TAP} "$@"; }}; {script}'],
        cwd=folder,
        env=environment(PYTHONPATH=os.getcwd(), **settings, **variables),  # noqa: PTH109
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            return result(process)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)  # the script, and what it has started
            raise


# Standard streams


@cases(closed="<&- 2>&-", full="2>/dev/full", without_reader="2> >(true)")
def test_a_sync_needs_no_input_and_no_log(log: str, leads_250: Sandbox, tmp_path: Path) -> None:
    assert bash(f"tap {log}", tmp_path, leads_250).complete(leads_250).kinds[-1] == "STATE"


def test_no_file_takes_the_number_of_a_closed_stream(leads_250: Sandbox) -> None:
    """Otherwise, the log would be written into a file that the tap opens later."""
    with subprocess.Popen(
        ["bash", "-c", 'exec "$@" 2>&- <&-', "bash", *command()],
        env=environment(**settings_of(leads_250)),
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        links = {os.readlink(f"/proc/{process.pid}/fd/{number}") for number in (0, 2)}  # noqa: PTH115
        assert links == {os.devnull}
        process.stdout.read()


@cases(
    ("tap >&-", "closed"),
    ("tap 1</dev/null", "Bad file descriptor"),
    ("tap >/dev/full", "No space left"),
    ("tap --discover >/dev/full", "No space left"),
    ("tap --help >/dev/full", "No space left"),
)
def test_one_line_names_an_output_that_takes_nothing(
    call: str, reason: str, leads_250: Sandbox, tmp_path: Path
) -> None:
    run = bash(f"{call}", tmp_path, leads_250)
    assert re.search(f"Standard output.*{reason}", run.error)
    assert "Exception ignored" not in run.log


def comes_to_rest(process: psutil.Process) -> bool:
    """Whether it uses almost no processor time for a while, after its start."""
    before = 0.0
    for _ in range(100):
        time.sleep(0.3)
        used = sum(process.cpu_times()[:2])
        if used - before < 0.02:
            return True
        before = used
    return False


@cases(
    pipe=(os.pipe, False),
    socket=(lambda: [end.detach() for end in socket.socketpair()], False),
    terminal=(pty.openpty, True),
)
def test_a_slow_reader_gets_all_and_costs_nothing(
    open_file: Callable[[], tuple[int, int]], blocking: bool, leads_250: Sandbox
) -> None:
    """The tap waits in the kernel instead of trying again and again."""
    reading, writing = open_file()
    os.set_blocking(writing, blocking)
    with subprocess.Popen(
        command(), env=environment(**settings_of(leads_250)), stdout=writing, stderr=subprocess.PIPE
    ) as process:
        os.close(writing)
        output = os.read(reading, 1)
        assert comes_to_rest(psutil.Process(process.pid))
        with suppress(OSError):  # which is how a terminal ends
            while data := os.read(reading, 65536):
                output += data
        os.close(reading)
        _, log = process.communicate(timeout=TIME_LIMIT)
    Run(process.returncode, output, log.decode()).complete(leads_250)


# Configuration files


@cases(
    "--config - <config.json",
    "--config /dev/stdin < <(cat config.json)",
    "--config <(iconv -f utf-8 -t utf-16 config.json)",
    "--config first.json --config <(cat config.json)",
    "--config first.json --config ENV",
)
def test_a_configuration_may_come(given: str, workbench: Workbench, leads_250: Sandbox) -> None:
    workbench.config(leads_250, user_agent="ours/1")
    workbench.file("first.json", {"access_token": "wrong", "user_agent": "ours/1"})
    sandbox = leads_250 if "ENV" in given else None
    bash(f"tap {given}", workbench.folder, sandbox).complete(leads_250)
    assert leads_250.headers_seen[-1]["User-Agent"] == "ours/1"


@cases(
    short=('{"access_token": "hush"}', "--discover"),
    too_long_for_a_name=('{"a":"hush' * 99, "--test=schema"),
)
def test_settings_on_the_command_line_are_not_repeated(inline: str, option: str) -> None:
    assert "--config takes the name of a file" in run_tap("--config", inline, option).refusal


def test_a_catalog_may_have_a_byte_order_mark(tmp_path: Path, leads_250: Sandbox) -> None:
    script = "tap --discover >c && tap --catalog <(printf '\\xef\\xbb\\xbf'; cat c)"
    bash(script, tmp_path, leads_250).complete(leads_250)


# `.env`

WRONG_ENV = "TAP_LEADS_MAX_RESTARTS=hush\n"
ENV_FILE_ON = {"PYTHON_DOTENV_DISABLED": ""}


def test_settings_may_be_in_an_env_file(leads_250: Sandbox, tmp_path: Path) -> None:
    """In the current folder only."""
    lines = [f'{name}="{value}"\n' for name, value in settings_of(leads_250).items()]
    (tmp_path / ".env").write_text("".join(lines))
    run = bash("tap", tmp_path, None, **ENV_FILE_ON).complete(leads_250)
    assert any(str(tmp_path / ".env") in line for line in run.lines("INFO"))


def test_a_wrong_env_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(WRONG_ENV)
    error = bash("tap", tmp_path, None, TAP_LEADS_ACCESS_TOKEN="any", **ENV_FILE_ON).error
    assert error == "Variable TAP_LEADS_MAX_RESTARTS must contain a whole number."


@cases(
    with_a_configuration_file="tap --config config.json",
    turned_off="PYTHON_DOTENV_DISABLED=1 tap",
    in_the_folder_above="mkdir inner && cd inner && tap",
    by_the_command_of_the_sandbox=f"{TAP}.sandbox --quiet --leads 250 -- {TAP}",
)
def test_no_env_file_is_read(call: str, workbench: Workbench, leads_250: Sandbox) -> None:
    (workbench.folder / ".env").write_text(WRONG_ENV)
    workbench.config(leads_250)
    sandbox = None if "--config" in call else leads_250
    bash(call, workbench.folder, sandbox, **ENV_FILE_ON).complete(leads_250)


# Signals and limits of the shell


def test_signals_that_were_ignored_stay_ignored(leads_250: Sandbox, tmp_path: Path) -> None:
    """As under nohup, and in the background of a script: Ctrl-C in the terminal is for others."""
    signals = "kill -HUP 0; kill -INT 0; kill -TERM 0"  # to all processes of the script
    reader = f'{{ read -r first; {signals}; printf "%s\\n" "$first"; cat; }}'
    script = f'trap "" HUP INT TERM; set -o pipefail; tap | {reader}'  # a pipe is too small for all
    bash(script, tmp_path, leads_250).complete(leads_250)


def test_one_line_names_a_missing_temporary_folder(leads_250: Sandbox, tmp_path: Path) -> None:
    """As in a read-only container. Here, `ulimit` forbids files with content."""
    # What measures coverage could not write its file either.
    run = bash("unset ${!COVERAGE_*}; ulimit -f 0; tap", tmp_path, leads_250)
    assert "TMPDIR" in run.error


def test_a_large_body_does_not_fill_the_memory(tmp_path: Path) -> None:
    """A gzip body of less than a megabyte unpacks to 800 MB; 64 MiB of it are read."""
    with Sandbox(leads=250, idle_limit=1.0, faults=["bomb@2:800"]) as sandbox:
        run = bash("ulimit -d 400000; tap", tmp_path, sandbox, TAP_LEADS_SCROLL_EXPIRY="1")
    assert "too large for a page" in run.complete(sandbox).log
