"""The tap ends honestly, at once, and leaves nothing behind."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest
from support.tap import Run, Workbench, command, environment

from tap_leads.sandbox import Sandbox

# Where the tap can be when it is told to end: what goes wrong in the sandbox, and how the test
# knows that the tap has come there.
Arrived = Callable[[Sandbox], bool]


def requests_came(number: int) -> Arrived:
    return lambda sandbox: len(sandbox.workspace.history) >= number


STAGES = [
    pytest.param(["exists@*"], requests_came(1), id="waiting-for-another-scroll"),
    pytest.param(["hang@1"], requests_came(1), id="waiting-for-the-first-answer"),
    pytest.param(["hang@3"], requests_came(3), id="waiting-for-a-later-answer"),
    pytest.param(["restart@2"], requests_came(2), id="pausing-before-a-restart"),
    pytest.param(["429@2+:9"], requests_came(2), id="pausing-for-the-rate-limit"),
    pytest.param(["slow@*:0.05"], requests_came(3), id="receiving-pages"),
    pytest.param([], requests_came(251), id="blocked-by-the-target"),
]


@contextmanager
def started(
    workbench: Workbench, sandbox: Sandbox, *prefix: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Starts a sync whose output is not read, with a folder for temporary files of its own."""
    temporary = workbench.folder / "tmp"
    temporary.mkdir()
    config = workbench.config(sandbox, scroll_expiry=60)
    with subprocess.Popen(
        [*prefix, *command("--config", config)],
        env=environment(TMPDIR=str(temporary)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not happen"
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize(("faults", "arrived"), STAGES)
def test_a_signal_ends_the_tap_within_two_seconds_and_nothing_is_left(
    workbench: Workbench, faults: list[str], arrived: Arrived, number: signal.Signals
) -> None:
    with (
        Sandbox(leads=25_000, faults=faults) as sandbox,
        started(workbench, sandbox) as process,
    ):
        wait_until(lambda: arrived(sandbox))
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        before = time.monotonic()
        code = process.wait(timeout=10)
        assert time.monotonic() - before < 2
        output, log = process.communicate()
    assert code == (-number if number == signal.SIGKILL else 128 + number)
    assert b"Traceback" not in log
    assert b'"STATE"' not in output
    assert b"ACTIVATE_VERSION" not in output
    assert not any(child.is_running() for child in children)
    assert not list((workbench.folder / "tmp").iterdir())


def test_a_target_that_goes_away_is_said_in_one_line(workbench: Workbench) -> None:
    with Sandbox(leads=25_000) as sandbox, started(workbench, sandbox) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1000)
        process.stdout.close()
        log = process.stderr.read().decode()
        code = process.wait(timeout=10)
    run = Run(code, b"", log)
    assert run.code == 1
    (error,) = run.lines("ERROR")
    assert "target stopped reading" in error
    assert "Traceback" not in run.log


def test_a_full_disk_is_a_clear_failure(workbench: Workbench) -> None:
    """The limit on the size of files stands for a disk without space.

    The target reads only after the thread that fetches has ended, so the pages must wait on disk,
    however fast or slow anything is.
    """
    files_of_2_mb = ["bash", "-c", 'ulimit -f 2000; exec "$@"', "bash"]
    threads = [0]

    def a_thread_ended() -> bool:
        threads.append(psutil.Process(process.pid).num_threads())
        return threads[-1] < max(threads)

    with (
        Sandbox(leads=25_000, faults=["slow@*:0.02"]) as sandbox,
        started(workbench, sandbox, *files_of_2_mb) as process,
    ):
        wait_until(lambda: requests_came(1)(sandbox) and a_thread_ended())
        output, log = process.communicate(timeout=20)
    run = Run(process.returncode, output, log.decode())
    assert run.code == 1
    (error,) = run.lines("ERROR")
    assert "TMPDIR" in error
    assert "STATE" not in run.kinds
