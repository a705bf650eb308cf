"""The tap works with the streams, files and variables that a shell gives it."""

from __future__ import annotations

import contextlib
import os
import pty
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from support.cases import cases
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
    tap = " ".join(command())
    done = subprocess.run(
        ["bash", "-c", f'tap() {{ {tap} "$@"; }}; {script}'],
        cwd=folder,
        env=environment(PYTHONPATH=os.getcwd(), **variables),  # noqa: PTH109
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=TIME_LIMIT,
    )
    out, log = folder / "out", folder / "log"
    output = out.read_bytes() if out.exists() else done.stdout
    return Run(done.returncode, output, log.read_text() if log.exists() else done.stderr.decode())


def the_error(run: Run) -> str:
    """The one line with which a run failed."""
    assert run.code == 1, run.log
    (error,) = run.lines("ERROR")
    assert "Traceback" not in run.log
    assert "  File " not in run.log
    return error


# Standard streams


@pytest.mark.parametrize(
    "closed",
    ["2>&-", "<&- 2>&-", "2>/dev/full", "<&- 2>log", "2> >(true)"],
    ids=["stderr", "stdin-and-stderr", "stderr-full", "stdin", "stderr-without-reader"],
)
def test_all_leads_are_sent_without_a_log_or_an_input(
    sandbox: Sandbox, tmp_path: Path, closed: str
) -> None:
    run = bash(f"tap >out {closed}", tmp_path, **settings_of(sandbox))
    assert run.code == 0
    assert run.ids == ids_of(sandbox)
    assert run.kinds[-1] == "STATE"


def test_a_failure_without_a_log_is_still_a_failure(tmp_path: Path) -> None:
    run = bash("tap >out 2>&-", tmp_path, TAP_LEADS_ACCESS_TOKEN="")
    assert run.code == 1
    assert run.output == b""


