"""The real command line of the tap, and what a run of it left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from support import fork_server
from tap_leads.sandbox import Sandbox

TIME_LIMIT = 60.0


@dataclass(frozen=True)
class Run:
    """What a run of the tap left: exit code, standard output and standard error."""

    code: int
    output: bytes
    log: str

    @cached_property
    def messages(self) -> list[dict[str, Any]]:
        """The Singer messages."""
        return [json.loads(line) for line in self.output.splitlines()]

    @cached_property
    def records(self) -> list[dict[str, Any]]:
        """The records, in their order."""
        return [message["record"] for message in self.messages if message["type"] == "RECORD"]

    @cached_property
    def ids(self) -> list[str]:
        """The records' ids, in their order."""
        return [record["id"] for record in self.records]

    @cached_property
    def kinds(self) -> list[str]:
        """The types of the messages, each run of the same type once."""
        kinds = [message["type"] for message in self.messages]
        return [kind for kind, before in zip(kinds, [None, *kinds], strict=False) if kind != before]

    def lines(self, level: str) -> list[str]:
        """The messages that the log holds at a level."""
        lines = [line.split(" | ", 3) for line in self.log.splitlines() if " | " in line]
        return [parts[3] for parts in lines if parts[1].strip() == level]


def command(*arguments: str | Path) -> list[str]:
    """The real command line of the tap, in the interpreter that runs the tests."""
    return [sys.executable, "-m", "tap_leads", *map(str, arguments)]


def environment(**extra: str) -> dict[str, str]:
    """This environment without settings of the tap and without `.env`, and with what is given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TAP_LEADS_")}
    return kept | {"PYTHON_DOTENV_DISABLED": "1"} | extra


def run_tap(*arguments: str | Path, **extra: str) -> Run:
    """Runs the tap to its end; forked, unless a variable is for the start of Python."""
    env = environment(**extra)
    if any(name.startswith("PYTHON") for name in extra):
        result = subprocess.run(
            command(*arguments), env=env, capture_output=True, check=False, timeout=TIME_LIMIT
        )
    else:
        result = fork_server.run([*map(str, arguments)], env, TIME_LIMIT)
    return Run(result.returncode, result.stdout, result.stderr.decode())


class Workbench:
    """A folder to write configurations to, and to run the tap in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def file(self, name: str, content: object) -> Path:
        """Writes a JSON file."""
        path = self.folder / name
        path.write_text(json.dumps(content))
        return path

    def config(self, sandbox: Sandbox, **settings: object) -> Path:
        """Writes a configuration that points the tap at a sandbox, with times for tests."""
        base = {"access_token": sandbox.token, "api_url": sandbox.url, "scroll_expiry": 1}
        return self.file("config.json", base | settings)

    def sync(
        self,
        sandbox: Sandbox,
        *arguments: str | Path,
        environment: Mapping[str, str] | None = None,
        **settings: object,
    ) -> Run:
        """Syncs a sandbox."""
        config = self.config(sandbox, **settings)
        return run_tap("--config", config, *arguments, **(environment or {}))


def ids_of(sandbox: Sandbox) -> list[str]:
    """The ids of the leads that a sandbox holds, in the order it serves them."""
    return [lead["id"] for lead in sandbox.workspace.leads()]
