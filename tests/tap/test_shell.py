"""The tap works with the streams, files and variables that a shell gives it."""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from support.cases import cases
from support.runs import the_error
from support.tap import TIME_LIMIT, Run, Workbench, command, environment, ids_of, run_tap

from tap_leads.sandbox import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox of 250 leads of the test's own."""
    with Sandbox(leads=250, idle_limit=1.0) as sandbox:
        yield sandbox


def settings_of(sandbox: Sandbox) -> dict[str, str]:
    """The variables that point the tap at a sandbox."""
    return {
        "TAP_LEADS_ACCESS_TOKEN": sandbox.token,
        "TAP_LEADS_API_URL": sandbox.url,
        "TAP_LEADS_SCROLL_EXPIRY": "1",
    }


def bash(script: str, folder: Path, **variables: str) -> Run:
    """Runs a script of bash in a folder, in which `tap` is the tap.

    The script may write its files `out` and `log`, which become the run's output and log.
    """
    with subprocess.Popen(
        ["bash", "-c", f'tap() {{ {" ".join(command())} "$@"; }}; {script}'],
        cwd=folder,
        env=environment(PYTHONPATH=os.getcwd(), **variables),  # noqa: PTH109
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            output, log = process.communicate(timeout=TIME_LIMIT)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)  # the script, and what it has started
            raise
    if (folder / "out").exists():
        output = (folder / "out").read_bytes()
    if (folder / "log").exists():
        log = (folder / "log").read_bytes()
    return Run(process.returncode, output, log.decode())


# Standard streams


