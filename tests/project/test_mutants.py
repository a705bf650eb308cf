"""The list of the changes that no test can notice; `make mutants` tries all changes."""

from __future__ import annotations

import tomllib

from demo.meltano import ROOT


def test_each_change_that_no_test_notices_has_a_file_and_a_reason() -> None:
    listed = tomllib.loads((ROOT / "proof/mutants/survivors.toml").read_text())
    assert listed
    for path, functions in listed.items():
        assert (ROOT / path).exists(), path
        for changes in functions.values():
            assert all(
                " → " in change and reason.endswith(".") for change, reason in changes.items()
            )
