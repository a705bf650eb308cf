"""Tries mutants: each in a process of its own, with the tests that run the changed code.

A mutant is never written to a file: the process that tries it loads the changed source in place of
the file's own.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType

import pytest

from demo.meltano import ROOT
from proof.mutants.baseline import Baseline
from proof.mutants.processes import fork, kill, run_pytest

_LIMIT = 120.0
"""Seconds after which a mutant that does not end counts as noticed."""

_UNNOTICED = {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}


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


class _Replaced(SourceFileLoader):
    """Finds a module with a mutant's source in place of the file's own."""

    def __init__(self, mutant: Mutant) -> None:
        name = mutant.path.removesuffix(".py").replace("/", ".")
        super().__init__(name, str(ROOT / mutant.path))
        self._source = mutant.source

    def find_spec(
        self, fullname: str, _path: object = None, _target: object = None
    ) -> ModuleSpec | None:
        """The place of the module; None for any other module."""
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self)

    def get_code(self, fullname: str) -> CodeType:
        """The mutant."""
        return compile(self._source, f"{fullname}, changed", "exec", dont_inherit=True)


class _Chosen:
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


def attempt_all(
    mutants: Sequence[Mutant], before: Baseline, processes: int
) -> Iterator[tuple[Mutant, bool]]:
    """Runs the tests of each mutant; says of each mutant whether a test noticed it."""
    for name in before.libraries:  # so that no process imports them again
        with suppress(Exception):
            importlib.import_module(name)
    gc.freeze()  # the garbage collector of each process leaves these alone: half of the time
    running: dict[int, Mutant] = {}
    try:
        with tempfile.TemporaryDirectory() as folder:
            for number, mutant in enumerate(mutants):
                if len(running) >= processes:
                    yield _next_result(running)
                tests = before.tests_of(mutant.path, mutant.line)
                seconds = min(_LIMIT, 20 + 2 * sum(before.seconds[test] for test in tests))
                attempt = _attempt(mutant, tests, Path(folder, str(number)))
                running[fork(attempt, int(seconds))] = mutant
            while running:
                yield _next_result(running)
    finally:
        for process in running:
            kill(process)


def _attempt(mutant: Mutant, tests: Sequence[str], folder: Path) -> Callable[[], int]:
    def attempt() -> int:
        folder.mkdir()  # pytest makes no parents of its folder, and would fail
        sys.meta_path.insert(0, _Replaced(mutant))
        # File by file, as most mutants are noticed before the last file would be imported.
        files = dict.fromkeys(test.partition("::")[0] for test in tests)
        try:
            for file in files:
                code = run_pytest(folder, "-x", file, plugins=[_Chosen(tests)])
                if code not in _UNNOTICED:
                    return code
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return pytest.ExitCode.OK

    return attempt


def _next_result(running: dict[int, Mutant]) -> tuple[Mutant, bool]:
    process, status = os.wait()
    kill(process)  # and what a test has left
    return running.pop(process), os.waitstatus_to_exitcode(status) not in _UNNOTICED
