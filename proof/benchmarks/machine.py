"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

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
