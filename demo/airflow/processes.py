"""Airflow's processes, in groups that stand for machines. They end with this one, killed or not."""

import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Self

import psutil

from demo.airflow import AirflowError

_SETUP_SECONDS = 600
_STOP_SECONDS = 5

# Standard input ends with the parent, killed or not; then the processes end. At SIGTERM, Airflow's
# programs wait for their runs, so they are killed after ten seconds.
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


def call(command: Sequence[str], env: Mapping[str, str]) -> None:
    """Runs a command that sets something up.

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


class Processes:
    """Airflow's commands on one machine, for as long as a `with` statement lasts.

    Args:
        commands: The arguments of `airflow`, such as `scheduler`. The log of each command is in
            AIRFLOW_HOME, under its first word.
        env: The environment; its AIRFLOW is the path of the program.
    """

    def __init__(self, commands: Sequence[str], env: Mapping[str, str]) -> None:
        self._parent = subprocess.Popen(
            ["/bin/bash", "-c", _SCRIPT, "airflow", *commands],
            env=env,
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        processes = self.all()
        self._parent.communicate()
        for process in psutil.wait_procs(processes, timeout=_STOP_SECONDS)[1]:
            process.kill()

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
            with suppress(psutil.Error):  # it has just ended
                if argument in process.cmdline():
                    return True
        return False

    def memory(self) -> str:
        """Their memory, in which shared memory counts once (PSS)."""
        size = 0
        for process in self.all():
            with suppress(psutil.Error):  # it has just ended
                size += process.memory_full_info().pss
        return f"{size >> 20:,} MB"

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
