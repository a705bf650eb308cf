"""What a benchmark found, as it is kept on disk."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from proof.benchmarks.machine import Calibration, Machine
from proof.benchmarks.programs import Outcome

BARE, TAP = "bare loop", "tap-leads"

Runs: TypeAlias = dict[str, list[Outcome]]
"""What was measured by turns -> its runs; runs of one place belong together."""


class Results(msgspec.Struct, omit_defaults=True):
    """All figures.

    Attributes:
        machine: What they were measured on.
        quick: Whether this was a trial, whose figures mean nothing.
        calibration: How quiet the machine was before and after.
        runs: The name of a measure -> its runs.
        missing: An extractor -> why it could not be run.
        failures: A measure -> why it failed.
    """

    machine: Machine
    quick: bool = False
    calibration: list[Calibration] = []
    runs: dict[str, Runs] = {}
    missing: dict[str, str] = {}
    failures: dict[str, str] = {}

    @property
    def noise(self) -> str:
        """Why the figures do not count, as other programs ran on the machine; empty if they do."""
        if any(one.share < Calibration.LEAST_SHARE for one in self.calibration):
            shares = ", ".join(f"{100 * one.share:.0f} %" for one in self.calibration)
            return f"a loop on each core got {shares} of it, before and after"
        speeds = [one.speed for one in self.calibration]
        if speeds and min(speeds) < Calibration.LEAST_SPEED * max(speeds):
            return f"its speed changed by {100 * (max(speeds) / min(speeds) - 1):.0f} %"
        return ""
