"""What a benchmark found, as it is kept on disk."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from proof.benchmarks.machine import Calibration, noise
from proof.benchmarks.programs import Outcome

BARE, TAP = "bare loop", "tap-leads"

Runs: TypeAlias = dict[str, list[Outcome]]
"""The name of a program or a size -> its runs; those at the same place ran by turns."""


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

    machine: str
    quick: bool = False
    calibration: list[Calibration] = []
    runs: dict[str, Runs] = {}
    missing: dict[str, str] = {}
    failures: dict[str, str] = {}

    @property
    def noise(self) -> str:
        """Why the figures do not count, as other programs ran on the machine; empty if they do."""
        return noise(self.calibration)
