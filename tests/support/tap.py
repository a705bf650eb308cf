"""Runs of the tap's real command line, and what they leave."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from support import fork_server
from support.fork_server import Process
from tap_leads.sandbox import Sandbox

TIME_LIMIT = 100.0  # seconds; a busy machine is slow


@dataclass(frozen=True)
class Run:
    """What a run of the tap leaves: its exit code, standard output and standard error."""

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
        """The messages of the log that have this level."""
        lines = [line.split(" | ", 3) for line in self.log.splitlines() if " | " in line]
        return [parts[3] for parts in lines if parts[1].strip() == level]

    @property
    def error(self) -> str:
        """The only error line of a run that failed and changed no state.

        Tests name the values `hush` that no log shows.
        """
        assert self.code == 1, self.log
        assert not {"STATE", "ACTIVATE_VERSION"} & set(self.kinds)
        (error,) = self.lines("ERROR")
        for words in ("Traceback", "  File ", "hush"):
            assert words not in self.log
        return error

    @property
    def refusal(self) -> str:
        """The error of a run that sent nothing."""
        assert self.output == b""
        return self.error

    @property
    def lasting(self) -> list[dict[str, Any]]:
        """The messages of a good run, without versions and times."""
        assert self.code == 0, self.log
        return [message | {"version": None, "time_extracted": None} for message in self.messages]

    def complete(self, sandbox: Sandbox) -> Run:
        """Checks that it succeeded and sent each lead once, in the order of the scroll."""
        assert (self.code, self.ids) == (0, ids_of(sandbox)), self.log
        return self


def command(*arguments: str | Path) -> list[str]:
    """The command line that starts the tap in the interpreter of the tests."""
    return [sys.executable, "-m", "tap_leads", *map(str, arguments)]


def environment(**extra: str) -> dict[str, str]:
    """The environment of the tests without settings of the tap and without `.env`, plus `extra`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TAP_LEADS_")}
    return kept | {"PYTHON_DOTENV_DISABLED": "1"} | extra


def start_tap(*arguments: str | Path, **extra: str) -> Process:
    """Starts the tap, forked; use it in a `with` statement, which ends it."""
    return fork_server.start([*map(str, arguments)], environment(**extra))


def run_tap(*arguments: str | Path, **extra: str) -> Run:
    """Runs the tap to its end; forked, unless a variable is for the start of Python."""
    if any(name.startswith("PYTHON") for name in extra):
        done = subprocess.run(
            command(*arguments),
            env=environment(**extra),
            capture_output=True,
            check=False,
            timeout=TIME_LIMIT,
        )
        return Run(done.returncode, done.stdout, done.stderr.decode())
    with start_tap(*arguments, **extra) as process:
        return result(process)


def result(process: Process | subprocess.Popen[bytes], time_limit: float = TIME_LIMIT) -> Run:
    """Reads a process to its end, and returns what it leaves."""
    output, log = process.communicate(timeout=time_limit)
    return Run(cast("int", process.returncode), output, log.decode())


class Workbench:
    """Writes configurations to a folder, and runs the tap with them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def file(self, name: str, content: object) -> Path:
        """Writes a JSON file."""
        path = self.folder / name
        path.write_text(json.dumps(content))
        return path

    def config(self, sandbox: Sandbox, **settings: object) -> Path:
        """Writes a configuration that sends the tap to a sandbox whose scrolls expire soon."""
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
    """The ids of a sandbox's leads, in the order of its scroll."""
    return [lead["id"] for lead in sandbox.workspace.leads()]
