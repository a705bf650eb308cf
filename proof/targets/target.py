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
from proof.targets.environment import installed, plugin, run
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
        return installed(cls.pins) if cls.pins else plugin(cls.program)

    @abstractmethod
    def settings(self) -> Settings:
        """The settings that send it to its destination; all else is as it is by default."""

    @abstractmethod
    def rows(self) -> list[Row]:
        """All that is at the destination."""

    def load(self, output: bytes, **more: Any) -> None:
        """Pipes what the tap wrote into the target.

        Raises:
            ProgramError: The target failed.
        """
        config = self.folder / "config.json"
        config.write_text(json.dumps({**self.settings(), **more}))
        run(self.programs() / self.program, "--config", config, folder=self.folder, sent=output)
        if self.dated:  # or the next load would overwrite the file
            time.sleep(1 - time.time() % 1)

    def ask(self, script: str, *arguments: str | Path) -> list[Row]:
        """Runs a script in the target's environment, which has the library to read the rows."""
        output = run(self.programs() / "python", "-c", script, *arguments, folder=self.folder)
        return [json.loads(line) for line in output.splitlines()]
