"""The list of workspaces: one entry is a Meltano plugin and an Airflow DAG.

test_orchestrate.py runs the list in Airflow.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

import pytest
import yaml
from support.cases import cases
from support.programs import output

from demo import meltano
from demo.airflow.workspaces import WORKSPACES, loaded, settings
from demo.meltano import ROOT
from demo.postgres import PostgresServer
from orchestrate.check import main
from tap_leads.sandbox import Sandbox

LIST = ROOT / "orchestrate/workspaces.meltano.yml"
ENTRIES = yaml.safe_load(LIST.read_text())["plugins"]["extractors"]
PLUGINS = {plugin["name"]: plugin for plugin in ENTRIES}
NAMES = [name for name in PLUGINS if name.startswith("tap-leads--")]
TOKENS = {"acme": 120, "globex": 250, "initech": 150}


Check: TypeAlias = Callable[[str], tuple[int, list[str]]]


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """Checks a list; returns exit code and lines."""

    def run(text: str) -> tuple[int, list[str]]:
        file = tmp_path / "workspaces.meltano.yml"
        file.write_text(text)
        code = main(file)
        out, err = capsys.readouterr()
        return code, (err + out).splitlines()

    return run


def entry(options: str, name: str = "tap-leads--bad") -> str:
    return f"  - {{name: {name}, inherit_from: tap-leads, annotations: {{airflow: {options}}}}}\n"


HEAD = "plugins:\n  extractors:\n"
GOOD = entry("{leads: 10, schedule: '0 1 * * *'}", "tap-leads--good")


@cases(
    leads=(entry("{leads: 4e6}"), ["tap-leads--bad: ", "leads"]),
    negative=(entry("{leads: -1}"), ["tap-leads--bad: ", "leads"]),
    hours=(entry("{hours: 24h}"), ["tap-leads--bad: ", "hours"]),
    no_limit=(entry("{hours: .inf}"), ["tap-leads--bad: ", "hours"]),
    no_time=(entry("{hours: 0}"), ["tap-leads--bad: ", "hours"]),
    retries=(entry("{retries: true}"), ["tap-leads--bad: ", "retries"]),
    no_try=(entry("{retries: -1}"), ["tap-leads--bad: ", "retries"]),
    pool=(entry("{pool: 5}"), ["tap-leads--bad: ", "pool"]),
    queue=(entry("{queue: ''}"), ["tap-leads--bad: ", "queue"]),
    owner=(entry("{owner: [x]}"), ["tap-leads--bad: ", "owner"]),
    executor=(entry("{executor_config: x}"), ["tap-leads--bad: ", "config"]),
    unknown_key=(entry("{lead: 5}"), ["tap-leads--bad: ", "`lead`"]),
    cron=(entry("{schedule: 0 25 * * *}"), ["tap-leads--bad: ", "cron"]),
    list=(entry("[leads]"), ["tap-leads--bad: ", "array"]),
    never=(entry("{schedule: 0 0 31 2 *}"), ["tap-leads--bad: ", "cron"]),
    no_cron=(entry("{schedule: often}"), ["tap-leads--bad: ", "cron"]),
    null=(entry("").replace("{airflow: }", ""), ["bad: ", "annotations"]),
    name=(entry("{}", "tap-leads--A_b"), ["tap-leads--A_b: ", "name"]),
    dot=(entry("{}", "tap-leads--a.b"), ["tap-leads--a.b: ", "name"]),
    blank=(entry("{}", "tap-leads--a b"), ["tap-leads--a b: ", "name"]),
    number=(entry("{}", "5"), ["5: ", "name"]),
    prefix=(entry("{leads: 5}", "tap-lead-x"), ["tap-lead-x: ", "name"]),
    name_twice=(GOOD, ["tap-leads--good: ", "twice"]),
    no_parent=("  - {name: tap-leads--bad}\n", ["bad: ", "inherit_from"]),
    no_name=("  - {label: x}\n", ["entry 2: ", "name"]),
    text=("  - acme\n", ["entry 2: ", "str"]),
    nothing=("  -\n", ["entry 2: ", "null"]),
)
def test_a_wrong_entry_is_named_with_its_problem_and_the_others_count(
    wrong: str, said: list[str], check: Check
) -> None:
    code, [line, total] = check(HEAD + GOOD + wrong)
    assert code == 1
    assert all(words in line for words in said), line
    assert total.endswith("1 right, 1 wrong")


@cases("", "annotations: {}", "annotations: {airflow: }")
def test_an_entry_without_options_is_right(empty: str, check: Check) -> None:
    text = f"{HEAD}  - name: tap-leads--plain\n    inherit_from: tap-leads\n    {empty}\n"
    assert check(text) == (0, ["workspaces.meltano.yml: 1 right, 0 wrong"])


@cases("plugins: [", "plugins:\n", "", "- x\n", "plugins: {extractors: }")
def test_a_list_that_cannot_be_read_is_one_clear_failure(text: str, check: Check) -> None:
    code, lines = check(text)
    assert code == 1
    assert "workspaces.meltano.yml" in lines[0]


def test_the_list_of_this_project_is_right() -> None:
    printed = output(sys.executable, "-m", "orchestrate.check")
    assert printed == f"workspaces.meltano.yml: {len(NAMES)} right, 0 wrong\n"


def test_every_entry_of_the_list_has_a_name_and_a_variable_of_its_own() -> None:
    assert all(re.fullmatch(r"tap-leads--[a-z0-9]+(-[a-z0-9]+)*", name) for name in NAMES)
    assert len(PLUGINS) == len(ENTRIES)
    assert {PLUGINS[name]["inherit_from"] for name in NAMES} <= {"tap-leads", "tap-leads-one-table"}
    assert set(NAMES) == set(WORKSPACES), "the demo shows the workspaces of the list"


@pytest.mark.timeout(300)
def test_a_second_run_of_a_workspace_is_refused_and_the_readmes_xargs_loads_all_at_once(
    tmp_path: Path,
) -> None:
    """One workspace has its own schema; two share ids and a table, and keep each other's leads.

    The second run is on another machine: it shares only Meltano's system database with the first.
    """
    readme = (ROOT / "orchestrate/README.md").read_text()
    [xargs] = re.findall(r"^```sh\n(sed -n [^`]*xargs -P [^`]*)```", readme, re.MULTILINE)
    with PostgresServer() as server, Sandbox(workspaces=TOKENS, idle_limit=1.0) as sandbox:
        env = settings(sandbox.url, server, tmp_path) | {"TAP_LEADS_SCROLL_EXPIRY": "1"}
        env |= {f"TAP_LEADS__{name.upper()}_ACCESS_TOKEN": name for name in TOKENS}

        def run(home: str) -> subprocess.CompletedProcess[str]:
            folder = tmp_path / home
            folder.mkdir(exist_ok=True)
            own = env | {"MELTANO_SYS_DIR_ROOT": str(folder)}
            return meltano.run(
                "run", "tap-leads--globex", "target-postgres", folder=folder, env=own
            )

        # As the README says, the first workspace of a table is loaded alone, and here it waits.
        sandbox.workspaces["globex"].occupy(600)
        with ThreadPoolExecutor() as pool:
            first = pool.submit(run, "meltano")
            deadline = time.monotonic() + 60
            running = "SELECT 1 FROM runs WHERE state = 'RUNNING'"
            while not server.query(running) and time.monotonic() < deadline:
                time.sleep(0.1)
            second = run("another")
            sandbox.workspaces["globex"].release()
        assert first.result().returncode == 0, first.result().stdout
        assert second.returncode != 0
        assert "already running" in second.stdout

        (tmp_path / "tmp").mkdir()
        own = meltano.environment() | env | {"TMPDIR": str(tmp_path / "tmp")}
        output("bash", "-c", xargs, env=own, seconds=240)
        assert not [path for path in (tmp_path / "tmp").rglob("*") if path.is_file()]
        leads = {
            name: sorted(lead["id"] for lead in workspace.leads())
            for name, workspace in sandbox.workspaces.items()
        }
        assert set(leads["initech"]) < set(leads["globex"])
        for name, schema in (
            ("acme", "tap_leads__acme"),
            ("globex", "leads"),
            ("initech", "leads"),
        ):
            rows = loaded(server, schema, sandbox.workspaces[name].app_id)
            assert sorted(rows) == leads[name]
