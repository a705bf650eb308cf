"""What all targets have in common: settings, a run of the program, and rows that are read back."""

from __future__ import annotations

import json
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

from demo.meltano import ROOT
from proof.targets.environment import installed, run
from proof.targets.services import Services

Row: TypeAlias = dict[str, Any]
"""What a target has loaded of a lead: the value of each column."""

Settings: TypeAlias = Mapping[str, Any]


OLD_PYTHON = "It uses names that Python 3.10 removed, which are put back here: use Python 3.9."
OLD_SETUPTOOLS = "Install `setuptools<81` beside it."


class Target(ABC):
    """A target with a destination of its own, empty at first.

    Args:
        folder: An empty folder, for its configuration and, if it writes files, for these.
        services: The servers that some targets load into.

    Attributes:
        package: Its name on the package index.
        variant: Who maintains it, where several have its name.
        program: The program.
        pins: The name of its pins, `requirements/targets-PINS.txt`; none for Meltano's plugins.
        metadata: The settings that add the columns `_sdc_…`, if it does not do that anyway.
        fast: The settings that make it fastest. All loads have them, so that the comparison shows
            that no value is lost by them.
        own_flattening: The settings that make the target flatten, if it can.
        dated: Whether the second of the load is in the name of its file.
        offline: Whether it is tried without the service that it loads into; then only loads are.
        quick: Whether it is fast enough to run with all other tests.
        note: What a user should know of it besides what the comparison finds.
    """

    package: ClassVar[str]
    variant: ClassVar[str] = ""
    program: ClassVar[str]
    pins: ClassVar[str] = ""
    metadata: ClassVar[Settings] = {}
    fast: ClassVar[Settings] = {}
    own_flattening: ClassVar[Settings] = {}
    dated: ClassVar[bool] = False
    offline: ClassVar[bool] = False
    quick: ClassVar[bool] = False
    note: ClassVar[str] = ""

    def __init__(self, folder: Path, services: Services) -> None:
        self.folder = folder
        self.services = services

    @classmethod
    def version(cls) -> str:
        """The pinned version."""
        pins = f"requirements/targets-{cls.pins}.txt" if cls.pins else "meltano.yml"
        found = re.search(rf"\b{cls.package}==(\S+)", (ROOT / pins).read_text())
        return found[1] if found else "unknown"

    @classmethod
    def name(cls) -> str:
        """What to call it: the program, who maintains it, the version."""
        maintainer = f" ({cls.variant})" if cls.variant else ""
        return f"{cls.program}{maintainer} {cls.version()}"

    @classmethod
    def programs(cls) -> Path:
        """The folder with its program.

        Raises:
            NotInstalledError: It could not be installed.
        """
        plugin = ROOT / ".meltano/loaders" / cls.program / "venv/bin"
        return installed(cls.pins) if cls.pins else plugin

    @abstractmethod
    def settings(self) -> Settings:
        """The settings that send it to its destination; the others are the defaults, or `fast`."""

    @abstractmethod
    def rows(self) -> list[Row]:
        """All that is at the destination."""

    def load(self, output: bytes, **more: Any) -> None:
        """Loads what the tap wrote.

        Raises:
            ProgramError: The target failed.
        """
        self.pipe(output, **more)
        if self.dated:  # or the next load would overwrite the file
            time.sleep(1 - time.time() % 1)

    def pipe(self, output: bytes, **more: Any) -> bytes:
        """Pipes what the tap wrote into the target; what that wrote.

        Raises:
            ProgramError: The target failed.
        """
        program = self.programs() / self.program
        return run(program, "--config", self.config(**more), folder=self.folder, sent=output)

    def config(self, **more: Any) -> Path:
        """The file with its settings."""
        config = self.folder / "config.json"
        config.write_text(json.dumps({**self.settings(), **self.fast, **more}))
        return config

    def ask(self, script: str, *arguments: str | Path) -> list[Row]:
        """Runs a script in the target's environment, which has the library to read the rows."""
        output = run(self.programs() / "python", "-c", script, *arguments, folder=self.folder)
        return [json.loads(line) for line in output.splitlines()]