def test_no_file_takes_the_number_of_a_closed_stream(sandbox: Sandbox) -> None:
    """Otherwise, the log would be written into a file that the tap opens later."""
    arguments = ["bash", "-c", 'exec "$@" 2>&- <&-', "bash", *command()]
    with subprocess.Popen(
        arguments, env=environment(**settings_of(sandbox)), stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        links = {os.readlink(f"/proc/{process.pid}/fd/{number}") for number in (0, 2)}  # noqa: PTH115
        assert links == {os.devnull}
        process.stdout.read()


@cases(
    ("tap >&-", "closed"),
    ("tap --discover >&-", "closed"),
    ("tap 1</dev/null", "Bad file descriptor"),
    ("tap >/dev/full", "No space left"),
    ("tap --discover >/dev/full", "No space left"),
    ("tap --about >/dev/full", "No space left"),
    ("tap --help >/dev/full", "No space left"),
    ("tap --version >/dev/full", "No space left"),
)
def test_one_line_names_an_output_that_takes_nothing(
    call: str, reason: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    run = bash(f"{call} 2>log", tmp_path, **settings_of(sandbox))
    error = the_error(run)
    assert "Standard output" in error
    assert reason in error
    assert "Exception ignored" not in run.log


def read_into(writing: int, reading: int, sandbox: Sandbox) -> Run:
    """Runs a sync that writes to one end, and reads its output from the other."""
    with subprocess.Popen(
        command(),
        env=environment(**settings_of(sandbox)),
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        os.close(writing)
        output = b"".join(until_closed(reading))
        _, log = process.communicate(timeout=TIME_LIMIT)
    return Run(process.returncode, output, log)


def until_closed(reading: int) -> Iterator[bytes]:
    """Reads a file until its end, which is an error if it is a terminal."""
    with contextlib.suppress(OSError):
        while data := os.read(reading, 65536):
            yield data
    os.close(reading)


def test_a_slow_reader_of_a_non_blocking_pipe_gets_all_and_costs_nothing() -> None:
    """The tap waits in the kernel instead of trying again and again."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with Sandbox(leads=3000) as sandbox:
        process = subprocess.Popen(
            command(),
            env=environment(**settings_of(sandbox)),
            stdout=writing,
            stderr=subprocess.DEVNULL,
        )
        os.close(writing)
        watched = psutil.Process(process.pid)
        first = os.read(reading, 1)
        assert comes_to_rest(watched)
        output = first + b"".join(until_closed(reading))
        assert process.wait(TIME_LIMIT) == 0
        assert Run(0, output, "").ids == ids_of(sandbox)


def comes_to_rest(process: psutil.Process) -> bool:
    """Whether it uses almost no processor time for a second, after its start."""
    used = [sum(process.cpu_times()[:2])]
    for _ in range(30):
        time.sleep(1.0)
        used.append(sum(process.cpu_times()[:2]))
        if used[-1] - used[-2] < 0.05:
            return True
    return False


def non_blocking_socket() -> tuple[int, int]:
    reading, writing = socket.socketpair()
    writing.setblocking(False)
    return reading.detach(), writing.detach()


@cases(non_blocking_socket, pty.openpty)
def test_sockets_and_terminals_take_the_output(
    open_file: Callable[[], tuple[int, int]], sandbox: Sandbox
) -> None:
    reading, writing = open_file()
    run = read_into(writing, reading, sandbox)
    assert run.code == 0, run.log
    assert run.ids == ids_of(sandbox)


def test_a_socket_whose_reader_is_gone_is_a_target_that_stopped(sandbox: Sandbox) -> None:
    ours, theirs = socket.socketpair()
    ours.close()
    run = read_into(theirs.detach(), os.open(os.devnull, os.O_RDONLY), sandbox)
    assert "target stopped reading" in the_error(run)


# Configuration files


@cases(
    "--config <(cat config.json)",
    "--config /dev/stdin <config.json",
    "--config - <config.json",
    "--config /dev/stdin < <(cat config.json)",
    "--config pipe < <(cat config.json >pipe)",
    "--config <(printf '\\xef\\xbb\\xbf'; cat config.json)",
    "--config <(iconv -f utf-8 -t utf-16 config.json)",
    "--config first.json --config <(cat config.json)",
    "--config first.json --config ENV",
)
def test_a_configuration_may_come_in_any_way(
    given: str, workbench: Workbench, sandbox: Sandbox
) -> None:
    folder = workbench.folder
    workbench.config(sandbox, user_agent="ours/1")
    workbench.file("first.json", {"access_token": "wrong", "user_agent": "ours/1"})
    os.mkfifo(folder / "pipe")
    variables = settings_of(sandbox) if "ENV" in given else {}
    run = bash(f"tap {given} >out 2>log", folder, **variables)
    assert run.code == 0, run.log
    assert run.ids == ids_of(sandbox)
    assert {headers["User-Agent"] for headers in sandbox.headers_seen} == {"ours/1"}


@cases(
    ('{"access_token": "hush"}', "--discover"),
    (' {"access_token":"hush"', "--test"),
    ("access_token: hush", "--about"),
    ('{"a":"hush' * 99, "--test=schema"),
)
def test_settings_on_the_command_line_are_refused_and_not_repeated(
    inline: str, option: str
) -> None:
    run = run_tap("--config", inline, option)
    assert "--config takes the name of a file" in the_error(run)
    assert "hush" not in run.log


def test_a_catalog_may_have_a_byte_order_mark(workbench: Workbench, sandbox: Sandbox) -> None:
    run = bash(
        "tap --discover >catalog.json 2>log && "
        "tap --catalog <(printf '\\xef\\xbb\\xbf'; cat catalog.json) >out 2>log",
        workbench.folder,
        **settings_of(sandbox),
    )
    assert run.code == 0, run.log
    assert run.ids == ids_of(sandbox)


# `.env`


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, in which a file `.env` is read."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sync_here(*arguments: str, **variables: str) -> Run:
    """Runs the tap in the current folder with `.env` turned on."""
    return run_tap(*arguments, **{"PYTHON_DOTENV_DISABLED": ""} | variables)


WRONG_ENV = "TAP_LEADS_MAX_RESTARTS=thirty\n"


def test_settings_may_be_in_the_env_file_of_the_current_folder(
    sandbox: Sandbox, folder: Path
) -> None:
    lines = [f'{name}="{value}"\n' for name, value in settings_of(sandbox).items()]
    (folder / ".env").write_text("".join(lines))
    run = sync_here()
    assert run.code == 0, run.log
    assert run.ids == ids_of(sandbox)
    assert any(str(folder / ".env") in line for line in run.lines("INFO"))


def test_variables_override_the_env_file(sandbox: Sandbox, folder: Path) -> None:
    (folder / ".env").write_text(
        "TAP_LEADS_ACCESS_TOKEN=hush\nTAP_LEADS_API_URL=http://127.0.0.1:9"
    )
    run = sync_here(**settings_of(sandbox))
    assert run.code == 0, run.log
    assert run.ids == ids_of(sandbox)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (WRONG_ENV.encode(), "Variable TAP_LEADS_MAX_RESTARTS must contain a whole number."),
        (b"\xff\xfe\x00TAP_LEADS", "The file .env cannot be read (UnicodeDecodeError)."),
    ],
    ids=["wrong-value", "no-text"],
)
def test_a_wrong_env_file_is_an_error(folder: Path, content: bytes, message: str) -> None:
    (folder / ".env").write_bytes(content)
    run = sync_here(TAP_LEADS_ACCESS_TOKEN="hush")
    assert the_error(run) == message
    assert "thirty" not in run.log


@cases("config-file", "turned-off", "folder-above")
def test_no_env_file_is_read(
    why: str, workbench: Workbench, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = workbench.folder / "inner"
    inner.mkdir()
    monkeypatch.chdir(inner)
    place = workbench.folder if why == "folder-above" else inner
    (place / ".env").write_text(WRONG_ENV)
    if why == "config-file":
        run = sync_here("--config", str(workbench.config(sandbox)))
    else:
        disabled = "1" if why == "turned-off" else ""
        run = sync_here(**settings_of(sandbox), PYTHON_DOTENV_DISABLED=disabled)
    assert run.code == 0, run.log
    assert run.ids == ids_of(sandbox)


def test_the_command_of_the_sandbox_reads_no_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(WRONG_ENV)
    tap = " ".join(command())
    run = bash(
        f"{tap.replace('tap_leads', 'tap_leads.sandbox')} --leads 5 -- {tap} >out 2>log",
        tmp_path,
        PYTHON_DOTENV_DISABLED="",
    )
    assert run.code == 0, run.log
    assert len(run.records) == 5


# Temporary files


def test_one_line_names_a_missing_folder_for_temporary_files(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """As in a read-only container. Here, `ulimit` forbids files with content."""
    # What measures coverage could not write its file either.
    run = bash("unset ${!COVERAGE_*}; ulimit -f 0; tap", tmp_path, **settings_of(sandbox))
    assert "TMPDIR" in the_error(run)
    assert "STATE" not in run.kinds
