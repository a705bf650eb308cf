"""Runs Meltano for the demos and the tests: this project's plugins, without a user's settings.

run("run", "tap-leads", "target-postgres", folder=an_empty_folder, env={...})
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from demo.postgres import PostgresServer
from tap_leads.sandbox import Sandbox

ROOT = Path(__file__).resolve().parent.parent

# A user may have set these for a real workspace.
_FOREIGN = ("AIRFLOW_", "MELTANO_", "TAP_LEADS_", "TARGET_")


def environment() -> dict[str, str]:
    """This process's environment without a user's settings, and with `meltano` in the PATH."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return own | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def run(
    *arguments: str,
    folder: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    seconds: float = 300,
) -> subprocess.CompletedProcess[str]:
    """Runs `meltano ARGUMENTS`, and does not raise for its exit code.

    Args:
        arguments: The command.
        folder: Where Meltano writes its state, logs and plugin configuration. Runs with the same
            folder share their state; runs with different folders do not affect each other.
        env: Settings of the plugins, as variables. No other settings count, and no `.env` file.
        cwd: The Meltano project.
        seconds: The time limit.

    Returns:
        The exit code, and the log as `stdout`. The log is also in `folder`/meltano.log.

    Raises:
        subprocess.TimeoutExpired: It took longer; Meltano and its plugins were killed.
    """
    for plugins in ("extractors", "loaders"):  # installed once, and shared
        link = folder / plugins
        if not link.is_symlink():
            link.symlink_to(ROOT / ".meltano" / plugins)
    program = str(Path(sys.executable).with_name("meltano"))
    command = [program, "--log-format=plain", f"--env-file={os.devnull}", *arguments]
    own = {"MELTANO_SYS_DIR_ROOT": str(folder), "XDG_STATE_HOME": str(folder)}
    log = folder / "meltano.log"
    # In a session of its own, so that one signal ends Meltano and its plugins together.
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command,
            cwd=cwd,
            env=environment() | own | dict(env or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        ) as process,
    ):
        try:
            code = process.wait(seconds)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(command, code, log.read_text(errors="replace"))


def tap_settings(sandbox: Sandbox) -> dict[str, str]:
    """The variables that make the tap read a sandbox."""
    return {"TAP_LEADS_ACCESS_TOKEN": sandbox.token, "TAP_LEADS_API_URL": sandbox.url}


def target_settings(server: PostgresServer, schema: str = "tap_leads") -> dict[str, str]:
    """The variables that make target-postgres load into a schema of a server."""
    return {
        "TARGET_POSTGRES_HOST": server.host,
        "TARGET_POSTGRES_PORT": str(server.port),
        "TARGET_POSTGRES_USER": server.user,
        "TARGET_POSTGRES_PASSWORD": server.password,
        "TARGET_POSTGRES_DATABASE": server.database,
        "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": schema,
    }
