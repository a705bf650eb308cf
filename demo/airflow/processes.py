"""Processes that end with this one, killed or not, in groups that stand for machines."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from demo.airflow import AirflowError

_SETUP_SECONDS = 600
_STOP_SECONDS = 5

# The processes end when standard input does, so that nothing outlives a parent that was killed.
# Airflow's programs wait for their runs when they are told to end, but not for long here.
_SCRIPT = """
finish() {
  trap '' TERM EXIT
  kill 0
  for _ in {1..20}; do [ -n "$(jobs -r)" ] || exit; sleep 0.5; done
  kill -9 0
}
trap finish TERM EXIT
for command in "$@"; do
  name=${command%% *}
  $AIRFLOW $command >"$AIRFLOW_HOME/$name.log" 2>&1 </dev/null &
done
read -r
"""

# What the user has set must not mix with the settings of a trial.
_FOREIGN = ("AIRFLOW_", "MELTANO_", "TAP_LEADS_", "TARGET_")


def environment() -> dict[str, str]:
    """This process's environment without settings of the user, and with `meltano` in the PATH."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN)}
    return own | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def call(command: Sequence[str], env: Mapping[str, str] | None = None) -> str:
    """Runs a command that sets something up; returns what it printed.

    Raises:
        AirflowError: It failed.
    """
    done = subprocess.run(
        command,
        check=False,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_SETUP_SECONDS,
    )
    if done.returncode:
        raise AirflowError(f"{command[0]} failed:\n{done.stdout[-2000:]}")
    return done.stdout


class Processes:
    """Airflow's commands on one machine.

    Args:
        commands: What follows `airflow`, as `scheduler`; the log is in AIRFLOW_HOME, under the
            first word.
        env: The environment; AIRFLOW names the program.
    """

    def __init__(self, commands: Sequence[str], env: Mapping[str, str]) -> None:
        self._parent = subprocess.Popen(
            ["/bin/bash", "-c", _SCRIPT, "airflow", *commands],
            env=env,
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    @property
    def is_running(self) -> bool:
        """Whether the commands were not stopped."""
        return self._parent.poll() is None

    def all(self) -> list[psutil.Process]:
        """The processes, with the runs that they have started."""
        with suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self._parent.pid)
            return [parent, *parent.children(recursive=True)]
        return []

    def have_argument(self, argument: str) -> bool:
        """Whether one of them was started with this argument."""
        for process in self.all():
            with suppress(psutil.Error):  # it has ended meanwhile
                if argument in process.cmdline():
                    return True
        return False

    def megabytes(self) -> int:
        """Their memory; what they share counts once (PSS)."""
        size = 0
        for process in self.all():
            with suppress(psutil.Error):  # it has ended meanwhile
                size += process.memory_full_info().pss
        return size >> 20

    def stop(self) -> None:
        """Ends them as an operator does."""
        processes = self.all()
        self._parent.communicate()
        _, alive = psutil.wait_procs(processes, timeout=_STOP_SECONDS)
        for process in alive:
            process.kill()

    def kill(self) -> None:
        """Ends all of them at once, as a power failure does."""
        processes = self.all()
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        for process in {*processes, *self.all()}:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._parent.wait()
