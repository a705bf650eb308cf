"""Other extractors that a reader may install, each in an environment of its own.

Their pins are in requirements/peers-NAME.txt.
"""

from __future__ import annotations

import json
import subprocess
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
        singer: Whether it is a Singer tap; otherwise it is one of Airbyte's sources.
    """

    name: str
    title: str
    stream: str
    entry: str
    singer: bool = True

    def launch(self, url: str, pace: float = 1.0) -> list[str]:
        """The command line that sends it to a simulated API, without arguments.

        Args:
            url: Of the simulated API.
            pace: How long a pause lasts, of what it should.

        Raises:
            BenchmarkError: It could not be installed.
        """
        try:
            python = installed(f"peers-{self.name}") / "python"
        except NotInstalledError as error:
            raise BenchmarkError(f"not installed: {error}") from None
        return [str(python), str(_LAUNCHER), url, str(pace), self.entry]

    def command(self, url: str, folder: Path, pace: float = 1.0) -> list[str]:
        """The command line that reads all leads of a simulated API.

        Args:
            url: Of the simulated API.
            folder: Takes configuration and catalog.
            pace: How long a pause lasts, of what it should.

        Raises:
            BenchmarkError: It could not be installed, or gives no catalog.
        """
        config, catalog = folder / "config.json", folder / f"{self.name}.json"
        config.write_text(json.dumps(CONFIG))
        found = self._discovered(url, config) if self.singer else self._configured()
        catalog.write_text(json.dumps(found))
        read = [] if self.singer else ["read"]
        files = ["--config", str(config), "--catalog", str(catalog)]
        return [*self.launch(url, pace), *read, *files]

    def _discovered(self, url: str, config: Path) -> dict[str, Any]:
        """The catalog of a Singer tap, with its stream selected."""
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

    def _configured(self) -> dict[str, Any]:
        """The catalog of a source of Airbyte's."""
        modes = ["full_refresh"]
        stream = {"name": self.stream, "json_schema": {}, "supported_sync_modes": modes}
        how = {"sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
        return {"streams": [{"stream": stream, **how}]}


PEERS = (
    Peer("tap-intercom-0", "tap-intercom 0.0.3", "leads", "tap_intercom:main"),
    Peer("tap-intercom-2", "tap-intercom 2.2.5", "companies", "tap_intercom:main"),
    Peer(
        "airbyte",
        "airbyte-source-intercom 0.8.3",
        "companies",
        "source_intercom.run:run",
        singer=False,
    ),
)
