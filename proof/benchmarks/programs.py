"""Runs a program, reads its output through a pipe as a target does, and counts every lead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from io import BufferedReader
from pathlib import Path
from typing import IO, cast

import msgspec

from proof.benchmarks.templates import MARK, number

ROOT = Path(__file__).resolve().parents[2]
TIME_LIMIT = 600.0
_SLOWEST = 5_000  # leads a second: millions may take longer than the limit
_CHUNK = 1 << 20
_INTERVAL = 0.02  # seconds between two looks at a program's memory
_LOG_LINES = 15


class BenchmarkError(Exception):
    """A measurement failed; the message says why."""


class Outcome(msgspec.Struct, frozen=True):
    """What a run took.

    Attributes:
        leads: How many leads the program wrote, each exactly once.
        seconds: From the start of the program to its end.
        first: From the start to the first lead's arrival.
        last: From the start to the last lead's arrival.
        cpu: Seconds of processor time, the system's included.
        peak: Largest resident memory in MB (10^6 bytes), sampled every 20 ms.
    """

    leads: int
    seconds: float
    first: float
    last: float
    cpu: float
    peak: float

    @property
    def rate(self) -> float:
        """Leads a second between the first lead and the last one: without start-up."""
        return self.leads / max(self.last - self.first, 1e-9)


def tap() -> list[str]:
    """The command line of the tap."""
    return [str(Path(sys.executable).with_name("tap-leads"))]


def tap_environment(url: str, **settings: str) -> dict[str, str]:
    """This environment, with settings that send the tap to a simulated API, and no others of it."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("TAP_LEADS_")}
    return own | {"TAP_LEADS_ACCESS_TOKEN": "sandbox", "TAP_LEADS_API_URL": url} | settings


def catalog_without(field: str, environment: dict[str, str]) -> bytes:
    """The catalog of the tap, with one field deselected."""
    done = subprocess.run(
        [*tap(), "--discover"], env=environment, check=True, capture_output=True, timeout=TIME_LIMIT
    )
    catalog = msgspec.json.decode(done.stdout)
    for entry in catalog["streams"][0]["metadata"]:
        if entry["breadcrumb"] == ["properties", field]:
            entry["metadata"]["selected"] = False
    return msgspec.json.encode(catalog)


def bare_loop(url: str) -> list[str]:
    """The command line of the bare loop."""
    return [sys.executable, str(Path(__file__).with_name("bare_loop.py")), url]


def run(
    command: Sequence[str],
    leads: int,
    *,
    environment: dict[str, str] | None = None,
    asleep: Callable[[], None] | None = None,
    limit: float | None = None,
) -> Outcome:
    """Runs a program to its end.

    Args:
        command: The program, which writes leads of the simulated API.
        leads: How many the simulated API has.
        environment: Its variables; if not given, those of this process.
        asleep: Called after the first lead; the pipe is not read until it returns.
        limit: Seconds that it may take; if not given, enough for so many leads.

    Raises:
        BenchmarkError: It failed, took too long, or lost, repeated or invented a lead.
    """
    limit = limit or TIME_LIMIT + leads / _SLOWEST
    began = time.perf_counter()
    with tempfile.TemporaryFile() as log, started(command, environment, log, limit) as process:
        peaks = [0.0]
        watcher = threading.Thread(target=_watch, args=(process.pid, peaks), daemon=True)
        watcher.start()
        numbers: list[bytes] = []
        first = last = 0.0
        for found in _numbers(process):
            last = time.perf_counter() - began
            if not numbers:
                first = last
            if asleep and not numbers:
                asleep()
            numbers += found
        code, cpu = _end(process)
        seconds = time.perf_counter() - began
        watcher.join()
        if code or len(numbers) != leads or set(numbers) != _expected(leads):
            raise BenchmarkError(
                f"{Path(command[0]).name} ended with exit code {code} after {seconds:.0f} s with "
                f"{len(numbers):,} leads, {len(set(numbers)):,} of them different, of {leads:,}:\n"
                f"{_tail(log)}"
            )
        return Outcome(leads, seconds, first, last, cpu, peaks[-1])


@contextmanager
def started(
    command: Sequence[str], environment: dict[str, str] | None, log: IO[bytes], limit: float
) -> Iterator[subprocess.Popen[bytes]]:
    """A program in a session of its own; all its processes are ended when the block ends."""
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        start_new_session=True,
    )
    timer = threading.Timer(limit, _kill, (process,))
    timer.start()
    try:
        yield process
    finally:
        timer.cancel()
        _kill(process)
        if process.stdout:
            process.stdout.close()
        process.wait()


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _numbers(process: subprocess.Popen[bytes]) -> Iterator[list[bytes]]:
    """The numbers of the leads that a program writes, chunk by chunk."""
    output = cast("BufferedReader", process.stdout)
    mark, rest = b'"' + MARK, b""
    while chunk := output.read1(_CHUNK):
        complete, end, begun = (rest + chunk).rpartition(b"\n")
        rest = begun
        if end and (found := [part[:10] for part in complete.split(mark)[1:]]):
            yield found


def _end(process: subprocess.Popen[bytes]) -> tuple[int, float]:
    """Waits for a program; returns its exit code and the processor time that it took."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime + usage.ru_stime


@lru_cache(maxsize=1)
def _expected(leads: int) -> set[bytes]:
    return {b"%010d" % number(index) for index in range(leads)}


def _tail(log: IO[bytes]) -> str:
    log.seek(0)
    return "\n".join(log.read().decode(errors="replace").splitlines()[-_LOG_LINES:])


def _watch(pid: int, peaks: list[float]) -> None:
    """Notes a program's peak of memory again and again, until it has ended."""
    with suppress(OSError, IndexError):
        while True:
            peaks.append(memory_peak(pid))
            time.sleep(_INTERVAL)


def memory_peak(pid: int) -> float:
    """The largest resident memory that a running program has had, in MB.

    The system's own account of an ended process will not do: it begins with the memory of the
    process that started it.
    """
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6
