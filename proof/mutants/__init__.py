"""Tests the tests: each small change of the code should make one of them fail.

    make mutants

`mutations` makes the changes, `attempts` runs the tests on each, and `survivors.toml` explains
those that no test can notice.
"""
