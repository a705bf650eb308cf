"""What the figures were measured on, and how quiet it was."""

from __future__ import annotations

import multiprocessing
import os
import platform
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import ClassVar

import msgspec

_PACKAGES = ("tap-leads", "singer-sdk", "msgspec", "requests")


class Machine(msgspec.Struct, frozen=True):
    """A machine, and the programs on it.

    Attributes:
        cores: How many this process may use.
        processor: Its model.
        memory: In GB (10^9 bytes).
        system: Operating system and kernel.
        python: Its version.
        packages: Version by name.
        date: Of the measurement.
    """

    cores: int
    processor: str
    memory: float
    system: str
    python: str
    packages: dict[str, str]
    date: str

    def __str__(self) -> str:
        packages = ", ".join(f"{name} {number}" for name, number in self.packages.items())
        return (
            f"{self.cores} cores of {self.processor}, {self.memory:.0f} GB; {self.system}; "
            f"Python {self.python}; {packages}; {self.date}."
        )


def this_machine() -> Machine:
    """The machine that runs this."""
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        processor=_processor(),
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9,
        system=_system(),
        python=platform.python_version(),
        packages={name: version(name) for name in _PACKAGES},
        date=datetime.now(UTC).date().isoformat(),
    )


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.machine()


def _system() -> str:
    kernel = ".".join(platform.release().split(".")[:2])
    with suppress(OSError, KeyError):
        return f"{platform.freedesktop_os_release()['PRETTY_NAME']}, Linux {kernel}"
    return f"{platform.system()} {kernel}"


class Calibration(msgspec.Struct, frozen=True):
    """How quiet a machine is.

    Attributes:
        share: The share of its core that a loop got which ran on each core at the same time.
        speed: Rounds of that loop per second of processor time.
    """

    share: float
    speed: float

    LEAST_SHARE: ClassVar[float] = 0.95
    LEAST_SPEED: ClassVar[float] = 0.95


def calibrate(seconds: float = 2.0) -> Calibration:
    """Runs a loop on each core."""
    cores = len(os.sched_getaffinity(0))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(cores, context) as pool:
        list(pool.map(_spin, [0.0] * cores))  # starts the processes
        found = list(pool.map(_spin, [seconds] * cores))
    return Calibration(min(share for share, _ in found), median(speed for _, speed in found))


def _spin(seconds: float) -> tuple[float, float]:
    rounds, began, used = 0, time.perf_counter(), time.process_time()
    while True:
        sum(range(10_000))
        rounds += 1
        passed = time.perf_counter() - began
        if passed >= seconds:
            spent = time.process_time() - used
            return spent / passed, rounds / spent
