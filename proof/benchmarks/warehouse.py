"""The main job: `meltano run` into a real PostgreSQL, by the loader's settings and by source."""

from __future__ import annotations

import shlex
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from demo import meltano
from demo.postgres import PostgresError, PostgresServer
from proof.benchmarks.peers import CONFIG, Peer
from proof.benchmarks.programs import ROOT, BenchmarkError, Outcome
from proof.benchmarks.server import SimulatedApi

DEFAULTS = {"TARGET_POSTGRES_USE_COPY": "false", "TARGET_POSTGRES_VALIDATE_RECORDS": "true"}
"""The loader's own defaults, in place of this project's settings."""

_TIME_LIMIT = 300.0


def load(
    api: SimulatedApi,
    *,
    defaults: bool = False,
    peer: Peer | None = None,
    limit: float = _TIME_LIMIT,
) -> Outcome:
    """Loads all leads of a simulated API into an empty database.

    Args:
        api: The simulated API.
        defaults: Whether the loader has its own defaults.
        peer: The extractor, if it is not the tap.
        limit: Seconds that it may take.

    Raises:
        BenchmarkError: There is no PostgreSQL, Meltano failed, or a lead is missing.
    """
    try:
        with PostgresServer() as server, TemporaryDirectory(prefix="bench-") as folder:
            project = _project_with(peer, api, Path(folder)) if peer else ROOT
            tap, table = ("tap-peer", f"tap_peer.{peer.stream}") if peer else _OURS
            env = {"TAP_LEADS_ACCESS_TOKEN": "sandbox", "TAP_LEADS_API_URL": api.url}
            env |= meltano.target_settings(server, table.partition(".")[0])
            env |= DEFAULTS if defaults else {}
            order = ("run", tap, "target-postgres")
            began = time.perf_counter()
            done = meltano.run(*order, folder=Path(folder), env=env, cwd=project, seconds=limit)
            seconds = time.perf_counter() - began
            if done.returncode:
                raise BenchmarkError(f"meltano run failed:\n{done.stdout[-2000:]}")
            counted = f"SELECT count(*), count(DISTINCT id) FROM {table}"  # noqa: S608 - our own names
            [(rows, ids)] = server.query(counted)
    except (PostgresError, OSError, subprocess.TimeoutExpired) as error:
        raise BenchmarkError(str(error)) from None
    if not rows == ids == api.leads:
        raise BenchmarkError(f"{api.leads:,} leads became {rows:,} rows, {ids:,} different.")
    return Outcome(api.leads, seconds, 0, seconds, 0, 0)


_OURS = ("tap-leads", "tap_leads.contacts")


def _project_with(peer: Peer, api: SimulatedApi, folder: Path) -> Path:
    """A Meltano project with this project's loaders and another extractor."""
    program = folder / "tap-peer"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(peer.launch(api.url))} "$@"\n')
    program.chmod(0o755)
    project = yaml.safe_load((ROOT / "meltano.yml").read_text())
    del project["include_paths"]
    extractor = {
        "name": "tap-peer",
        "namespace": "tap_peer",
        "executable": f"./{program.name}",
        "capabilities": ["catalog", "discover"],
        "settings": [{"name": name} for name in CONFIG],
        "config": CONFIG,
        "select": [f"{peer.stream}.*"],
    }
    project["plugins"]["extractors"] = [extractor]
    (folder / "meltano.yml").write_text(yaml.safe_dump(project))
    return folder
