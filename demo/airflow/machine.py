"""A machine that works for an Airflow server: its own checkout, plugins and Airflow.

    machine = Machine("one", "airflow")
    machine.set_up(workspaces)
    machine.start(server.workers | settings, "edge worker")
    machine.lose()

It shares the Python interpreter, the program `meltano` and the kernel with the others.
"""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from demo.airflow.processes import Processes, call, environment
from demo.environments import installed
from demo.meltano import ROOT

# What a checkout needs for its plugins and its DAGs.
_FILES = ("meltano.yml", "pyproject.toml", "README.md", "LICENSE")
_FOLDERS = ("tap_leads", "orchestrate", "requirements")


def checkout(project: Path, workspaces: str) -> Path:
    """Copies this project, with another list of workspaces."""
    project.mkdir(parents=True, exist_ok=True)
    for folder in _FOLDERS:
        shutil.rmtree(project / folder, ignore_errors=True)
        shutil.copytree(
            ROOT / folder, project / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    for file in _FILES:
        shutil.copy(ROOT / file, project)
    (project / "orchestrate/workspaces.meltano.yml").write_text(workspaces)
    return project


class Machine:
    """A machine with an Edge or a Celery worker.

    Args:
        name: What Airflow calls it.
        pins: Names the file in requirements/ that says what is installed.
    """

    def __init__(self, name: str, pins: str) -> None:
        self.name = name
        self._pins = pins
        self._folder = ROOT / ".cache/machines" / name
        self._project = self._folder / "project"
        self._processes: Processes | None = None

    @property
    def is_new(self) -> bool:
        """Whether it was never set up before."""
        return not self._folder.exists()

    def set_up(self, workspaces: str) -> None:
        """Installs what it needs; that stays for the next time.

        Args:
            workspaces: The list of workspaces.
        """
        self._program = installed(self._pins, self._folder / self._pins) / "airflow"
        checkout(self._project, workspaces)
        stamp = self._project / ".meltano/.ready"
        needed = "".join(
            (self._project / name).read_text()
            for name in ("meltano.yml", "pyproject.toml", "requirements/plugins.txt")
        )
        if stamp.exists() and stamp.read_text() == needed:
            return
        meltano = Path(sys.executable).with_name("meltano")
        env = environment() | {"XDG_STATE_HOME": str(self._folder)}
        plugins = ("tap-leads", "target-postgres")
        call([str(meltano), f"--cwd={self._project}", "install", *plugins], env)
        stamp.write_text(needed)

    def start(self, env: Mapping[str, str], command: str) -> None:
        """Starts a worker.

        Args:
            env: How to reach the server, and the settings of the runs.
            command: What follows `airflow`.
        """
        for name in ("home", "tmp"):
            shutil.rmtree(self._folder / name, ignore_errors=True)
            (self._folder / name).mkdir(mode=0o700)
        self._processes = Processes(
            [command],
            {
                **environment(),
                **env,
                "AIRFLOW": str(self._program),
                "AIRFLOW_HOME": str(self._folder / "home"),
                "AIRFLOW__CORE__DAGS_FOLDER": str(self._project / "orchestrate/dags"),
                "MELTANO_PROJECT_ROOT": str(self._project),
                "TMPDIR": str(self._folder / "tmp"),
            },
        )

    def log(self) -> str:
        """What its worker logged."""
        logs = (self._folder / "home").glob("*.log")
        return "".join(path.read_text(errors="replace") for path in logs)

    def is_running(self, workspace: str) -> bool:
        """Whether a run of a workspace is under way on it."""
        return self._processes is not None and self._processes.have_argument(workspace)

    def tries(self) -> dict[tuple[str, int], str]:
        """What it ran: the log of each try, by DAG and number."""
        found = {}
        for path in (self._folder / "home/logs").glob("dag_id=*/run_id=*/task_id=*/attempt=*.log"):
            dag, attempt = path.parts[-4].partition("=")[2], path.stem.partition("=")[2]
            found[dag, int(attempt)] = path.read_text(errors="replace")
        return found

    def megabytes(self) -> int:
        """The memory of its worker with its runs."""
        return self._processes.megabytes() if self._processes else 0

    def stop(self) -> None:
        """Shuts it down."""
        if self._processes and self._processes.is_running:
            self._processes.stop()

    def lose(self) -> None:
        """Ends everything on it at once, as a power failure does."""
        if self._processes:
            self._processes.kill()
