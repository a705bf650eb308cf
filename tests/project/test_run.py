"""orchestrate/run.py runs a workspace, and leaves no file and no process behind.

Where Meltano itself does not matter, a script replaces it.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from support.cases import cases
from support.programs import BIN, finish, output

from demo.meltano import ROOT, environment, tap_settings
from orchestrate import cleanup
from orchestrate.workspaces import entries_of
from tap_leads.sandbox import Sandbox

GLOBEX = "tap-leads--globex"
REFUSED = "Intercom refused the access token (HTTP 401, unauthorized)."
# Writes a file like Meltano, starts a child in its process group, and waits.
WAITING = """
mkdir "$MELTANO_SYS_DIR_ROOT/run"
touch "$MELTANO_SYS_DIR_ROOT/run/tap.config.json"
sleep 60 &
echo started $! $$
wait
"""
MELTANO = f'{BIN}/meltano "$@"'
RUN = (sys.executable, ROOT / "orchestrate/run.py", GLOBEX, "target-jsonl")


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """The environment of a run whose files are all in this folder; SCRIPT replaces Meltano."""
    for name in ("bin", "meltano", "tmp"):
        (tmp_path / name).mkdir()
    for plugins in ("extractors", "loaders"):
        (tmp_path / "meltano" / plugins).symlink_to(ROOT / ".meltano" / plugins)
    (tmp_path / "bin/meltano").write_text('#!/bin/bash\neval "$SCRIPT"\n')
    (tmp_path / "bin/meltano").chmod(0o755)
    base = environment()
    return base | {
        "PATH": f"{tmp_path / 'bin'}:{base['PATH']}",
        "TMPDIR": str(tmp_path / "tmp"),
        "MELTANO_SYS_DIR_ROOT": str(tmp_path / "meltano"),
        "TARGET_JSONL_DESTINATION_PATH": str(tmp_path),
    }


def files(folder: Path) -> list[Path]:
    """The temporary files of the runs."""
    return [path for path in (folder / "tmp").rglob("*") if not path.is_dir()]


def test_a_run_is_complete_and_leaves_no_file(env: dict[str, str], tmp_path: Path) -> None:
    """Meltano refuses a whole list with wrong entries, unless the run gets its own entries only."""
    project = tmp_path / "project"
    (project / "orchestrate").mkdir(parents=True)
    shutil.copy(ROOT / "meltano.yml", project)
    listed = project / "orchestrate/workspaces.meltano.yml"
    listed.write_text("plugins: {extractors: [text, {name: tap-leads--bad, annotations: }]}")
    entries = entries_of(ROOT / "orchestrate/workspaces.meltano.yml", GLOBEX)
    assert [entry["name"] for entry in entries] == [GLOBEX, "tap-leads-one-table"]
    own = {"WORKSPACE_ENTRIES": json.dumps({"plugins": {"extractors": entries}})}
    with Sandbox(leads=250) as sandbox:
        env |= tap_settings(sandbox) | {"MELTANO_PROJECT_ROOT": str(project), "SCRIPT": MELTANO}
        assert finish(*RUN, env=env).returncode != 0
        output(*RUN, env=env | own)
    assert len((tmp_path / "contacts.jsonl").read_text().splitlines()) == 250
    assert files(tmp_path) == []
    # Meltano's state is where it is without this program, so the next run finds it.
    assert (tmp_path / "meltano/meltano.db").is_file()


def test_a_refused_token_is_1_for_meltano_and_77_for_a_run(env: dict[str, str]) -> None:
    """After the tap's error, Meltano writes a line of its own."""
    with Sandbox(leads=250, faults=["401@1"]) as sandbox:
        env |= {"SCRIPT": f"{MELTANO}\ncode=$?; echo $code; exit $code"}
        done = finish(*RUN, env=env | tap_settings(sandbox))
    *before, last, code = done.stdout.splitlines()
    assert (done.returncode, code) == (77, "1"), done.stdout
    assert "Run completed" in last
    assert any(REFUSED in line for line in before)


@cases(
    no_permission=("exec $TAP --config=ENV", ["403@1"], 77),
    firewall=("exec $TAP --config=ENV", ["403@1", "html@1"], 1),
    warning=(f"echo '[warning] {REFUSED}'; exit 1", [], 1),
    success=(f"echo '[error] {REFUSED}'; exit 0", [], 0),
    signal=("kill -TERM $$", [], 143),
)
def test_only_a_refusal_changes_the_exit_code(
    script: str, faults: list[str], code: int, env: dict[str, str]
) -> None:
    """The tap runs without Meltano, which adds nothing to its lines that matters here."""
    env |= {"SCRIPT": script, "TAP": f"{sys.executable} -m tap_leads"}
    with Sandbox(leads=250, faults=faults) as sandbox:
        done = finish(*RUN, env=env | tap_settings(sandbox))
    assert done.returncode == code, done.stdout


@cases(signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, watched=None)
def test_a_run_that_is_killed_leaves_nothing(
    number: signal.Signals | None, env: dict[str, str], tmp_path: Path
) -> None:
    """No process and no file; also if a process ends that it watches, but is not its parent."""
    with (
        subprocess.Popen(["sleep", "60"]) as worker,
        subprocess.Popen(
            [*RUN, str(worker.pid)], env=env | {"SCRIPT": WAITING}, stdout=subprocess.PIPE
        ) as run,
    ):
        assert run.stdout
        _, *pids = run.stdout.readline().split()
        assert "tap.config.json" in [path.name for path in files(tmp_path)]
        began = time.monotonic()
        if number:
            run.send_signal(number)
        else:
            worker.kill()
        run.communicate(timeout=30)  # the cleanup has the same output, so it has ended too
        worker.kill()
    assert run.returncode != 0
    assert time.monotonic() - began < cleanup.SECONDS, "it waited until it had to kill"
    for pid in pids:  # a zombie has ended, but its parent was killed and cannot wait for it
        with suppress(psutil.NoSuchProcess):
            assert psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE
    assert files(tmp_path) == []


def test_a_process_that_ignores_sigterm_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleanup, "SECONDS", 0.3)
    command = ["bash", "-c", "trap '' TERM; echo started; while :; do sleep 0.2; done"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, start_new_session=True) as process:
        assert process.stdout
        assert process.stdout.readline() == b"started\n"
        cleanup.end(process.pid)
    assert process.returncode == -signal.SIGKILL


def test_the_next_run_removes_what_a_lost_machine_left(env: dict[str, str], tmp_path: Path) -> None:
    """The files of a run that still goes on are not touched."""
    folders = tmp_path / f"tmp/tap-leads-runs-{os.getuid()}"
    for name in ("old", "going-on"):
        (folders / name).mkdir(parents=True)
        (folders / name / "tap.config.json").touch()
    lock = os.open(folders / "going-on", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    output(*RUN, env=env)
    os.close(lock)
    assert [path.parent.name for path in files(tmp_path)] == ["going-on"]


def test_a_folder_of_another_user_is_refused(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / f"tmp/tap-leads-runs-{os.getuid()}").symlink_to(tmp_path)
    done = finish(*RUN, env=env | {"SCRIPT": "echo started"})
    assert (done.returncode, "Set TMPDIR" in done.stderr, done.stdout) == (1, True, "")
