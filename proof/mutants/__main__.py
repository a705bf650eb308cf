"""Changes the code in small ways, one at a time, and shows which changes no test notices.

    python -m proof.mutants [FILE …]

Ends with an error if a change is neither noticed nor explained in `survivors.toml`, if fewer than
95 % are noticed, or if `survivors.toml` explains a change that is noticed or does not exist.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import tomllib
from collections import Counter
from pathlib import Path

from demo import environments
from demo.meltano import ROOT
from proof.mutants.attempts import Mutant, attempt_all
from proof.mutants.baseline import baseline

FILES = (
    *(f"tap_leads/{folder}/*.py" for folder in ("scroll", "records")),
    "tap_leads/singer/settings.py",
    "tap_leads/singer/sources.py",
)
TESTS = (
    "tests/unit",
    "tests/tap/test_connections.py",
    "--ignore=tests/unit/test_every_schedule.py",
)
"""Tests that are fast and run the code in their own process."""

LOWEST_SCORE = 95
PROCESSES = 2
SURVIVORS = Path(__file__).with_name("survivors.toml")


def mutants_of(files: list[str]) -> list[Mutant]:
    """Every mutant of some files."""
    python = environments.installed("mutants") / "python"
    done = subprocess.run(
        [python, Path(__file__).with_name("mutations.py"), *files],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    return [Mutant(**json.loads(line)) for line in done.stdout.splitlines()]


def explained(files: list[str]) -> dict[tuple[str, str, str], str]:
    """The survivors that are listed, each with the reason why it cannot be noticed."""
    listed = tomllib.loads(SURVIVORS.read_text())
    return {
        (path, function, change): reason
        for path, functions in listed.items()
        for function, changes in functions.items()
        for change, reason in changes.items()
        if path in files
    }


def quoted(text: str) -> str:
    """A text as TOML writes it."""
    return json.dumps(text, ensure_ascii=False)


def main(names: list[str]) -> int:
    """Tries every mutant, and prints what was not noticed."""
    started = time.monotonic()
    files = names or sorted(
        str(path.relative_to(ROOT)) for pattern in FILES for path in ROOT.glob(pattern)
    )
    mutants = mutants_of(files)
    before = baseline(TESTS, files)
    print(f"{len(mutants)} changes, {len(before.seconds)} tests", flush=True)
    controls = [Mutant(path, "", 0, "", (ROOT / path).read_text()) for path in files]
    for control, noticed in attempt_all(controls, before, PROCESSES):
        if noticed:  # then every change would seem to be noticed
            raise RuntimeError(f"The tests fail although {control.path} was not changed.")
    listed = explained(files)
    total: Counter[str] = Counter(mutant.path for mutant in mutants)
    survived: Counter[str] = Counter()
    unlisted, left = 0, set(listed)
    for mutant, noticed in attempt_all(mutants, before, PROCESSES):
        if noticed:
            continue
        survived[mutant.path] += 1
        key = (mutant.path, mutant.function, mutant.change)
        left.discard(key)
        if key not in listed:
            unlisted += 1
            print(f"Not noticed, {mutant.path}:{mutant.line}, as survivors.toml would list it:")
            print(f"[{quoted(mutant.path)}.{quoted(mutant.function)}]")
            print(f'{quoted(mutant.change)} = ""', flush=True)
    for path, function, change in sorted(left):
        print(f"Explained, but noticed or gone: {path} {function}: {change}")
    for path in files:
        print(f"{path}: {total[path] - survived[path]} of {total[path]} noticed")
    count, missed = total.total(), survived.total()
    score = 100 * (count - missed) / count
    minutes = (time.monotonic() - started) / 60
    print(
        f"{count - missed} of {count} changes were noticed ({score:.1f} %), {missed - unlisted} "
        f"others are explained, in {minutes:.0f} minutes"
    )
    return int(bool(unlisted or left or score < LOWEST_SCORE))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
