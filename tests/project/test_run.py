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
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from support.cases import cases

from demo.meltano import ROOT, environment
from orchestrate import cleanup
from orchestrate.workspaces import entries_of
from tap_leads.sandbox import Sandbox

RUN = ROOT / "orchestrate/run.py"
NAME = "tap-leads--acme"
TOKEN = "t0ken-of-acme"
REFUSED = "Intercom refused the access token (HTTP 401, unauthorized)."
# Writes a file like Meltano, starts a child in its process group, and waits.
WAITING = f"""
mkdir -p "$MELTANO_SYS_DIR_ROOT/run" && echo {TOKEN} >"$MELTANO_SYS_DIR_ROOT/run/tap.config.json"
sleep 300 &
echo started $! $$
wait
"""


class Runs:
    """Starts runs whose temporary files are in a folder of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = environment() | {"TMPDIR": str(folder / "tmp")}
        (folder / "tmp").mkdir()
        self.started: list[subprocess.Popen[str]] = []

    def replace_meltano(self, script: str) -> None:
        """Replaces Meltano with a shell script."""
        programs = self.folder / "bin"
        programs.mkdir()
        (programs / "meltano").write_text(f"#!/bin/bash\n{script}")
        (programs / "meltano").chmod(0o755)
        self.env["PATH"] = f"{programs}:{self.env['PATH']}"

    def start(self, *arguments: str, name: str = NAME, **env: str) -> subprocess.Popen[str]:
        """Starts a run."""
        run = subprocess.Popen(
            [sys.executable, RUN, name, *(arguments or ("target-jsonl",))],
            cwd=ROOT,
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started.append(run)
        return run

    def start_waiting(
        self, script: str, *arguments: str
    ) -> tuple[subprocess.Popen[str], list[int]]:
        """Starts a run of a script that waits and names processes; returns both."""
        self.replace_meltano(script)
        run = self.start(*arguments)
        assert run.stdout
        _, *pids = run.stdout.readline().split()
        return run, [int(pid) for pid in pids]

    def finish(self, *arguments: str, name: str = NAME, **env: str) -> tuple[int, str]:
        """Runs one to its end; returns exit code and log."""
        run = self.start(*arguments, name=name, **env)
        log, _ = run.communicate(timeout=120)
        return run.returncode, log

    def files(self) -> list[Path]:
        """The files that they left."""
        return [path for path in (self.folder / "tmp").rglob("*") if not path.is_dir()]


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    runs = Runs(tmp_path)
    yield runs
    for run in runs.started:
        run.kill()  # of a test that failed
        run.communicate()


def sandbox_settings(sandbox: Sandbox, folder: Path) -> dict[str, str]:
    """The settings for a workspace in the sandbox, and for Meltano's own files in a folder."""
    root = folder / "meltano"
    root.mkdir()
    for plugins in ("extractors", "loaders"):
        (root / plugins).symlink_to(ROOT / ".meltano" / plugins)
    return {
        "MELTANO_SYS_DIR_ROOT": str(root),
        "TAP_LEADS__ACME_ACCESS_TOKEN": sandbox.token,
        "TAP_LEADS_API_URL": sandbox.url,
        "TAP_LEADS_MAX_RESTARTS": "0",
        "TARGET_JSONL_DESTINATION_PATH": str(folder),
    }


def assert_ended(pids: Iterable[int]) -> None:
    """No process is left, except zombies that nobody waits for after their parent was killed."""
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            assert psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_run_loads_every_lead_whatever_the_entries_of_others_and_leaves_no_file(
    runs: Runs, tmp_path: Path
) -> None:
    """Meltano refuses a whole list with wrong entries, unless the run gets its own entries only."""
    project = tmp_path / "project"
    (project / "orchestrate").mkdir(parents=True)
    shutil.copy(ROOT / "meltano.yml", project)
    listed = project / "orchestrate/workspaces.meltano.yml"
    listed.write_text("plugins: {extractors: [text, {name: tap-leads--bad, annotations: }]}")
    entries = entries_of(ROOT / "orchestrate/workspaces.meltano.yml", "tap-leads--globex")
    assert [entry["name"] for entry in entries] == ["tap-leads--globex", "tap-leads-one-table"]
    with Sandbox(leads=250) as sandbox:
        settings = sandbox_settings(sandbox, tmp_path) | {"MELTANO_PROJECT_ROOT": str(project)}
        settings["TAP_LEADS__GLOBEX_ACCESS_TOKEN"] = sandbox.token
        code, log = runs.finish(name="tap-leads--globex", **settings)
        assert code != 0, log
        settings["WORKSPACE_ENTRIES"] = json.dumps({"plugins": {"extractors": entries}})
        code, log = runs.finish(name="tap-leads--globex", **settings)
    assert code == 0, log
    assert len((tmp_path / "contacts.jsonl").read_text().splitlines()) == 250
    assert runs.files() == []
    # Meltano's state is where it is without this program, so the next run finds it.
    assert (Path(settings["MELTANO_SYS_DIR_ROOT"]) / "meltano.db").is_file()


