"""Reads the list of workspaces; a wrong entry is a problem of that entry alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import yaml
from croniter import croniter
from msgspec import Meta

PREFIX = "tap-leads--"
# One spelling per name, so that no two workspaces share a variable or an Airflow connection.
_NAME = re.compile(r"tap-leads--[a-z0-9]+(-[a-z0-9]+)*")
# What Airflow knows besides cron expressions.
_PRESETS = {"@once", "@continuous", "@quarterly"}


class Options(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What an entry may say under `annotations: airflow:`.

    Attributes:
        leads: About how many leads there are; the largest workspace that waits starts first.
        schedule: A cron expression or preset; None: started by hand only. Missed runs stay missed.
        hours: After this time, a run is ended with all its processes.
        retries: How often a failed run is repeated.
        retry_minutes: The pause before that. After the loss of a machine, Meltano refuses the
            workspace for five minutes.
        pool: The Airflow pool whose slots limit the runs at once.
        queue: The Airflow queue: which workers may run it.
        owner: Who is named as the DAG's owner.
        executor_config: Passed to Airflow's executor.
    """

    leads: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    schedule: str | None = "@daily"
    hours: Annotated[float, Meta(gt=0, le=8760)] = 24
    retries: Annotated[int, Meta(ge=0, le=100)] = 3
    retry_minutes: Annotated[float, Meta(ge=0, le=1440)] = 6
    pool: Annotated[str, Meta(min_length=1)] = "tap_leads"
    queue: Annotated[str, Meta(min_length=1)] | None = None
    owner: Annotated[str, Meta(min_length=1)] = "airflow"
    executor_config: dict[str, Any] = {}

    def __post_init__(self) -> None:
        known = self.schedule is None or self.schedule in _PRESETS
        if not known and not croniter.is_valid(self.schedule):
            raise ValueError(f"'{self.schedule}' is no cron expression - at `$.schedule`")


class Workspace(msgspec.Struct, frozen=True):
    """A workspace: the Meltano extractor that reads it, and how Airflow runs that."""

    name: str
    options: Options

    @property
    def connection(self) -> str:
        """The Airflow connection whose password is the access token."""
        return self.name.replace("-", "_")

    @property
    def variable(self) -> str:
        """Where Meltano looks for the access token."""
        return f"{self.connection.upper()}_ACCESS_TOKEN"


class ListError(Exception):
    """The list of workspaces cannot be read at all; the message says why."""


def read(path: Path) -> tuple[list[Workspace], list[str]]:
    """Reads the list.

    Returns:
        The workspaces whose entry is right, and a line for each entry that is wrong.

    Raises:
        ListError: The file is missing, is no YAML, or has no list of extractors.
    """
    try:
        entries = yaml.safe_load(path.read_text())["plugins"]["extractors"]
        numbered = list(enumerate(entries, start=1))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ListError(f"{path} cannot be read: {error}") from None
    except (KeyError, TypeError):
        raise ListError(f"{path} has no list `plugins: extractors:`.") from None
    workspaces: dict[str, Workspace] = {}
    problems = []
    for number, entry in numbered:
        name = entry.get("name") if isinstance(entry, dict) else None
        label = name if isinstance(name, str) else f"entry {number}"
        try:
            for workspace in _workspace(entry):
                if name in workspaces:
                    raise ValueError("the name is used twice; the first entry counts")
                workspaces[workspace.name] = workspace
        except ValueError as error:
            problems.append(f"{label}: {error}")
    return list(workspaces.values()), problems


def _workspace(entry: object) -> Iterator[Workspace]:
    """The workspace of an entry; none, if the entry is a template for others."""
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise ValueError("there is no `name`, and without one Meltano reads no entry at all")
    name, notes = entry["name"], entry.get("annotations") or {}
    if not isinstance(notes, dict):
        raise ValueError("`annotations` must be a mapping")
    options = notes.get("airflow")
    if not name.startswith(PREFIX):
        if options is not None:
            raise ValueError(f"it has options for Airflow, but its name does not start {PREFIX}")
        return
    if not _NAME.fullmatch(name):
        raise ValueError(f"the name must be {PREFIX} and then a-z, 0-9 and single hyphens")
    if not isinstance(entry.get("inherit_from"), str):
        raise ValueError("there is no `inherit_from`, which says what kind of workspace it is")
    try:
        yield Workspace(name, msgspec.convert({} if options is None else options, Options))
    except msgspec.ValidationError as error:
        raise ValueError(str(error).replace("$.", "annotations.airflow.")) from None
