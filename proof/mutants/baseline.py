"""What the tests do as the code is: which lines each of them runs, and how long it takes."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import coverage
import pytest

from demo.meltano import ROOT
from proof.mutants.processes import fork, kill, run_pytest

_OWN = ("tap_leads", "tests", "support", "demo", "conftest", "test_")
_LIMIT = 1800


@dataclass(frozen=True)
class Baseline:
    """What the tests do as the code is.

    Attributes:
        seconds: How long each test takes.
        by_line: By file and line, the tests that run the line.
        libraries: The modules of other projects that the tests import.
    """

    seconds: dict[str, float]
    by_line: dict[str, dict[int, list[str]]]
    libraries: list[str]

    def tests_of(self, path: str, line: int) -> list[str]:
        """The tests that may notice a change of a line, first those that run it.

        Some tests use a line without running it, for example a constant. So all tests of the
        modules that run or import the file follow, and the fastest come first in both parts.
        """
        lines = self.by_line.get(path, {})
        first = set(lines.get(line, []))
        modules = {_module(test) for tests in lines.values() for test in tests}
        modules |= {name for name in map(_module, self.seconds) if _imports(name, path)}
        others = {test for test in self.seconds if not modules or _module(test) in modules}
        fastest = self.seconds.__getitem__
        return [*sorted(first, key=fastest), *sorted(others - first, key=fastest)]


def _module(test: str) -> str:
    return test.partition("::")[0]


@cache
def _imports(module: str, path: str) -> bool:
    """Whether a test module imports a file."""
    name = path.removesuffix(".py").replace("/", ".")
    return f"from {name} import" in (ROOT / module).read_text()


class _Observer:
    """A plugin of pytest that notes which test runs which line."""

    def __init__(self, files: Sequence[str]) -> None:
        self._seconds: dict[str, float] = defaultdict(float)
        self._files = files
        paths = [str(ROOT / file) for file in files]
        self._coverage = coverage.Coverage(data_file=None, config_file=False, include=paths)
        self._coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Notes the lines and the time of a test."""
        self._coverage.switch_context(item.nodeid)
        started = time.monotonic()
        result = yield
        self._seconds[item.nodeid] = time.monotonic() - started
        self._coverage.switch_context("")
        return result

    def found(self) -> dict[str, Any]:
        """What was noted, as the arguments of `Baseline`."""
        self._coverage.stop()
        data = self._coverage.get_data()
        by_line = {
            name: {
                line: [test for test in tests if test]
                for line, tests in data.contexts_by_lineno(str(ROOT / name)).items()
            }
            for name in self._files
        }
        libraries = [name for name in sys.modules if not name.startswith(_OWN)]
        return {"seconds": self._seconds, "by_line": by_line, "libraries": libraries}


def baseline(tests: Sequence[str], files: Sequence[str]) -> Baseline:
    """Runs the tests as the code is, and notes which lines of some files they run.

    Raises:
        RuntimeError: A test fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        result, log = Path(folder, "baseline.json"), Path(folder, "log.txt")

        def observe() -> int:
            observer = _Observer(files)
            code = run_pytest(folder, *tests, plugins=[observer])
            result.write_text(json.dumps(observer.found()))
            return code

        process = fork(observe, _LIMIT, log)
        try:
            _, status = os.waitpid(process, 0)
        finally:
            kill(process)
        if status:
            raise RuntimeError(f"The tests fail as the code is:\n{log.read_text()}")
        found = json.loads(result.read_text())
    by_line = {
        name: {int(line): tests for line, tests in lines.items()}
        for name, lines in found["by_line"].items()
    }
    return Baseline(found["seconds"], by_line, found["libraries"])
