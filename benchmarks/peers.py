"""Other extractors that a reader may install, each in an environment of its own.

Their pins stand in requirements/peers-NAME.txt, their environments in .cache/peers/NAME.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.programs import ROOT, BenchmarkError

_LAUNCHER = ROOT / "benchmarks" / "redirect.py"
_INSTALL_SECONDS = 600
_DISCOVER_SECONDS = 60
_CONFIG = {
    "access_token": "sandbox",
    "start_date": "2010-01-01T00:00:00Z",  # before the first lead
    "user_agent": "benchmark",
}
# As in the Makefile.
_UV = {
    "UV_CACHE_DIR": str(ROOT / ".cache" / "uv"),
    "UV_SYSTEM_CERTS": "1",
    "UV_PYTHON_DOWNLOADS": "never",
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

    @property
    def folder(self) -> Path:
        """Its environment."""
        return ROOT / ".cache" / "peers" / self.name

    def install(self) -> None:
        """Installs it, unless it is.

        Raises:
            BenchmarkError: That was not possible.
        """
        pins = ROOT / "requirements" / f"peers-{self.name}.txt"
        ready = self.folder / ".ready"
        if ready.exists() and ready.stat().st_mtime >= pins.stat().st_mtime:
            return
        print(f"Installing {self.title} into .cache/peers/{self.name} (once)", file=sys.stderr)
        python = str(self.folder / "bin" / "python")
        if find_spec("uv"):
            uv = [sys.executable, "-m", "uv"]
            _call(*uv, "venv", "--quiet", "--clear", str(self.folder))
            _call(*uv, "pip", "install", "--quiet", "--python", python, "-r", str(pins))
        else:
            _call(sys.executable, "-m", "venv", "--clear", str(self.folder))
            _call(python, "-m", "pip", "install", "--quiet", "-r", str(pins))
        ready.touch()

    def command(self, url: str, folder: Path, pace: float = 1.0) -> list[str]:
        """The command line that reads all leads of a simulated API.

        Args:
            url: Of the simulated API.
            folder: Takes configuration and catalog.
            pace: How long a pause lasts, of what it should.
        """
        return [*self._launch(url, pace), *self.arguments(self, url, folder)]

    def _launch(self, url: str, pace: float) -> list[str]:
        python = str(self.folder / "bin" / "python")
        return [python, str(_LAUNCHER), url, str(pace), self.entry]

    def discover(self, url: str, config: Path) -> dict[str, Any]:
        """The catalog of a Singer tap, with its stream selected.

        Raises:
            BenchmarkError: It gave none.
        """
        try:
            done = subprocess.run(
                [*self._launch(url, 0.0), "--config", str(config), "--discover"],
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


def _call(*command: str) -> None:
    try:
        subprocess.run(
            command,
            check=True,
            env=_UV | os.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_INSTALL_SECONDS,
        )
    except subprocess.CalledProcessError as error:
        lines = error.stdout.strip().splitlines() or ["no reason given"]
        raise BenchmarkError(f"not installed: {lines[-1].strip()}") from None
    except subprocess.TimeoutExpired:
        raise BenchmarkError(f"not installed within {_INSTALL_SECONDS} s") from None


def _singer(peer: Peer, url: str, folder: Path) -> list[str]:
    config = _file(folder, "config.json", _CONFIG)
    catalog = _file(folder, f"{peer.name}.json", peer.discover(url, config))
    return ["--config", str(config), "--catalog", str(catalog)]


def _airbyte(peer: Peer, _url: str, folder: Path) -> list[str]:
    stream = {
        "name": peer.stream,
        "json_schema": {},
        "supported_sync_modes": ["full_refresh"],
    }
    modes = {"sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
    config = _file(folder, "config.json", _CONFIG)
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
