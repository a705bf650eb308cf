"""Into a real PostgreSQL with `meltano run`: who waits for whom.

A thread looks, many times a second, at what the system says the two processes are doing:

- The tap waits for the target when it is held in writing to a full pipe, or has ended already.
- The target waits for the tap when it is held in reading an empty pipe, and the tap is not held.

Looked at is the time from the first request for leads to the end of the target. Between the two
stands Meltano, which passes lines on; what it takes counts as neither's.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import msgspec
import psutil

from demo import meltano
from demo.postgres import PostgresError, PostgresServer
from proof.benchmarks.programs import ROOT, BenchmarkError
from proof.benchmarks.server import SimulatedApi

_TAP, _TARGET = "tap-leads", "target-postgres"
_INTERVAL = 0.005
_SEARCH_INTERVAL = 0.05
_TIME_LIMIT = 300.0
_READING = ("pipe_read", "unix_stream")  # Meltano connects its plugins by one or the other
_COUNT = "SELECT count(*), count(DISTINCT id) FROM tap_leads.contacts"


class Load(msgspec.Struct, frozen=True):
    """What a run showed.

    Attributes:
        leads: How many were loaded.
        seconds: From the first request for leads to the end of the target.
        tap_waits: Share of it in which the tap waited for the target, or had ended.
        target_waits: Share of it in which the target waited for the tap.
    """

    leads: int
    seconds: float
    tap_waits: float
    target_waits: float


def load(api: SimulatedApi) -> Load:
    """Loads all leads of a simulated API into an empty database.

    Raises:
        BenchmarkError: There is no PostgreSQL, or not every lead came, or nothing could be seen.
    """
    (ROOT / ".meltano").mkdir(exist_ok=True)
    try:
        with (
            PostgresServer() as server,
            TemporaryDirectory(prefix="bench-", dir=ROOT / ".meltano") as folder,
            _Watch() as watch,
        ):
            env = {
                "TAP_LEADS_ACCESS_TOKEN": "sandbox",
                "TAP_LEADS_API_URL": api.url,
                **meltano.target_settings(server),
            }
            done = meltano.run(
                "run", _TAP, _TARGET, folder=Path(folder), env=env, seconds=_TIME_LIMIT
            )
            if done.returncode:
                raise BenchmarkError(f"meltano run failed:\n{done.stdout[-2000:]}")
            [(rows, ids)] = server.query(_COUNT)
    except (PostgresError, OSError, subprocess.TimeoutExpired) as error:
        raise BenchmarkError(str(error)) from None
    if not rows == ids == api.leads:
        raise BenchmarkError(f"{api.leads:,} leads became {rows:,} rows, {ids:,} different.")
    _, opened = api.progress()
    return watch.result(api.leads, opened)


class _Watch:
    """Looks at the tap and the target among the processes that this one has started."""

    def __init__(self) -> None:
        self._looks: list[tuple[float, str | None, str]] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def result(self, leads: int, opened: float) -> Load:
        """What was seen since the scroll was opened."""
        looks = [look for look in self._looks if look[0] >= opened]
        held = [tap is None or "pipe_write" in tap for _, tap, _ in looks]
        starved = [
            any(place in target for place in _READING) and not waits
            for (_, _, target), waits in zip(looks, held, strict=True)
        ]
        if all({tap, target} <= {None, "", "0"} for _, tap, target in looks):
            raise BenchmarkError("this system does not show what a process waits for")
        seconds = looks[-1][0] - opened
        return Load(leads, seconds, sum(held) / len(looks), sum(starved) / len(looks))

    def _run(self) -> None:
        found: dict[str, int] = {}
        while not self._stopped.wait(_SEARCH_INTERVAL) and len(found) < 2:  # noqa: PLR2004
            found |= _processes()
        while not self._stopped.wait(_INTERVAL):
            target = _waits_for(found[_TARGET])
            if target is None:
                break
            self._looks.append((time.monotonic(), _waits_for(found[_TAP]), target))


def _processes() -> dict[str, int]:
    """The process of each of the two plugins that takes part in the sync."""
    found = {}
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            line = process.cmdline()
            for name in (_TAP, _TARGET):
                # python .../bin/NAME ...; Meltano itself has the names as its arguments.
                if any(word.endswith(f"{os.sep}{name}") for word in line[:2]):
                    found.update({} if "--discover" in line else {name: process.pid})
    return found


def _waits_for(pid: int) -> str | None:
    """Where in the system the main thread of a process is held; None if the process has ended."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return None if status == "Z" else Path(f"/proc/{pid}/wchan").read_text()
    except OSError:
        return None
