"""The list of workspaces: one entry is a Meltano plugin and an Airflow DAG.

test_orchestrate.py runs the list in Airflow.
"""

from __future__ import annotations

import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.cases import cases
from support.programs import finish, output

from demo import meltano
from demo.airflow.workspaces import WORKSPACES, loaded, settings
from demo.meltano import ROOT
from demo.postgres import PostgresServer
from orchestrate.workspaces import ListError, Options, read
from tap_leads.sandbox import Sandbox

LIST = ROOT / "orchestrate/workspaces.meltano.yml"
TOKENS = {"globex": 250, "initech": 150}


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """A file for a list of workspaces."""
    return tmp_path / "workspaces.meltano.yml"


def entry(options: str, name: str = "tap-leads--bad") -> str:
    return f"  - {{name: {name}, inherit_from: tap-leads, annotations: {{airflow: {options}}}}}\n"


HEAD = "plugins:\n  extractors:\n"
GOOD = entry("{leads: 10, schedule: '0 1 * * *'}", "tap-leads--good")


@cases(
    leads=(entry("{leads: 4e6}"), "tap-leads--bad: .*leads"),
    negative=(entry("{leads: -1}"), "tap-leads--bad: .*leads"),
    hours=(entry("{hours: 24h}"), "tap-leads--bad: .*hours"),
    no_limit=(entry("{hours: .inf}"), "tap-leads--bad: .*hours"),
    no_time=(entry("{hours: 0}"), "tap-leads--bad: .*hours"),
    retries=(entry("{retries: true}"), "tap-leads--bad: .*retries"),
    no_try=(entry("{retries: -1}"), "tap-leads--bad: .*retries"),
    pool=(entry("{pool: 5}"), "tap-leads--bad: .*pool"),
    queue=(entry("{queue: ''}"), "tap-leads--bad: .*queue"),
    owner=(entry("{owner: [x]}"), "tap-leads--bad: .*owner"),
    executor=(entry("{executor_config: x}"), "tap-leads--bad: .*config"),
    unknown_key=(entry("{lead: 5}"), "tap-leads--bad: .*`lead`"),
    cron=(entry("{schedule: 0 25 * * *}"), "tap-leads--bad: .*cron"),
    never=(entry("{schedule: 0 0 31 2 *}"), "tap-leads--bad: .*cron"),
    list=(entry("[leads]"), "tap-leads--bad: .*array"),
    null=(entry("").replace("{airflow: }", ""), "tap-leads--bad: .*annotations"),
    name=(entry("{}", "tap-leads--A_b"), "tap-leads--A_b: .*name"),
    number=(entry("{}", "5"), "5: .*name"),
    prefix=(entry("{leads: 5}", "tap-lead-x"), "tap-lead-x: .*name"),
    name_twice=(GOOD, "tap-leads--good: .*twice"),
    no_parent=("  - {name: tap-leads--bad}\n", "tap-leads--bad: .*inherit_from"),
    no_name=("  - {label: x}\n", "entry 2: .*name"),
    text=("  - acme\n", "entry 2: .*str"),
)
def test_a_wrong_entry_is_named_with_its_problem(wrong: str, words: str, listed: Path) -> None:
    """The other entries are right."""
    listed.write_text(HEAD + GOOD + wrong)
    [good], [problem] = read(listed)
    assert (good.name, good.options.leads) == ("tap-leads--good", 10)
    assert re.match(words, problem)


@cases("", "annotations: {}", "annotations: {airflow: }")
def test_an_entry_without_options_is_right(empty: str, listed: Path) -> None:
    listed.write_text(f"{HEAD}  - name: tap-leads--a\n    inherit_from: tap-leads\n    {empty}\n")
    [plain], problems = read(listed)
    assert (plain.options, problems) == (Options(), [])


@cases("plugins: [", "plugins:\n", "", "- x\n", "plugins: {extractors: }")
def test_a_list_that_cannot_be_read_is_one_clear_failure(text: str, listed: Path) -> None:
    listed.write_text(text)
    with pytest.raises(ListError, match=r"workspaces\.meltano\.yml"):
        read(listed)


@cases((HEAD + GOOD + GOOD, "--good: its name is used twice", "1 right, 1 wrong"), ("x", "", ""))
def test_the_check_fails_if_one_is_wrong(text: str, said: str, counts: str, listed: Path) -> None:
    listed.write_text(text)
    done = finish(sys.executable, "-m", "orchestrate.check", listed)
    assert done.returncode == 1
    assert said in done.stderr
    assert counts in done.stdout


def test_the_list_of_this_project_is_right_and_that_of_the_demo() -> None:
    printed = output(sys.executable, "-m", "orchestrate.check")
    assert printed == f"workspaces.meltano.yml: {len(WORKSPACES)} right, 0 wrong\n"
    assert {workspace.name for workspace in read(LIST)[0]} == set(WORKSPACES)


@pytest.mark.timeout(300)
def test_a_second_run_of_a_workspace_is_refused(postgres: PostgresServer, tmp_path: Path) -> None:
    """The README's xargs loads the others. Two share ids and a table; neither deletes the other's.

    The second run is on another machine: it shares only Meltano's system database with the first.
    """
    readme = (ROOT / "orchestrate/README.md").read_text()
    [xargs] = re.findall(r"^```sh\n(sed -n [^`]*xargs -P [^`]*)```", readme, re.MULTILINE)
    listed = tmp_path / LIST.name
    listed.write_text(LIST.read_text().replace("name: tap-leads--acme", ""))
    command = xargs.replace(str(LIST.relative_to(ROOT)), str(listed))
    run = ("run", "tap-leads--globex", "target-postgres")
    with ThreadPoolExecutor() as pool, Sandbox(workspaces=TOKENS, idle_limit=1.0) as sandbox:
        globex, initech = sandbox.workspaces.values()
        env = settings(sandbox.url, postgres, tmp_path) | {"TAP_LEADS_SCROLL_EXPIRY": "1"}
        env |= {f"TAP_LEADS__{name.upper()}_ACCESS_TOKEN": name for name in TOKENS}
        own = {"MELTANO_SYS_DIR_ROOT": str(tmp_path)}
        globex.occupy(600)
        first = pool.submit(meltano.run, *run, folder=tmp_path, env=env | own)
        # As the README says, the first workspace of a table makes it alone; here it then waits.
        while postgres.query("SELECT to_regclass('leads.contacts')") == [(None,)]:
            assert not first.done(), first.result().stdout
            time.sleep(0.2)
        own = meltano.environment() | env | {"TMPDIR": str(tmp_path)}
        others = finish("bash", "-c", command, env=own, timeout=240)
        globex.release()
        assert first.result().returncode == 0, first.result().stdout
    assert others.returncode == 123
    assert others.stdout.count("already running") == 1
    for workspace in (globex, initech):
        rows = loaded(postgres, "leads", workspace.app_id)
        assert sorted(rows) == sorted(lead["id"] for lead in workspace.leads())
    assert len({lead["id"] for held in (globex, initech) for lead in held.leads()}) == 250
