"""What is measured, one function per figure. Each adds to the results as it goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import msgspec

from proof.benchmarks import steps, warehouse
from proof.benchmarks.peers import PEERS
from proof.benchmarks.programs import (
    TIME_LIMIT,
    BenchmarkError,
    Outcome,
    bare_loop,
    catalog_without,
    run,
    tap,
)
from proof.benchmarks.programs import tap_environment as environment
from proof.benchmarks.results import Comparison, Memory, Pairs, Profile, Results
from proof.benchmarks.server import SimulatedApi
from proof.benchmarks.templates import Kind

LATENCY = 0.05
BARE, TAP = "bare loop", "tap-leads"
PLAIN, DESELECTED = "plain", "one field deselected"
WAYS = {
    "flattening": {
        "TAP_LEADS_FLATTENING_ENABLED": "true",
        "TAP_LEADS_FLATTENING_MAX_DEPTH": "1",
    },
    "a stream map": {
        "TAP_LEADS_STREAM_MAPS": '{"contacts": {"email": "md5(email) if email else None"}}'
    },
    "typed attributes": {"TAP_LEADS_TYPED_CUSTOM_ATTRIBUTES": "true"},
}
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


def run_tap(api: SimulatedApi, asleep: Callable[[], None] | None = None) -> Outcome:
    """Runs the tap against a simulated API."""
    return run(tap(), api.leads, environment=environment(api.url), asleep=asleep)


def latency(plan: Plan, results: Results) -> None:
    """Wall time at 50 ms a page."""
    results.latency = _pairs(plan, plan.latency, LATENCY)


def realistic(plan: Plan, results: Results) -> None:
    """Leads as Intercom really sends them: with undocumented fields and fractions."""
    found: dict[str, list[Outcome]] = {}
    with ExitStack() as stack:
        apis = {
            kind: stack.enter_context(SimulatedApi(plan.zero, kind=kind))
            for kind in (Kind.NONE, Kind.ONE, Kind.ALL)
        }
        for _ in range(plan.rounds):
            for kind, api in apis.items():
                found.setdefault(kind, []).append(run_tap(api))
    results.realistic = found


def ways(plan: Plan, results: Results) -> None:
    """Ways of use: with flattening, a deselected field, a stream map, typed attributes."""
    found: dict[str, list[Outcome]] = {}
    with SimulatedApi(plan.zero) as api, TemporaryDirectory() as folder:
        commands = WAYS | {PLAIN: {}, DESELECTED: {}}
        catalog = Path(folder) / "catalog.json"
        catalog.write_bytes(catalog_without("email", environment(api.url)))
        for _ in range(plan.rounds):
            for way, settings in commands.items():
                extra = ["--catalog", str(catalog)] if way == DESELECTED else []
                outcome = run(
                    [*tap(), *extra], api.leads, environment=environment(api.url, **settings)
                )
                found.setdefault(way, []).append(outcome)
    results.ways = found


def zero(plan: Plan, results: Results) -> None:
    """Wall time at zero latency."""
    results.zero = _pairs(plan, plan.zero, 0.0)


def _pairs(plan: Plan, leads: int, seconds: float) -> Pairs:
    pairs = Pairs()
    with SimulatedApi(leads, seconds) as api:
        for _ in range(plan.rounds):
            pairs.bare.append(run(bare_loop(api.url), leads))
            pairs.tap.append(run_tap(api))
    return pairs


def peers(plan: Plan, results: Results) -> None:
    """Leads a second, other extractors next to the tap and the bare loop."""
    results.peers = found = Comparison({BARE: [], TAP: []}, {BARE: "leads", TAP: "leads"})
    with SimulatedApi(plan.peers) as api, TemporaryDirectory() as folder:
        commands = {BARE: bare_loop(api.url), TAP: tap()}
        for peer in PEERS:
            try:
                peer.install()
                commands[peer.title] = peer.command(api.url, Path(folder))
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
                    outcome = run(command, plan.peers, environment=environment(api.url))
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
        with SimulatedApi(leads) as api:
            results.sizes.append([run_tap(api) for _ in range(plan.rounds)])


def spool(plan: Plan, results: Results) -> None:
    """Memory while all leads wait for a target that sleeps after the first."""
    with SimulatedApi(plan.spool) as api:

        def until_all_wait() -> None:
            deadline = time.monotonic() + TIME_LIMIT / 2
            while api.progress()[0] < api.leads and time.monotonic() < deadline:
                time.sleep(_POLL)
            time.sleep(_POLL)

        results.spool = [run_tap(api, until_all_wait) for _ in range(plan.rounds)]


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
    with SimulatedApi(0) as api:
        results.empty = [run_tap(api) for _ in range(plan.rounds)]
    start = median(outcome.cpu for outcome in results.empty)
    results.profile = found = Profile(plan.profile)
    with SimulatedApi(plan.profile) as api:
        for _ in range(plan.rounds):
            alone = steps.in_a_process(dict[str, float], "profile", api.url, str(plan.profile))
            for step, microseconds in alone.items():
                found.steps.setdefault(step, []).append(microseconds)
            found.total.append((run_tap(api).cpu - start) / plan.profile * 1e6)


def load(plan: Plan, results: Results) -> None:
    """Into PostgreSQL, through Meltano."""
    with SimulatedApi(plan.load) as api:
        results.loads = [warehouse.load(api) for _ in range(plan.rounds)]


MEASURES: dict[str, Measure] = {
    measure.__name__: measure
    for measure in (latency, zero, realistic, ways, peers, sizes, spool, memory, profile, load)
}
