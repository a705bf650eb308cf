"""Targets that are slow or go away, and signals: the tap ends as it must, and leaves nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from signal import SIGHUP, SIGINT, SIGKILL, SIGTERM, Signals

import psutil
from support.cases import cases
from support.fork_server import Process
from support.tap import Run, Workbench, result, start_tap

from tap_leads.sandbox import Sandbox


def start(workbench: Workbench, sandbox: Sandbox) -> Process:
    """Starts a sync with its own folder for temporary files."""
    temporary = workbench.folder / "tmp"
    temporary.mkdir()
    return start_tap("--config", workbench.config(sandbox, scroll_expiry=60), TMPDIR=str(temporary))


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not happen"
        time.sleep(0.01)


@cases(
    waiting_for_another_scroll=("exists@*", 1, SIGTERM),
    waiting_for_the_first_page=("hang@1", 1, SIGTERM),
    waiting_for_a_later_page=("hang@3", 3, SIGTERM),
    pausing_before_a_restart=("restart@2", 2, SIGTERM),
    pausing_before_a_restart_with_ctrl_c=("restart@2", 2, SIGINT),
    pausing_for_the_rate_limit=("429@2+:9", 2, SIGTERM),
    receiving_pages=("slow@*:0.05", 3, SIGTERM),
    receiving_pages_when_the_terminal_closes=("slow@*:0.05", 3, SIGHUP),
    receiving_pages_and_killed=("slow@*:0.05", 3, SIGKILL),
    blocked_by_the_target=("slow@1:0", 251, SIGTERM),
    blocked_by_the_target_and_killed=("slow@1:0", 251, SIGKILL),
)
def test_a_signal_ends_the_tap_at_once_and_nothing_is_left(
    fault: str, requests: int, number: Signals, workbench: Workbench
) -> None:
    """So many requests show that the tap waits, for half a minute or until another request."""
    with Sandbox(leads=25_000, faults=[fault]) as sandbox, start(workbench, sandbox) as process:
        wait_until(lambda: len(sandbox.workspace.history) >= requests)
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        code = process.wait(timeout=30)
        run = result(process)
    assert len(sandbox.workspace.history) == requests or "slow@*" in fault
    line = "Ended by a signal; the sync is not complete."
    expected = (-number, []) if number == SIGKILL else (128 + number, [line])
    assert (code, run.lines("ERROR")) == expected
    assert "Traceback" not in run.log
    assert not any(words in run.output for words in (b'"STATE"', b"ACTIVATE_VERSION"))
    assert not any(child.is_running() for child in children)
    assert not list((workbench.folder / "tmp").iterdir())


@cases(
    # One that comes in the instant before a wait; here, another thread receives it.
    interrupts_no_wait="""
send = lambda: signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
threading.Timer(0.2, send).start()
os.write(os.pipe()[1], bytes(2**20))
""",
    repeated="""
try:
    signal.raise_signal(signal.SIGTERM)
finally:
    signal.raise_signal(signal.SIGINT)
""",
    and_the_end_waits_for_ever="""
signals._LONGEST_END = 0.1
try:
    signal.raise_signal(signal.SIGTERM)
finally:
    threading.Event().wait()
""",
)
def test_a_signal_is_noticed_once_and_ends_the_tap(received: str) -> None:
    script = f"""
import os, signal, threading
from tap_leads.singer import signals
signals.handle()
{received}"""
    done = subprocess.run([sys.executable, "-c", script], check=False, timeout=30)
    assert done.returncode == 128 + SIGTERM


def test_leads_wait_on_disk_while_a_target_reads_nothing(workbench: Workbench) -> None:
    """So a slow target does not let the scroll expire, and the tap needs no memory for them."""
    with Sandbox(leads=12_000) as sandbox, start(workbench, sandbox) as process:
        first, tap = process.stdout.readline(), psutil.Process(process.pid)
        before = tap.memory_info().rss
        wait_until(lambda: len(sandbox.workspace.history) == 121)
        more = tap.memory_info().rss - before
        run = result(process)
    Run(run.code, first + run.output, run.log).complete(sandbox)
    assert sandbox.workspace.scrolls_opened == 1
    assert more < 10e6 < len(run.output) / 2


def test_a_target_that_goes_away_is_said_in_one_line(workbench: Workbench) -> None:
    with Sandbox(leads=25_000) as sandbox, start(workbench, sandbox) as process:
        process.stdout.read(1000)
        process.stdout.close()
        log = process.stderr.read().decode()
        code = process.wait(timeout=30)
    assert "target stopped reading" in Run(code, b"", log).error


def test_a_full_disk_is_a_clear_failure(workbench: Workbench) -> None:
    """A limit on the size of files acts like a full disk.

    The target starts to read after the thread that fetches pages has ended, so the pages must wait
    on disk, however fast or slow anything is.
    """
    with (
        Sandbox(leads=25_000, faults=["slow@*:0.02"]) as sandbox,
        start(workbench, sandbox) as process,
    ):
        tap, threads = psutil.Process(process.pid), [0]
        tap.rlimit(psutil.RLIMIT_FSIZE, (2_000_000, 2_000_000))

        def a_thread_ended() -> bool:
            threads.append(tap.num_threads())
            return threads[-1] < max(threads)

        wait_until(lambda: bool(sandbox.workspace.history) and a_thread_ended())
        run = result(process)
    assert "TMPDIR" in run.error