@cases(
    no_stdin_and_no_stderr="<&- 2>&-",
    stderr_full="2>/dev/full",
    stderr_without_reader="2> >(true)",
)
def test_all_leads_are_sent_without_a_log_or_an_input(
    closed: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    run = bash(f"tap >out {closed}", tmp_path, **settings_of(sandbox))
    assert (run.code, run.ids, run.kinds[-1]) == (0, ids_of(sandbox), "STATE")


def test_a_failure_without_a_log_is_still_a_failure(tmp_path: Path) -> None:
    run = bash("tap >out 2>&-", tmp_path, TAP_LEADS_ACCESS_TOKEN="")
    assert (run.code, run.output) == (1, b"")


def test_no_file_takes_the_number_of_a_closed_stream(sandbox: Sandbox) -> None:
    """Otherwise, the log would be written into a file that the tap opens later."""
    with subprocess.Popen(
        ["bash", "-c", 'exec "$@" 2>&- <&-', "bash", *command()],
        env=environment(**settings_of(sandbox)),
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
    call: str, reason: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    run = bash(f"{call} 2>log", tmp_path, **settings_of(sandbox))
    error = the_error(run)
    assert "Standard output" in error
    assert reason in error
    assert "Exception ignored" not in run.log


def non_blocking_pipe() -> tuple[int, int]:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    return reading, writing


def non_blocking_socket() -> tuple[int, int]:
    reading, writing = socket.socketpair()
    writing.setblocking(False)
    return reading.detach(), writing.detach()


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


@cases(non_blocking_pipe, non_blocking_socket, pty.openpty)
def test_a_slow_reader_gets_all_and_costs_nothing(
    open_file: Callable[[], tuple[int, int]], sandbox: Sandbox
) -> None:
    """The tap waits in the kernel instead of trying again and again."""
    reading, writing = open_file()
    with subprocess.Popen(
        command(), env=environment(**settings_of(sandbox)), stdout=writing, stderr=subprocess.PIPE
    ) as process:
        os.close(writing)
        output = os.read(reading, 1)
        assert comes_to_rest(psutil.Process(process.pid))
        with suppress(OSError):  # which is how a terminal ends
            while data := os.read(reading, 65536):
                output += data
        os.close(reading)
        _, log = process.communicate(timeout=TIME_LIMIT)
    assert process.returncode == 0, log
    assert Run(0, output, "").ids == ids_of(sandbox)


# Configuration files


@cases(
    "--config - <config.json",
    "--config /dev/stdin < <(cat config.json)",
    "--config <(iconv -f utf-8 -t utf-16 config.json)",
    "--config first.json --config <(cat config.json)",
    "--config first.json --config ENV",
)
def test_a_configuration_may_come_in_any_way(
    given: str, workbench: Workbench, sandbox: Sandbox
) -> None:
    workbench.config(sandbox, user_agent="ours/1")
    workbench.file("first.json", {"access_token": "wrong", "user_agent": "ours/1"})
    variables = settings_of(sandbox) if "ENV" in given else {}
    run = bash(f"tap {given} >out 2>log", workbench.folder, **variables)
    assert (run.code, run.ids) == (0, ids_of(sandbox)), run.log
    assert {headers["User-Agent"] for headers in sandbox.headers_seen} == {"ours/1"}


@cases(
    short=('{"access_token": "hush"}', "--discover"),
    too_long_for_a_name=('{"a":"hush' * 99, "--test=schema"),
)
def test_settings_on_the_command_line_are_refused_and_not_repeated(
    inline: str, option: str
) -> None:
    error = the_error(run_tap("--config", inline, option))
    assert "--config takes the name of a file" in error


def test_a_catalog_may_have_a_byte_order_mark(workbench: Workbench, sandbox: Sandbox) -> None:
    run = bash(
        "tap --discover >catalog.json 2>log && "
        "tap --catalog <(printf '\\xef\\xbb\\xbf'; cat catalog.json) >out 2>log",
        workbench.folder,
        **settings_of(sandbox),
    )
    assert (run.code, run.ids) == (0, ids_of(sandbox)), run.log


# `.env`

WRONG_ENV = "TAP_LEADS_MAX_RESTARTS=hush\n"


def sync_in(folder: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str, **given: str) -> Run:
    """Runs the tap in a folder, with `.env` turned on."""
    monkeypatch.chdir(folder)
    return run_tap(*arguments, **{"PYTHON_DOTENV_DISABLED": ""} | given)


def test_settings_may_be_in_the_env_file_of_the_current_folder(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f'{name}="{value}"\n' for name, value in settings_of(sandbox).items()]
    (tmp_path / ".env").write_text("".join(lines))
    run = sync_in(tmp_path, monkeypatch)
    assert (run.code, run.ids) == (0, ids_of(sandbox)), run.log
    assert any(str(tmp_path / ".env") in line for line in run.lines("INFO"))


def test_a_wrong_env_file_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text(WRONG_ENV)
    run = sync_in(tmp_path, monkeypatch, TAP_LEADS_ACCESS_TOKEN="any")
    assert the_error(run) == "Variable TAP_LEADS_MAX_RESTARTS must contain a whole number."


@cases("config-file", "turned-off", "folder-above")
def test_no_env_file_is_read(
    why: str, workbench: Workbench, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = workbench.folder / "inner"
    inner.mkdir()
    place = workbench.folder if why == "folder-above" else inner
    (place / ".env").write_text(WRONG_ENV)
    arguments = ["--config", str(workbench.config(sandbox))] if why == "config-file" else []
    given = {} if arguments else settings_of(sandbox)
    if why == "turned-off":
        given["PYTHON_DOTENV_DISABLED"] = "1"
    run = sync_in(inner, monkeypatch, *arguments, **given)
    assert (run.code, run.ids) == (0, ids_of(sandbox)), run.log


def test_the_command_of_the_sandbox_reads_no_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(WRONG_ENV)
    tap = " ".join(command())
    run = bash(
        f"{tap.replace('tap_leads', 'tap_leads.sandbox')} --leads 5 -- {tap} >out 2>log",
        tmp_path,
        PYTHON_DOTENV_DISABLED="",
    )
    assert (run.code, len(run.records)) == (0, 5), run.log


# Limits of the shell


def test_one_line_names_a_missing_folder_for_temporary_files(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """As in a read-only container. Here, `ulimit` forbids files with content."""
    # What measures coverage could not write its file either.
    run = bash("unset ${!COVERAGE_*}; ulimit -f 0; tap", tmp_path, **settings_of(sandbox))
    assert "TMPDIR" in the_error(run)
    assert "STATE" not in run.kinds


def test_a_large_body_does_not_fill_the_memory(tmp_path: Path) -> None:
    """A gzip body of less than a megabyte unpacks to 800 MB; 64 MiB of it are read."""
    with Sandbox(leads=250, idle_limit=1.0, faults=["bomb@2:800"]) as sandbox:
        run = bash("ulimit -d 400000; tap", tmp_path, **settings_of(sandbox))
    assert (run.code, run.ids) == (0, ids_of(sandbox)), run.log
    assert "too large for a page" in run.log
