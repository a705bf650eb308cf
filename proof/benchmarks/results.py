"""What a benchmark found, as it is kept on disk."""

from __future__ import annotations

import msgspec

from proof.benchmarks.machine import Machine
from proof.benchmarks.programs import Outcome
from proof.benchmarks.warehouse import Load


class Pairs(msgspec.Struct):
    """Runs of the bare loop and of the tap, alternating."""

    bare: list[Outcome] = []
    tap: list[Outcome] = []


class Comparison(msgspec.Struct):
    """Runs of several extractors, alternating, by title; and why others could not be run."""

    runs: dict[str, list[Outcome]] = {}
    streams: dict[str, str] = {}
    missing: dict[str, str] = {}


class Memory(msgspec.Struct):
    """What it takes to remember which leads went out, alone: seconds by clock, and of processor."""

    leads: int
    wall: list[float] = []
    cpu: list[float] = []


class Profile(msgspec.Struct):
    """Microseconds a lead, for each step and over all; each measured several times."""

    leads: int
    steps: dict[str, list[float]] = {}
    total: list[float] = []


class Results(msgspec.Struct, omit_defaults=True):
    """All figures; None where one was not measured.

    Attributes:
        machine: What they were measured on.
        quick: Whether this was a trial, whose figures mean nothing.
        latency: At 50 ms a page.
        zero: At zero latency.
        realistic: The tap at zero latency, by which leads have undocumented fields.
        ways: The tap at zero latency, by way of use.
        peers: Other extractors, at zero latency.
        sizes: The tap at zero latency, for several numbers of leads.
        spool: The tap with a target that sleeps until all leads wait in the spool.
        memory: Remembering what went out.
        empty: The tap on a workspace without leads: its start-up.
        profile: Where a lead's time goes.
        loads: Into PostgreSQL.
        failures: Why a figure could not be had.
    """

    machine: Machine
    quick: bool = False
    latency: Pairs | None = None
    zero: Pairs | None = None
    realistic: dict[str, list[Outcome]] = {}
    ways: dict[str, list[Outcome]] = {}
    peers: Comparison | None = None
    sizes: list[list[Outcome]] = []
    spool: list[Outcome] = []
    memory: Memory | None = None
    empty: list[Outcome] = []
    profile: Profile | None = None
    loads: list[Load] = []
    failures: dict[str, str] = {}
