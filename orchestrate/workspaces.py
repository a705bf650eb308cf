"""Reads the list of workspaces; a wrong entry does not affect the others."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import msgspec
import yaml
from croniter import CroniterError, croniter
from msgspec import UNSET, Meta, UnsetType

PREFIX = "tap-leads--"
# Strict, so that no two workspaces share a variable or an Airflow connection.
_NAME = re.compile(r"tap-leads--[a-z0-9]+(-[a-z0-9]+)*")
# Airflow accepts these besides cron expressions; croniter knows the other presets.
_PRESETS = {"@once", "@continuous", "@quarterly"}


class Options(msgspec.Struct, forbid_unknown_fields=True):
    """The options of an entry, under `annotations: airflow:`.

    Attributes:
        leads: The approximate number of leads. The largest workspace that waits starts first.
        schedule: A cron expression or preset; None: no schedule. Missed runs are not made up for.
        hours: After this time, a run is ended with all its processes.
        retries: How often a failed run is repeated.
        retry_minutes: The pause before a retry. After the loss of a machine, Meltano refuses the
            workspace for five minutes.
        pool: The Airflow pool whose slots limit the runs at once.
        queue: The Airflow queue, which decides the workers that may run it.
        owner: The DAG's owner.
        executor_config: For Airflow's executor. A `pod_override` can only be checked where Airflow
            is installed.
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
        if self.schedule is not None and self.schedule not in _PRESETS:
            try:
                croniter(self.schedule).get_next()
            except CroniterError as error:
                raise ValueError(f"'{self.schedule}' is no cron expression: {error}") from None
        if find_spec("airflow"):  # only Airflow can check a pod
            self.for_executor()

    def for_executor(self) -> dict[str, Any]:
        """The `executor_config`; its `pod_override` is the object that Airflow needs.

        Raises:
            ValueError: The `pod_override` is no pod, or the package for pods is not installed.
        """
        if "pod_override" not in self.executor_config:
            return self.executor_config
        override = self.executor_config["pod_override"]
        if not isinstance(override, dict):
            raise ValueError("its `pod_override` is no pod")  # noqa: TRY004 - msgspec reports it
        try:
            from airflow.providers.cncf.kubernetes.pod_generator import (  # noqa: PLC0415 - may not be installed
                PodGenerator,
            )
        except ModuleNotFoundError:
            raise ValueError(
                "`pod_override` needs the package apache-airflow-providers-cncf-kubernetes"
            ) from None
        try:
            pod = PodGenerator.deserialize_model_dict(override)
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(f"its `pod_override` is no pod: {error}") from None
        return self.executor_config | {"pod_override": pod}


class _Annotations(msgspec.Struct):
    airflow: Options | None = None


class Workspace(msgspec.Struct):
    """An entry of the list: a Meltano extractor, and how Airflow runs it."""

    name: str
    inherit_from: str | None = None
    annotations: _Annotations | UnsetType = UNSET  # null is an error in Meltano too

    def __post_init__(self) -> None:
        if self.is_template:
            if self.annotations and self.annotations.airflow:
                raise ValueError(f"has options for Airflow, but no name that starts with {PREFIX}")
        elif not _NAME.fullmatch(self.name):
            raise ValueError(f"its name must be {PREFIX} and then a-z, 0-9 and single hyphens")
        elif self.inherit_from is None:
            raise ValueError("has no `inherit_from`, as `tap-leads`")

    @property
    def is_template(self) -> bool:
        """Whether it is no workspace, but an entry from which others inherit."""
        return not self.name.startswith(PREFIX)

    @property
    def options(self) -> Options:
        """How Airflow runs it."""
        return (self.annotations and self.annotations.airflow) or Options()

    @property
    def connection(self) -> str:
        """The Airflow connection whose password is the access token."""
        return self.name.replace("-", "_")

    @property
    def variable(self) -> str:
        """The variable from which Meltano reads the access token."""
        return f"{self.connection.upper()}_ACCESS_TOKEN"


class ListError(Exception):
    """The list of workspaces cannot be read; the message says why."""


def read(path: Path) -> tuple[list[Workspace], list[str]]:
    """Reads the list.

    Returns:
        The workspaces whose entry is right, and a line for each wrong entry.

    Raises:
        ListError: The file is missing, is no YAML, or has no list of extractors.
    """
    found, problems = _read(path)
    return [each for each, _ in found.values() if not each.is_template], problems


def entries_of(path: Path, name: str) -> list[dict[str, Any]]:
    """A workspace's entry and those from which it inherits; its run needs no others.

    Raises:
        ListError: As above.
    """
    found, _ = _read(path)
    entries = []
    parent: str | None = name
    while parent in found:
        workspace, entry = found.pop(parent)
        entries.append(entry)
        parent = workspace.inherit_from
    return entries


def _read(path: Path) -> tuple[dict[str, tuple[Workspace, dict[str, Any]]], list[str]]:
    """The right entries by name, parsed and as written, and a line for each wrong one."""
    try:
        entries = yaml.safe_load(path.read_text())["plugins"]["extractors"]
        numbered = list(enumerate(entries, start=1))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ListError(f"{path} cannot be read: {error}") from None
    except (KeyError, TypeError):
        raise ListError(f"{path} has no list `plugins: extractors:`.") from None
    found: dict[str, tuple[Workspace, dict[str, Any]]] = {}
    problems = []
    for number, entry in numbered:
        name = entry.get("name") if isinstance(entry, dict) else None
        label = name or f"entry {number}"
        try:
            workspace = msgspec.convert(entry, Workspace)
        except msgspec.ValidationError as error:
            problems.append(f"{label}: {error}")
            continue
        if workspace.name in found:
            problems.append(f"{label}: its name is used twice; the first entry counts")
        else:
            found[workspace.name] = workspace, entry
    return found, problems
