"""Meltano as the demo and the tests run it: this project's plugins, and no traces of a user.

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

# What the user has set for a real workspace must not mix with the settings of a trial.
_FOREIGN = ("MELTANO_", "TAP_LEADS_", "TARGET_")


def run(
    *arguments: str,
    folder: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    seconds: float = 300,
) -> subprocess.CompletedProcess[str]:
    """Runs `meltano ARGUMENTS`; never raises for its exit code.

    Args:
        arguments: The command.
        folder: Takes what Meltano writes: state, logs, plugins' configuration. Runs with folders
            of their own do not disturb each other; those with the same one share their state.
        env: Settings of the plugins, as variables; these alone count, and no `.env` file.
        cwd: The Meltano project.
        seconds: How long it may take.

    Returns:
        The exit code, and as `stdout` all that was logged; see also `folder`/meltano.log.

    Raises:
        subprocess.TimeoutExpired: It took longer, and was ended with its plugins.
    """
    for plugins in ("extractors", "loaders"):  # installed once, for everybody
        link = folder / plugins
        if not link.is_symlink():
            link.symlink_to(ROOT / ".meltano" / plugins)
    program = str(Path(sys.executable).with_name("meltano"))
    command = [program, "--log-format=plain", f"--env-file={os.devnull}", *arguments]
    log = folder / "meltano.log"
    with log.open("wb") as output:
        code = _call(command, output.fileno(), _environment(folder, env or {}), cwd, seconds)
    return subprocess.CompletedProcess(command, code, log.read_text(errors="replace"))


def _environment(folder: Path, env: Mapping[str, str]) -> dict[str, str]:
    own = {k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN)}
    return own | {"MELTANO_SYS_DIR_ROOT": str(folder), "XDG_STATE_HOME": str(folder)} | dict(env)


def _call(command: list[str], output: int, env: dict[str, str], cwd: Path, seconds: float) -> int:
    # In a session of its own, so that one signal ends Meltano and its plugins together.
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    ) as process:
        try:
            return process.wait(seconds)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise


def tap_settings(sandbox: Sandbox) -> dict[str, str]:
    """The variables that send the tap to a sandbox."""
    return {"TAP_LEADS_ACCESS_TOKEN": sandbox.token, "TAP_LEADS_API_URL": sandbox.url}


def target_settings(server: PostgresServer, schema: str = "tap_leads") -> dict[str, str]:
    """The variables that send target-postgres to a schema of a server."""
    return {
        "TARGET_POSTGRES_HOST": server.host,
        "TARGET_POSTGRES_PORT": str(server.port),
        "TARGET_POSTGRES_USER": server.user,
        "TARGET_POSTGRES_PASSWORD": server.password,
        "TARGET_POSTGRES_DATABASE": server.database,
        "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": schema,
    }
