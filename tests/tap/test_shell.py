"""The tap works in every shell: streams, signals, files and variables as they come."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
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


def bash(script: str, folder: Path, *arguments: str | Path, **variables: str) -> Run:
    """Runs a script of bash in a folder, in which `tap` is the tap.

    The script may write its files `out` and `log`, which become the run's output and log.
    """
    tap = " ".join(command(*arguments))
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
def test_all_leads_come_without_a_log_or_an_input(
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
    """Such as the one with the leads that wait for the target."""
    arguments = ["bash", "-c", 'exec "$@" 2>&- <&-', "bash", *command()]
    with subprocess.Popen(
        arguments, env=environment(**settings_of(sandbox)), stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        links = {os.readlink(f"/proc/{process.pid}/fd/{number}") for number in (0, 2)}  # noqa: PTH115
        assert links == {os.devnull}
        process.stdout.read()


@pytest.mark.parametrize("arguments", ["", "--discover", "--about", "--help", "--version"])
@pytest.mark.parametrize(
    ("target", "reason"),
    [(">&-", "closed"), (">/dev/full", "No space left"), ("1</dev/null", "Bad file descriptor")],
    ids=["closed", "full", "read-only"],
)
def test_an_output_that_takes_nothing_is_said_in_one_line(
    sandbox: Sandbox, tmp_path: Path, arguments: str, target: str, reason: str
) -> None:
    run = bash(f"tap {arguments} 2>log {target}", tmp_path, **settings_of(sandbox))
    error = the_error(run)
    assert "Standard output" in error
    assert reason in error
    assert "Exception ignored" not in run.log


def test_a_slow_reader_of_a_non_blocking_pipe_gets_all_and_costs_nothing() -> None:
    """The tap waits in the kernel; it does not try again and again."""
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
        with os.fdopen(reading, "rb") as pipe:
            lines = [pipe.readline()]
            assert comes_to_rest(watched)
            lines += pipe.readlines()
        assert process.wait(TIME_LIMIT) == 0
        run = Run(0, b"".join(lines), "")
        assert run.ids == ids_of(sandbox)


def comes_to_rest(process: psutil.Process) -> bool:
    """Whether it uses next to no processor time within a second, once its start is over."""
    used = [sum(process.cpu_times()[:2])]
    for _ in range(30):
        time.sleep(1.0)
        used.append(sum(process.cpu_times()[:2]))
        if used[-1] - used[-2] < 0.05:
            return True
    return False


def test_a_socket_takes_the_output(sandbox: Sandbox) -> None:
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    with ours, theirs:
        process = subprocess.Popen(
            command(),
            env=environment(**settings_of(sandbox)),
            stdout=theirs.fileno(),
            stderr=subprocess.PIPE,
        )
        theirs.close()
        with ours.makefile("rb") as reader:
            output = reader.read()
        _, log = process.communicate(timeout=TIME_LIMIT)
    assert process.returncode == 0, log
    assert Run(0, output, "").ids == ids_of(sandbox)


def test_a_socket_whose_reader_is_gone_is_a_target_that_stopped(sandbox: Sandbox) -> None:
    ours, theirs = socket.socketpair()
    ours.close()
    with theirs:
        done = subprocess.run(
            command(),
            env=environment(**settings_of(sandbox)),
            stdout=theirs.fileno(),
            stderr=subprocess.PIPE,
            check=False,
            timeout=TIME_LIMIT,
        )
    assert "target stopped reading" in the_error(Run(done.returncode, b"", done.stderr.decode()))


def test_a_terminal_shows_the_records(sandbox: Sandbox) -> None:
    """Output and log on one terminal, as when the tap is tried by hand."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command(),
        env=environment(**settings_of(sandbox)),
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(theirs)
        output = b"".join(_until_closed(ours))
        assert process.stderr is not None
        log = process.stderr.read()
    assert process.returncode == 0, log
    assert Run(0, output, "").ids == ids_of(sandbox)


def _until_closed(terminal: int) -> Iterator[bytes]:
    try:
        while data := os.read(terminal, 65536):
            yield data
    except OSError:  # how Linux says that the terminal is closed
        return
    finally:
        os.close(terminal)


# Configuration files


