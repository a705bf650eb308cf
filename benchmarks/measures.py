"""What is measured, one function a figure. Each adds to the results as it goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import msgspec

from benchmarks import steps, warehouse
from benchmarks.peers import PEERS
from benchmarks.programs import TIME_LIMIT, BenchmarkError, Outcome, bare_loop, run, tap
from benchmarks.programs import tap_environment as environment
from benchmarks.results import Comparison, Memory, Pairs, Profile, Results
from benchmarks.server import StandIn

LATENCY = 0.05
BARE, TAP = "bare loop", "tap-leads"
_POLL = 0.1


class Plan(msgspec.Struct, frozen=True):
    """How many leads each figure is measured with, and how often.

    Attributes:
        rounds: How often each is measured; all runs count.
        latency: Leads at 50 ms a page.
        zero: Leads at zero latency.
        peers: Leads for the comparison with other extractors.
        sizes: Numbers of leads that show how the cost grows.
        spool: Leads that wait for a sleeping target.
        profile: Leads for the profile.
        load: Leads for PostgreSQL.
    """

    rounds: int = 5
    latency: int = 20_000
    zero: int = 100_000
    peers: int = 20_000
    sizes: Sequence[int] = (10_000, 100_000, 1_000_000)
    spool: int = 200_000
    profile: int = 100_000
    load: int = 20_000


QUICK = Plan(
    rounds=1,
    latency=2_000,
    zero=10_000,
    peers=1_000,
    sizes=(1_000, 5_000, 10_000),
    spool=10_000,
    profile=2_000,
    load=1_000,
)

Measure = Callable[[Plan, Results], None]


def run_tap(stand_in: StandIn, asleep: Callable[[], None] | None = None) -> Outcome:
    """Runs the tap against a stand-in."""
    return run(tap(), stand_in.leads, environment=environment(stand_in.url), asleep=asleep)


def latency(plan: Plan, results: Results) -> None:
    """Wall time at 50 ms a page."""
    results.latency = _pairs(plan, plan.latency, LATENCY)


def zero(plan: Plan, results: Results) -> None:
    """Wall time at zero latency."""
    results.zero = _pairs(plan, plan.zero, 0.0)


def _pairs(plan: Plan, leads: int, seconds: float) -> Pairs:
    pairs = Pairs()
    with StandIn(leads, seconds) as stand_in:
        for _ in range(plan.rounds):
            pairs.bare.append(run(bare_loop(stand_in.url), leads))
            pairs.tap.append(run_tap(stand_in))
    return pairs


def peers(plan: Plan, results: Results) -> None:
    """Leads a second, other extractors beside the tap and the bare loop."""
    results.peers = found = Comparison({BARE: [], TAP: []}, {BARE: "leads", TAP: "leads"})
    with StandIn(plan.peers) as stand_in, TemporaryDirectory() as folder:
        commands = {BARE: bare_loop(stand_in.url), TAP: tap()}
        for peer in PEERS:
            try:
                peer.install()
                commands[peer.title] = peer.command(stand_in.url, Path(folder))
            except BenchmarkError as error:
                found.missing[peer.title] = str(error)
            else:
                found.runs[peer.title] = []
                found.streams[peer.title] = peer.stream
        for _ in range(plan.rounds):
            for title, command in commands.items():
                if title in found.missing:
                    continue
                try:
                    outcome = run(command, plan.peers, environment=environment(stand_in.url))
                except BenchmarkError as error:
                    if title in {BARE, TAP}:
                        raise
                    del found.runs[title]
                    found.missing[title] = str(error)
                else:
                    found.runs[title].append(outcome)


def sizes(plan: Plan, results: Results) -> None:
    """How time and memory grow with the number of leads."""
    results.sizes = []
    for leads in plan.sizes:
        with StandIn(leads) as stand_in:
            results.sizes.append([run_tap(stand_in) for _ in range(plan.rounds)])


def spool(plan: Plan, results: Results) -> None:
    """Memory while all leads wait for a target that sleeps after the first."""
    with StandIn(plan.spool) as stand_in:

        def until_all_wait() -> None:
            deadline = time.monotonic() + TIME_LIMIT / 2
            while stand_in.progress()[0] < stand_in.leads and time.monotonic() < deadline:
                time.sleep(_POLL)
            time.sleep(_POLL)

        results.spool = [run_tap(stand_in, until_all_wait) for _ in range(plan.rounds)]


def memory(plan: Plan, results: Results) -> None:
    """What remembering the leads of the largest size takes, alone; `sizes` has the whole run."""
    leads = max(plan.sizes)
    found = [
        steps.in_a_process(steps.Remembering, "remember", str(leads)) for _ in range(plan.rounds)
    ]
    results.memory = Memory(leads, [one.wall for one in found], [one.cpu for one in found])


def profile(plan: Plan, results: Results) -> None:
    """Where a lead's time goes: the steps alone, and the processor time of a whole run.

    The latter is without start-up, which a run on an empty workspace shows.
    """
    with StandIn(0) as stand_in:
        results.empty = [run_tap(stand_in) for _ in range(plan.rounds)]
    start = median(outcome.cpu for outcome in results.empty)
    results.profile = found = Profile(plan.profile)
    with StandIn(plan.profile) as stand_in:
        for _ in range(plan.rounds):
            alone = steps.in_a_process(dict[str, float], "profile", stand_in.url, str(plan.profile))
            for step, microseconds in alone.items():
                found.steps.setdefault(step, []).append(microseconds)
            found.total.append((run_tap(stand_in).cpu - start) / plan.profile * 1e6)


def load(plan: Plan, results: Results) -> None:
    """Into PostgreSQL, through Meltano."""
    with StandIn(plan.load) as stand_in:
        results.loads = [warehouse.load(stand_in) for _ in range(plan.rounds)]


MEASURES: dict[str, Measure] = {
    measure.__name__: measure
    for measure in (latency, zero, peers, sizes, spool, memory, profile, load)
}
