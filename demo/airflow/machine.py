"""A machine that works for an Airflow server: its own checkout, plugins and Airflow.

    machine = Machine("one", "airflow")
    machine.set_up(workspaces)
    with machine.start(server.workers | settings, "edge worker") as processes:
        processes.kill()

All machines share the Python interpreter, the program `meltano` and the kernel.
"""

import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from demo.airflow import START_SECONDS, wait_for
from demo.airflow.processes import Processes, call
from demo.environments import installed
from demo.meltano import ROOT, environment

# What the plugins and the DAGs need.
_FILES = ("meltano.yml", "pyproject.toml", "README.md", "LICENSE")
_FOLDERS = ("tap_leads", "orchestrate", "requirements")


def checkout(project: Path, workspaces: str) -> Path:
    """Copies this project, with another list of workspaces."""
    project.mkdir(parents=True, exist_ok=True)
    for name in _FOLDERS:
        shutil.rmtree(project / name, ignore_errors=True)
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in _FILES:
        shutil.copy(ROOT / name, project)
    (project / "orchestrate/workspaces.meltano.yml").write_text(workspaces)
    return project


class Machine:
    """A machine with an Edge or a Celery worker.

    Args:
        name: Airflow's name of it.
        pins: The name of the file in requirements/ from which Airflow is installed.

    Attributes:
        processes: The worker's processes, once it has started.
    """

    processes: Processes

    def __init__(self, name: str, pins: str) -> None:
        self.name = name
        self._pins = pins
        self._folder = ROOT / ".cache/machines" / name
        self._project = self._folder / "project"

    def set_up(self, workspaces: str) -> None:
        """Installs what it needs, which stays for the next time.

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

    def start(self, env: Mapping[str, str], command: str) -> Processes:
        """Starts a worker.

        Args:
            env: The address of the server, and the settings of the runs.
            command: The arguments of `airflow`.
        """
        for name in ("home", "tmp"):
            shutil.rmtree(self._folder / name, ignore_errors=True)
            (self._folder / name).mkdir(mode=0o700)
        own = {
            "AIRFLOW": str(self._program),
            "AIRFLOW_HOME": str(self._folder / "home"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self._project / "orchestrate/dags"),
            "MELTANO_PROJECT_ROOT": str(self._project),
            "TMPDIR": str(self._folder / "tmp"),
        }
        self.processes = Processes([command], environment() | dict(env) | own)
        return self.processes

    def wait_until_ready(self, words: str) -> None:
        """Waits until the worker has logged these words.

        Raises:
            AirflowError: It has not.
        """

        def log() -> str:
            logs = (self._folder / "home").glob("*.log")
            return "".join(path.read_text(errors="replace") for path in logs)

        wait_for(
            lambda: words in log(),
            lambda: f"The worker is not ready:\n{log()[-2000:]}",
            START_SECONDS,
        )

    def tries(self) -> Iterator[tuple[str, int, str]]:
        """Each try that it ran: the DAG, the number and the log."""
        for path in (self._folder / "home/logs").glob("dag_id=*/run_id=*/task_id=*/attempt=*.log"):
            dag, attempt = path.parts[-4].partition("=")[2], path.stem.partition("=")[2]
            yield dag, int(attempt), path.read_text(errors="replace")
