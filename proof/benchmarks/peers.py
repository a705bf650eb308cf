"""Other extractors that a reader may install, each in an environment of its own.

Their pins stand in requirements/peers-NAME.txt.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.environments import NotInstalledError, installed
from proof.benchmarks.programs import BenchmarkError

_LAUNCHER = Path(__file__).with_name("redirect.py")
_DISCOVER_SECONDS = 60
CONFIG = {
    "access_token": "sandbox",
    "start_date": "2010-01-01T00:00:00Z",  # before the first lead
    "user_agent": "benchmark",
}


@dataclass(frozen=True)
class Peer:
    """An extractor that scrolls.

    Attributes:
        name: Of its environment and its pins.
        title: Its package and version.
        stream: What it scrolls; those that scroll companies alone are given leads for companies.
        entry: Its main function.
        arguments: Makes its arguments, given itself, the API's address, and a folder.
    """

    name: str
    title: str
    stream: str
    entry: str
    arguments: Callable[[Peer, str, Path], list[str]]

    def install(self) -> Path:
        """Installs it, unless it is; returns the folder with its programs.

        Raises:
            BenchmarkError: That was not possible.
        """
        try:
            return installed(f"peers-{self.name}")
        except NotInstalledError as error:
            raise BenchmarkError(f"not installed: {error}") from None

    def command(self, url: str, folder: Path, pace: float = 1.0) -> list[str]:
        """The command line that reads all leads of a simulated API.

        Args:
            url: Of the simulated API.
            folder: Takes configuration and catalog.
            pace: How long a pause lasts, of what it should.
        """
        return [*self.launch(url, pace), *self.arguments(self, url, folder)]

    def launch(self, url: str, pace: float = 1.0) -> list[str]:
        """The beginning of that command line, without arguments."""
        python = str(self.install() / "python")
        return [python, str(_LAUNCHER), url, str(pace), self.entry]

    def discover(self, url: str, config: Path) -> dict[str, Any]:
        """The catalog of a Singer tap, with its stream selected.

        Raises:
            BenchmarkError: It gave none.
        """
        try:
            done = subprocess.run(
                [*self.launch(url, 0.0), "--config", str(config), "--discover"],
                check=True,
                capture_output=True,
                timeout=_DISCOVER_SECONDS,
            )
        except subprocess.SubprocessError as error:
            raise BenchmarkError(f"{self.title} gives no catalog: {error}") from None
        streams = [s for s in json.loads(done.stdout)["streams"] if s["stream"] == self.stream]
        for entry in streams[0]["metadata"]:
            entry["metadata"]["selected"] = True
        return {"streams": streams}


def _singer(peer: Peer, url: str, folder: Path) -> list[str]:
    config = _file(folder, "config.json", CONFIG)
    catalog = _file(folder, f"{peer.name}.json", peer.discover(url, config))
    return ["--config", str(config), "--catalog", str(catalog)]


def _airbyte(peer: Peer, _url: str, folder: Path) -> list[str]:
    stream = {
        "name": peer.stream,
        "json_schema": {},
        "supported_sync_modes": ["full_refresh"],
    }
    modes = {"sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
    config = _file(folder, "config.json", CONFIG)
    catalog = _file(folder, f"{peer.name}.json", {"streams": [{"stream": stream, **modes}]})
    return ["read", "--config", str(config), "--catalog", str(catalog)]


def _file(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    path.write_text(json.dumps(content))
    return path


PEERS = (
    Peer("tap-intercom-0", "tap-intercom 0.0.3", "leads", "tap_intercom:main", _singer),
    Peer("tap-intercom-2", "tap-intercom 2.2.5", "companies", "tap_intercom:main", _singer),
    Peer(
        "airbyte",
        "airbyte-source-intercom 0.8.3",
        "companies",
        "source_intercom.run:run",
        _airbyte,
    ),
)