@pytest.mark.parametrize(
    "given",
    [
        "--config <(cat config.json)",
        "--config /dev/stdin <config.json",
        "--config - <config.json",
        "--config /dev/stdin < <(cat config.json)",
        "--config pipe < <(cat config.json >pipe)",
        "--config <(printf '\\xef\\xbb\\xbf'; cat config.json)",
        "--config <(iconv -f utf-8 -t utf-16 config.json)",
        "--config first.json --config <(cat config.json)",
        "--config first.json --config ENV",
    ],
)
def test_a_configuration_may_come_in_any_way(
    workbench: Workbench, sandbox: Sandbox, given: str
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


@pytest.mark.parametrize(
    "inline",
    [
        '{"access_token": "hush"}',
        ' {"access_token":"hush"',
        "access_token: hush",
        '{"a":"hush' * 99,
    ],
)
@pytest.mark.parametrize("option", ["--discover", "--test", "--about"])
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


def in_folder(folder: Path, content: str | bytes, *arguments: str, **variables: str) -> Run:
    """Runs the tap in a folder with such a `.env`."""
    data = content if isinstance(content, bytes) else content.encode()
    (folder / ".env").write_bytes(data)
    return bash(
        "tap >out 2>log", folder, *arguments, **({"PYTHON_DOTENV_DISABLED": ""} | variables)
    )


def lines(variables: dict[str, str]) -> str:
    """The content of a `.env`."""
    return "".join(f'{name}="{value}"\n' for name, value in variables.items())


def test_settings_may_be_in_the_env_file_of_the_current_folder(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    run = in_folder(tmp_path, lines(settings_of(sandbox)))
    assert run.code == 0, run.log
    assert run.ids == ids_of(sandbox)
    assert any(str(tmp_path / ".env") in line for line in run.lines("INFO"))


def test_variables_override_the_env_file(sandbox: Sandbox, tmp_path: Path) -> None:
    wrong = {"TAP_LEADS_ACCESS_TOKEN": "hush", "TAP_LEADS_API_URL": "http://127.0.0.1:9"}
    run = in_folder(tmp_path, lines(wrong), **settings_of(sandbox))
    assert run.code == 0, run.log
    assert run.ids == ids_of(sandbox)


def test_a_wrong_value_in_the_env_file_is_said_like_any_other(tmp_path: Path) -> None:
    content = lines({"TAP_LEADS_ACCESS_TOKEN": "hush", "TAP_LEADS_MAX_RESTARTS": "thirty"})
    run = in_folder(tmp_path, content)
    assert the_error(run) == "Variable TAP_LEADS_MAX_RESTARTS must contain a whole number."
    assert "thirty" not in run.log


def test_an_env_file_that_is_no_text_is_said(tmp_path: Path) -> None:
    assert ".env" in the_error(in_folder(tmp_path, b"\xff\xfe\x00TAP_LEADS"))


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [(["--config", "config.json"], {}), ([], {"PYTHON_DOTENV_DISABLED": "1"})],
    ids=["with-a-configuration-file", "turned-off"],
)
def test_no_env_file_is_read(
    workbench: Workbench, sandbox: Sandbox, arguments: list[str], variables: dict[str, str]
) -> None:
    workbench.config(sandbox)
    extra = settings_of(sandbox) if not arguments else {}
    content = "TAP_LEADS_MAX_RESTARTS=thirty\n"
    run = in_folder(workbench.folder, content, *arguments, **extra, **variables)
    assert run.code == 0, run.log
    assert run.ids == ids_of(sandbox)


def test_no_folder_above_is_searched(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TAP_LEADS_MAX_RESTARTS=thirty\n")
    inner = tmp_path / "inner"
    inner.mkdir()
    variables = settings_of(sandbox) | {"PYTHON_DOTENV_DISABLED": ""}
    assert bash("tap >out 2>log", inner, **variables).code == 0


def test_the_command_of_the_sandbox_reads_no_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TAP_LEADS_MAX_RESTARTS=thirty\n")
    tap = " ".join(command())
    run = bash(
        f"{tap.replace('tap_leads', 'tap_leads.sandbox')} --leads 5 -- {tap} >out 2>log",
        tmp_path,
        PYTHON_DOTENV_DISABLED="",
    )
    assert run.code == 0, run.log
    assert len(run.records) == 5


@pytest.mark.parametrize("content", [None, {"access_token": ""}], ids=["variable", "file"])
def test_an_empty_token_is_a_missing_one(
    workbench: Workbench, content: dict[str, Any] | None
) -> None:
    """As in a copied `.env.example`; Meltano hands it on in the configuration file."""
    if content is None:
        run = run_tap(TAP_LEADS_ACCESS_TOKEN="")
    else:
        run = run_tap("--config", workbench.file("config.json", content))
    error = the_error(run)
    assert "'access_token' is missing" in error
    for place in ("TAP_LEADS_ACCESS_TOKEN", ".env", "configuration file", "Meltano"):
        assert place in error


@pytest.mark.parametrize("number", ["1.0", "1.1", "1.2", "1.3", "1.4"])
def test_a_version_without_quotes_is_a_version(
    workbench: Workbench, sandbox: Sandbox, number: str
) -> None:
    path = workbench.folder / "config.json"
    workbench.config(sandbox)
    path.write_text(path.read_text().replace("}", f', "api_version": {number}}}'))
    assert run_tap("--config", path, "--test").code == 0
    assert {headers["Intercom-Version"] for headers in sandbox.headers_seen} == {number}


# Signals and temporary files


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_was_ignored_stays_so(sandbox: Sandbox, number: signal.Signals) -> None:
    """As in the background of a script: Ctrl-C in the terminal is for others."""
    script = f'trap "" {number.name.removeprefix("SIG")}; exec "$@"'
    with subprocess.Popen(
        ["bash", "-c", script, "bash", *command()],
        env=environment(**settings_of(sandbox)),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(number)
        output = first + process.stdout.read()
    assert process.returncode == 0
    assert Run(0, output, "").ids == ids_of(sandbox)


def test_no_folder_for_temporary_files_is_said_in_one_line(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """As in a read-only container; here no file may have any content."""
    # What measures coverage could not write its file either.
    run = bash("unset ${!COVERAGE_*}; ulimit -f 0; tap", tmp_path, **settings_of(sandbox))
    assert "TMPDIR" in the_error(run)
    assert "STATE" not in run.kinds


def test_importing_the_package_changes_no_logger_and_no_signal_handler() -> None:
    script = """
import json, logging, signal
def seen():
    loggers = [logging.getLogger(name) for name in ("", "urllib3", "urllib3.connection",
               "urllib3.connectionpool", "singer_sdk.mapper", "tap-leads")]
    return ([(each.level, each.filters, [handler for handler in each.handlers
             if not isinstance(handler, logging.NullHandler)]) for each in loggers],
            [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)])
before = seen()
import tap_leads, tap_leads.tap
print(seen() == before)
"""
    done = subprocess.run(
        [*command()[:1], "-c", script], capture_output=True, check=True, text=True, timeout=60
    )
    assert done.stdout == "True\n"


def test_the_test_ends_with_what_works(workbench: Workbench, sandbox: Sandbox) -> None:
    run = workbench.sync(sandbox, "--test")
    assert run.code == 0, run.log
    assert run.lines("INFO")[-1] == (
        "The test succeeded: Intercom accepts the access token and the API version, and sends "
        "leads. No scroll was opened."
    )
    assert json.loads(run.output.splitlines()[1])["type"] == "RECORD"


def test_a_standard_error_of_the_programs_own_stays(sandbox: Sandbox, tmp_path: Path) -> None:
    """As in a notebook or a test: what the program has put there is no file."""
    script = """
import io, sys
sys.stderr = log = io.StringIO()
from tap_leads.tap import TapLeads
try:
    TapLeads.cli([])
finally:
    print(sys.stderr is log and "Completed: 250 leads" in log.getvalue(), file=sys.__stderr__)
"""
    (tmp_path / "script.py").write_text(script)
    done = subprocess.run(
        [*command()[:1], tmp_path / "script.py"],
        env=environment(**settings_of(sandbox)),
        capture_output=True,
        check=False,
        text=True,
        timeout=TIME_LIMIT,
    )
    assert (done.returncode, done.stderr) == (0, "True\n")
    assert Run(0, done.stdout.encode(), "").ids == ids_of(sandbox)


def test_an_error_that_nothing_foresees_says_where_and_not_what(tmp_path: Path) -> None:
    """Its text may hold a lead; the exit code is 1, and the lines of code help who repairs it."""
    script = """
from tap_leads.tap import TapLeads
class Broken(TapLeads):
    def discover_streams(self):
        raise KeyError("@".join(["jane", "example.com"]))
Broken.cli(["--discover"])
"""
    (tmp_path / "script.py").write_text(script)
    done = subprocess.run(
        [*command()[:1], tmp_path / "script.py"],
        env=environment(TAP_LEADS_ACCESS_TOKEN="any"),
        capture_output=True,
        check=False,
        text=True,
        timeout=TIME_LIMIT,
    )
    run = Run(done.returncode, done.stdout.encode(), done.stderr)
    assert (run.code, run.output) == (1, b"")
    assert run.lines("ERROR")[0].startswith("The sync failed with an unexpected KeyError.")
    assert "in discover_streams" in run.log
    assert "jane@example.com" not in run.log
