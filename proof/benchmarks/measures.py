"""What is measured, one function per measure. Programs that are compared run by turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from proof.benchmarks import warehouse
from proof.benchmarks.peers import PEERS, Peer
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
from proof.benchmarks.results import BARE, TAP, Results, Runs
from proof.benchmarks.server import SimulatedApi
from proof.benchmarks.templates import Kind

LATENCY = 0.05
PLAIN, DESELECTED = "plain", "one field deselected"
PROJECT, DEFAULTS = "tap-leads, this project's settings", "tap-leads, the target's own defaults"
WAYS: dict[str, dict[str, str]] = {
    PLAIN: {},
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
    """How many leads each measure has, and how often it is repeated.

    Attributes:
        rounds: How often; all runs count.
        latency: Leads at 50 ms a page.
        zero: Leads at zero latency.
        peers: Leads for the comparison with other extractors.
        sizes: Numbers of leads that show how the cost grows.
        large: Leads in the largest pages that Intercom allows.
        spool: Leads that wait for a sleeping target.
        load: Leads for PostgreSQL.
    """

    rounds: int = 5
    latency: int = 20_000
    zero: int = 100_000
    peers: int = 20_000
    sizes: Sequence[int] = (10_000, 100_000, 1_000_000)
    large: int = 5_000
    spool: int = 200_000
    load: int = 30_000


QUICK = Plan(
    rounds=1,
    latency=2_000,
    zero=10_000,
    peers=1_000,
    sizes=(1_000, 5_000, 10_000),
    large=500,
    spool=10_000,
    load=1_000,
)

Measure = Callable[[Plan, Results], Runs]


def run_tap(
    api: SimulatedApi,
    *arguments: str,
    settings: Mapping[str, str] | None = None,
    asleep: Callable[[], None] | None = None,
) -> Outcome:
    """Runs the tap against a simulated API."""
    own = environment(api.url, **(settings or {}))
    return run([*tap(), *arguments], api.leads, environment=own, asleep=asleep)


def _by_turns(
    plan: Plan, calls: Mapping[str, Callable[[], Outcome]], missing: dict[str, str] | None = None
) -> Runs:
    """Runs each program once per round; leaves out an extractor that fails, with the reason."""
    found: Runs = {name: [] for name in calls}
    for _ in range(plan.rounds):
        for name in list(found):
            try:
                found[name].append(calls[name]())
            except BenchmarkError as error:
                if missing is None or name in {BARE, TAP, PROJECT, DEFAULTS}:
                    raise
                del found[name]
                missing[name] = str(error)
    return found


def _pairs(plan: Plan, leads: int, seconds: float) -> Runs:
    with SimulatedApi(leads, seconds) as api:
        bare = partial(run, bare_loop(api.url), leads)
        return _by_turns(plan, {BARE: bare, TAP: partial(run_tap, api)})


def latency(plan: Plan, _: Results) -> Runs:
    """Wall time at 50 ms a page."""
    return _pairs(plan, plan.latency, LATENCY)


def zero(plan: Plan, _: Results) -> Runs:
    """Wall time at zero latency."""
    return _pairs(plan, plan.zero, 0.0)


def realistic(plan: Plan, _: Results) -> Runs:
    """Leads as Intercom sends them: with undocumented fields and fractions."""
    with ExitStack() as stack:
        apis = {
            kind: stack.enter_context(SimulatedApi(plan.zero, kind=kind))
            for kind in (Kind.NONE, Kind.ONE, Kind.ALL)
        }
        return _by_turns(plan, {str(kind): partial(run_tap, api) for kind, api in apis.items()})


def ways(plan: Plan, _: Results) -> Runs:
    """Ways of use: with flattening, a deselected field, a stream map, typed attributes."""
    with SimulatedApi(plan.zero) as api, TemporaryDirectory() as folder:
        catalog = Path(folder) / "catalog.json"
        catalog.write_bytes(catalog_without("email", environment(api.url)))
        calls = {way: partial(run_tap, api, settings=settings) for way, settings in WAYS.items()}
        calls[DESELECTED] = partial(run_tap, api, "--catalog", str(catalog))
        return _by_turns(plan, calls)


def peers(plan: Plan, results: Results) -> Runs:
    """Leads per second, other extractors next to the tap and the bare loop."""
    with SimulatedApi(plan.peers) as api, TemporaryDirectory() as folder:

        def read(peer: Peer) -> Outcome:
            command = peer.command(api.url, Path(folder))
            return run(command, plan.peers, environment=environment(api.url))

        calls = {BARE: partial(run, bare_loop(api.url), plan.peers), TAP: partial(run_tap, api)}
        calls |= {peer.title: partial(read, peer) for peer in PEERS}
        return _by_turns(plan, calls, results.missing)


def sizes(plan: Plan, _: Results) -> Runs:
    """How time and memory grow with the number of leads."""
    found: Runs = {}
    for leads in plan.sizes:
        with SimulatedApi(leads) as api:
            found |= _by_turns(plan, {f"{leads:,}": partial(run_tap, api)})
    return found


def large(plan: Plan, _: Results) -> Runs:
    """Memory with the largest pages: 250 attributes of 255 characters in each lead, 7 MB a page."""
    with SimulatedApi(plan.large, kind=Kind.LARGE) as api:
        return _by_turns(plan, {TAP: partial(run_tap, api)})


def spool(plan: Plan, _: Results) -> Runs:
    """Memory while all leads wait for a target that sleeps after the first."""
    with SimulatedApi(plan.spool) as api:

        def until_all_wait() -> None:
            deadline = time.monotonic() + TIME_LIMIT / 2
            while api.progress() < api.leads and time.monotonic() < deadline:
                time.sleep(_POLL)
            time.sleep(_POLL)

        return _by_turns(plan, {TAP: partial(run_tap, api, asleep=until_all_wait)})


def load(plan: Plan, results: Results) -> Runs:
    """The main job: `meltano run` into PostgreSQL."""
    with SimulatedApi(plan.load) as api:
        calls = {
            PROJECT: partial(warehouse.load, api),
            DEFAULTS: partial(warehouse.load, api, defaults=True),
        }
        calls |= {
            f"{peer.title}, this project's settings": partial(warehouse.load, api, peer=peer)
            for peer in PEERS
            if peer.title.startswith("tap-intercom 2")
        }
        return _by_turns(plan, calls, results.missing)


MEASURES: dict[str, Measure] = {
    measure.__name__: measure
    for measure in (latency, zero, realistic, ways, peers, sizes, large, spool, load)
}