def test_a_refused_token_has_an_exit_code_of_its_own(runs: Runs, tmp_path: Path) -> None:
    with Sandbox(leads=250, faults=["401@1"]) as sandbox:
        ended, log = runs.finish(**sandbox_settings(sandbox, tmp_path))
    assert ended == 77, log


@cases(no_permission=(["403@1"], 77), firewall=(["403@1", "html@1"], 1), outage=(["restart@1"], 1))
def test_the_log_of_the_tap_tells_a_refusal_from_other_failures(
    faults: list[str], code: int, runs: Runs, tmp_path: Path
) -> None:
    """Without Meltano, which adds nothing to the tap's lines that matters here."""
    runs.replace_meltano(f"exec {sys.executable} -m tap_leads --config=ENV")
    with Sandbox(leads=250, faults=faults) as sandbox:
        token = {"TAP_LEADS_ACCESS_TOKEN": sandbox.token}
        ended, log = runs.finish(**sandbox_settings(sandbox, tmp_path), **token)
    assert ended == code, log


@cases(
    warning=(f"echo '[warning] {REFUSED}'; exit 1", 1),
    success=(f"echo '[error] {REFUSED}'; exit 0", 0),
    proxy=("echo '[error] Forbidden (HTTP 403, text/html)'; exit 1", 1),
    signal=("kill -TERM $$", 143),
)
def test_any_other_end_keeps_meltanos_exit_code(script: str, code: int, runs: Runs) -> None:
    runs.replace_meltano(script)
    assert runs.finish()[0] == code


@cases(signal.SIGKILL, signal.SIGTERM, signal.SIGHUP)
def test_a_run_that_is_killed_leaves_no_process_and_no_file(
    number: signal.Signals, runs: Runs
) -> None:
    run, pids = runs.start_waiting(WAITING)
    assert [path.name for path in runs.files() if TOKEN.encode() in path.read_bytes()]
    began = time.monotonic()
    run.send_signal(number)
    run.communicate(timeout=30)  # the cleanup has the same standard output, so it has ended too
    assert time.monotonic() - began < cleanup.SECONDS, "it waited until it had to kill"
    assert_ended(pids)
    assert runs.files() == []


def test_a_process_that_ignores_sigterm_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleanup, "SECONDS", 0.3)
    script = "trap '' TERM; echo started; while :; do sleep 0.2; done"
    with subprocess.Popen(
        ["bash", "-c", script], stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"started\n"
        cleanup.end(process.pid)
    assert process.returncode == -signal.SIGKILL


def test_a_run_ends_with_a_process_that_it_was_told_to_watch(runs: Runs) -> None:
    """For example a worker's main process, which is not the parent of the run."""
    with subprocess.Popen(["sleep", "300"]) as worker:
        run, pids = runs.start_waiting(WAITING, "target-jsonl", str(worker.pid))
        worker.kill()
        run.communicate(timeout=30)
    assert run.returncode != 0
    assert_ended(pids)
    assert runs.files() == []


def test_files_that_a_lost_machine_left_are_removed_by_the_next_run(runs: Runs) -> None:
    """The files of a run that still goes on are not touched."""
    runs.replace_meltano("true")
    folders = runs.folder / f"tmp/tap-leads-runs-{os.getuid()}"
    for name in ("old", "going-on"):
        (folders / name).mkdir(parents=True)
        (folders / name / "tap.config.json").write_text(TOKEN)
    lock = os.open(folders / "going-on", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert runs.finish()[0] == 0
    os.close(lock)
    assert [path.parent.name for path in runs.files()] == ["going-on"]


def test_a_folder_that_another_user_may_have_prepared_is_refused(runs: Runs) -> None:
    runs.replace_meltano("echo started")
    (runs.folder / f"tmp/tap-leads-runs-{os.getuid()}").symlink_to(runs.folder)
    code, log = runs.finish()
    assert code == 1
    assert "Set TMPDIR" in log
    assert "started" not in log
