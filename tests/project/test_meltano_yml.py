"""meltano.yml fits Meltano's own schema, and accepts values as people write them."""

from __future__ import annotations

from pathlib import Path

from ruamel.yaml import YAML
from support.cases import cases
from support.programs import BIN, output
from support.tap import ids_of

from demo import meltano
from tap_leads.sandbox import Sandbox


def test_the_project_files_fit_meltanos_schema() -> None:
    """The schema is that of the hook `check-meltano` of check-jsonschema."""
    files = ("meltano.yml", "orchestrate/workspaces.meltano.yml")
    output(BIN / "check-jsonschema", "--builtin-schema", "vendor.meltano", *files)


@cases(["invoke", "tap-leads"], ["config", "test", "tap-leads"])
def test_a_version_without_quotes_is_a_version(order: list[str], tmp_path: Path) -> None:
    """YAML makes a number of it, which Meltano refuses where a setting has choices."""
    yaml = YAML()
    project = yaml.load(meltano.ROOT / "meltano.yml")
    del project["include_paths"]
    (tap,) = project["plugins"]["extractors"]
    tap["config"] = {"api_version": 1.3}
    yaml.dump(project, tmp_path / "meltano.yml")
    folder = tmp_path / "folder"
    (folder / "run/tap-leads").mkdir(parents=True)
    with Sandbox(leads=5) as sandbox:
        env = meltano.tap_settings(sandbox)
        done = meltano.run(*order, folder=folder, env=env, cwd=tmp_path)
        assert done.returncode == 0, done.stdout
        assert {headers["Intercom-Version"] for headers in sandbox.headers_seen} == {"1.3"}
        if order[0] == "invoke":
            assert all(identity in done.stdout for identity in ids_of(sandbox))
