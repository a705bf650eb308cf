"""What a run costs on this machine: memory, and how many rows PostgreSQL takes a second.

The source is the sandbox and the destination a PostgreSQL without fsync, on the same cores: the
numbers compare machines and versions, they promise nothing about another server.
"""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Self

import psutil

from demo import meltano
from demo.airflow import settings
from demo.meltano import ROOT
from demo.postgres import PostgresServer
from demo.table import table
from tap_leads.sandbox import Sandbox

FEW, MANY = 100, 50_000
TARGET = ROOT / ".meltano/loaders/target-postgres/venv/bin/target-postgres"
SECONDS = 600.0
_POLL = 0.1


class Memory:
    """The most that the processes that this one starts held at once, sampled; in MB."""

    def __init__(self) -> None:
        self._over = Event()
        self._peak = 0
        self._thread = Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def megabytes(self) -> int:
        """The peak so far. Memory that processes share counts once (PSS)."""
        return self._peak >> 20

    def _watch(self) -> None:
        while not self._over.wait(_POLL):
            self._peak = max(self._peak, sum(map(_size, _started())))


def _started() -> Iterator[psutil.Process]:
    """All processes of ours but the database's, which stand for another machine."""
    for child in psutil.Process().children():
        try:
            if any(part.endswith("supervisor.py") for part in child.cmdline()):
                continue
            yield child
            yield from child.children(recursive=True)
        except psutil.Error:
            continue


def _size(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0


def measure() -> Iterator[str]:
    """Measures; takes some minutes."""
    (ROOT / ".cache").mkdir(exist_ok=True)
    with (
        TemporaryDirectory(prefix="scale-", dir=ROOT / ".cache") as folder,
        PostgresServer() as server,
        # Nothing waits for Intercom here.
        Sandbox(workspaces={"few": FEW, "a": MANY, "b": MANY}, rate_limit=10**9) as sandbox,
    ):
        env = settings(sandbox.url, server, Path(folder))
        yield f"Measured on {os.cpu_count()} cores, with {MANY:,} leads a run:"
        with Memory() as memory:
            seconds = _run(env, Path(folder), "few")
        idle = memory.megabytes
        with Memory() as memory:
            longer = _run(env, Path(folder), "a")
        yield (
            f"- `meltano run`: {seconds:.0f} s until nothing is done but starting and ending;"
            f" {memory.megabytes:,} MB at its most, {idle:,} MB with {FEW} leads"
            " (Meltano, tap and loader)"
        )
        yield f"- from the sandbox into PostgreSQL: {_rate(longer, seconds):,.0f} leads/s"
        files = {token: _extract(sandbox, token, Path(folder)) for token in sandbox.workspaces}
        start = _load(server, [files["few"]], {})
        lines = []
        for kind, tokens, extra in (
            ("new rows", "a", {}),
            ("rows that are there already", "a", {}),
            ("the same, with use_copy", "a", {"TARGET_POSTGRES_USE_COPY": "true"}),
            (
                "two workspaces at once, with use_copy",
                "ab",
                {"TARGET_POSTGRES_USE_COPY": "true"},
            ),
        ):
            rate = len(tokens) * _rate(_load(server, [files[t] for t in tokens], extra), start)
            lines.append([kind, f"{rate:,.0f}"])
        yield "- target-postgres alone, from a file:\n"
        yield table(["leads", "rows/s"], lines)


def _rate(seconds: float, start: float) -> float:
    return (MANY - FEW) / (seconds - start)


def _run(env: dict[str, str], folder: Path, token: str) -> float:
    began = time.monotonic()
    own = env | {"TAP_LEADS__ACME_ACCESS_TOKEN": token}
    plugins = ("tap-leads--acme", "target-postgres")
    done = meltano.run("run", *plugins, folder=folder / "meltano", env=own, seconds=SECONDS)
    if done.returncode:
        raise SystemExit(done.stdout)
    return time.monotonic() - began


def _extract(sandbox: Sandbox, token: str, folder: Path) -> Path:
    """What the tap writes about a workspace, with the key for a table of several."""
    file = folder / f"{token}.jsonl"
    env = {
        **os.environ,
        "TAP_LEADS_API_URL": sandbox.url,
        "TAP_LEADS_ACCESS_TOKEN": token,
        "TAP_LEADS_EMIT_ACTIVATE_VERSION_MESSAGES": "false",
        "TAP_LEADS_STREAM_MAPS": '{"contacts": {"__key_properties__": ["app_id", "id"]}}',
    }
    program = ROOT / ".meltano/extractors/tap-leads/venv/bin/tap-leads"
    with file.open("wb") as output, file.with_suffix(".log").open("wb") as log:
        subprocess.run([program], check=True, env=env, stdout=output, stderr=log, timeout=SECONDS)
    return file


def _load(server: PostgresServer, files: Sequence[Path], extra: Mapping[str, str]) -> float:
    """Loads files at once, each by a loader of its own; returns the seconds."""
    env = {**os.environ, **meltano.target_settings(server, schema="measured"), **extra}
    began = time.monotonic()
    loaders = []
    for file in files:
        with file.open("rb") as source, file.with_suffix(".log").open("wb") as log:
            loaders.append(
                subprocess.Popen(
                    [TARGET, "--config=ENV"], env=env, stdin=source, stdout=log, stderr=log
                )
            )
    try:
        codes = [loader.wait(SECONDS) for loader in loaders]
    finally:
        for loader in loaders:
            loader.kill()
    if any(codes):
        raise SystemExit(f"A loader failed: {codes}")
    return time.monotonic() - began
