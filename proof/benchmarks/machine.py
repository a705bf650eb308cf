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

import msgspec

_PACKAGES = ("tap-leads", "singer-sdk", "msgspec", "requests")


def this_machine() -> str:
    """The machine that runs this, the programs on it, and the date."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"{_cores()} cores of {_processor()}, {memory:.0f} GB; {_system()}; "
        f"Python {platform.python_version()}; {packages}; {datetime.now(UTC).date()}."
    )


def _cores() -> int:
    return len(os.sched_getaffinity(0))


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


def calibrate(seconds: float = 2.0) -> Calibration:
    """Runs a loop on each core."""
    cores = _cores()
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


def noise(calibrations: list[Calibration]) -> str:
    """How busy the machine was, if that makes the figures useless; otherwise empty."""
    if any(one.share < _LEAST_SHARE for one in calibrations):
        shares = ", ".join(f"{100 * one.share:.0f} %" for one in calibrations)
        return f"a loop on each core got {shares} of it, before and after"
    speeds = [one.speed for one in calibrations]
    if speeds and min(speeds) < _LEAST_SPEED * max(speeds):
        return f"its speed changed by {100 * (max(speeds) / min(speeds) - 1):.0f} %"
    return ""


_LEAST_SHARE = 0.95
"""The least share of a core."""

_LEAST_SPEED = 0.9
"""The lowest speed, as a share of the highest. The speed of an idle virtual machine changes by some
percent by itself, so figures are ratios of runs that follow each other."""
