"""Runs tests in forked processes: once as the code is, then once for each mutant.

A mutant is never written to a file: the process that tries it loads the changed source in place of
the file's own.
"""

from __future__ import annotations

import importlib.machinery
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import coverage
import pytest
from hypothesis import HealthCheck, settings

from demo.meltano import ROOT

OWN = ("tap_leads", "tests", "support", "demo", "conftest", "test_")
# Plain assertions: the modules that pytest would rewrite are imported before.
_OPTIONS = (
    *("-o", "addopts=", "-o", "timeout=0", "-p", "no:cacheprovider", "--assert=plain", "-q"),
    *("--hypothesis-profile", "mutants"),
)
# The same examples for each mutant: else chance would decide whether one is noticed.
settings.register_profile(
    "mutants",
    max_examples=30,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
_MOST_MEMORY = 8 * 1024**3
_LARGEST_FILE = 1024**3


@dataclass(frozen=True)
class Mutant:
    """A changed file.

    Attributes:
        path: The file.
        function: The name of the changed function; empty outside of functions.
        line: The first line that was changed.
        change: The lines that differ, before and after.
        source: The content of the changed file.
    """

    path: str
    function: str
    line: int
    change: str
    source: str


@dataclass(frozen=True)
class Baseline:
    """What the tests do if nothing is changed.

    Attributes:
        seconds: How long each test takes.
        by_line: By file and line, the tests that run the line.
        libraries: The modules of other projects that the tests import.
    """

    seconds: dict[str, float]
    by_line: dict[str, dict[int, list[str]]]
    libraries: list[str]

    def tests_of(self, mutant: Mutant) -> list[str]:
        """The tests that may notice a mutant, the fastest first."""
        lines = self.by_line.get(mutant.path, {})
        tests = set(lines.get(mutant.line, []))
        if not tests:  # it runs when the module is imported
            tests = {test for found in lines.values() for test in found}
        return sorted(tests or self.seconds, key=self.seconds.__getitem__)


class Observer:
    """A plugin of pytest that notes which test runs which line."""

    def __init__(self, files: Sequence[str]) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._files = files
        self._coverage = coverage.Coverage(
            data_file=None, config_file=False, include=[str(ROOT / file) for file in files]
        )
        self._coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Notes the lines and the time of a test."""
        self._coverage.switch_context(item.nodeid)
        started = time.monotonic()
        result = yield
        self.seconds[item.nodeid] = time.monotonic() - started
        self._coverage.switch_context("")
        return result

    def baseline(self) -> dict[str, Any]:
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
        libraries = [name for name in sys.modules if not name.startswith(OWN)]
        return {"seconds": self.seconds, "by_line": by_line, "libraries": libraries}


class Chosen:
    """A plugin of pytest that runs some tests in a given order."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._places = {test: place for place, test in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leaves the chosen tests, in their order."""
        items[:] = sorted(
            (item for item in items if item.nodeid in self._places),
            key=lambda item: self._places[item.nodeid],
        )


def baseline(tests: Sequence[str], files: Sequence[str]) -> Baseline:
    """Runs the tests as the code is.

    Raises:
        RuntimeError: One fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        result, log = Path(folder, "baseline.json"), Path(folder, "log.txt")

        def observe() -> int:
            observer = Observer(files)
            code = pytest.main([*_options(folder), *tests], plugins=[observer])
            result.write_text(json.dumps(observer.baseline()))
            return code

        _, status = os.waitpid(_fork(observe, 1800, log), 0)
        code = os.waitstatus_to_exitcode(status)
        if code != 0:
            raise RuntimeError(f"The tests fail as the code is:\n{log.read_text()}")
        found = json.loads(result.read_text())
    by_line = {
        name: {int(line): tests for line, tests in lines.items()}
        for name, lines in found["by_line"].items()
    }
    return Baseline(found["seconds"], by_line, found["libraries"])


def attempt_all(
    mutants: Sequence[Mutant], before: Baseline, processes: int
) -> Iterator[tuple[Mutant, bool]]:
    """Runs the tests of each mutant; says of each mutant whether a test noticed it."""
    _import(before.libraries)
    running: dict[int, Mutant] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, mutant in enumerate(mutants):
            if len(running) >= processes:
                yield _next_result(running)
            tests = before.tests_of(mutant)
            seconds = 10 + 10 * sum(before.seconds[test] for test in tests)
            attempt = _attempt(mutant, tests, Path(folder, str(number)))
            running[_fork(attempt, int(seconds))] = mutant
        while running:
            yield _next_result(running)


def _attempt(mutant: Mutant, tests: Sequence[str], folder: Path) -> Callable[[], int]:
    def attempt() -> int:
        _replace(ROOT / mutant.path, mutant.source)
        files = sorted({test.partition("::")[0] for test in tests})
        try:
            return pytest.main([*_options(folder), "-x", *files], plugins=[Chosen(tests)])
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    return attempt


def _next_result(running: dict[int, Mutant]) -> tuple[Mutant, bool]:
    process, status = os.wait()
    with suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)  # what a test has left
    code = os.waitstatus_to_exitcode(status)
    return running.pop(process), code not in {
        pytest.ExitCode.OK,
        pytest.ExitCode.NO_TESTS_COLLECTED,
    }


def _fork(run: Callable[[], int], seconds: int, log: str | Path = os.devnull) -> int:
    """Runs a function in a process of its own; it is ended when its time is up."""
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        os.setsid()
        signal.alarm(seconds)
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
        with Path(log).open("w+b") as output:
            for number in range(3):
                os.dup2(output.fileno(), number)
        code = int(run())
    except BaseException:  # noqa: BLE001 - the process ends here, whatever it is
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _replace(path: Path, source: str) -> None:
    """Lets imports of a file find this source in it."""
    load = importlib.machinery.SourceFileLoader.get_code

    def get_code(loader: importlib.machinery.SourceFileLoader, name: str) -> Any:
        if loader.path == str(path):
            return compile(source, path, "exec", dont_inherit=True)
        return load(loader, name)

    importlib.machinery.SourceFileLoader.get_code = get_code


def _import(libraries: Sequence[str]) -> None:
    """Imports what the tests need, so that it is not imported again for each mutant."""
    for name in libraries:
        with suppress(Exception):
            importlib.import_module(name)


def _options(folder: str | Path) -> list[str]:
    return [*_OPTIONS, f"--basetemp={folder}/pytest", f"--rootdir={ROOT}"]
