"""What the tap writes in each of the ways in which a user may run it.

All leads come from a sandbox with every kind of malformed value.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from proof.targets.process import run
from proof.targets.services import once
from tap_leads.sandbox import Sandbox

Record: TypeAlias = dict[str, Any]

LEADS = 300
MANY = 10_000
CHANGED = 30
DELETED = 20
ADDED = 5

TYPED = {"TAP_LEADS_TYPED_CUSTOM_ATTRIBUTES": "true"}
FLATTENED = {"TAP_LEADS_FLATTENING_ENABLED": "true", "TAP_LEADS_FLATTENING_MAX_DEPTH": "1"}
WAYS: dict[str, dict[str, str]] = {
    "default": {},
    "typed": TYPED,
    "flattened": FLATTENED,
    "flattened, typed": FLATTENED | TYPED,
}
"""The name of a way -> settings of the tap."""

# As the README tells for one table of several workspaces.
ONE_TABLE = {
    "TAP_LEADS_STREAM_MAPS": '{"contacts": {"__key_properties__": ["app_id", "id"]}}',
    "TAP_LEADS_EMIT_ACTIVATE_VERSION_MESSAGES": "false",
}


@dataclass(frozen=True)
class Extract:
    """What one run of the tap wrote."""

    output: bytes

    @cached_property
    def messages(self) -> list[dict[str, Any]]:
        """The Singer messages."""
        return [json.loads(line) for line in self.output.splitlines()]

    @cached_property
    def records(self) -> list[Record]:
        """The records, in their order."""
        return [message["record"] for message in self.messages if message["type"] == "RECORD"]

    @property
    def ids(self) -> set[str]:
        """The ids of the records."""
        return {record["id"] for record in self.records}

    @cached_property
    def times(self) -> set[str]:
        """The names of the fields that hold a date and time."""
        (schema,) = (m["schema"] for m in self.messages if m["type"] == "SCHEMA")
        fields = schema["properties"].items()
        return {name for name, field in fields if field.get("format") == "date-time"}

    @property
    def first_page(self) -> str:
        """When the first record was extracted."""
        return min(str(m["time_extracted"]) for m in self.messages if m["type"] == "RECORD")

    def without_activate_version(self) -> Extract:
        """The same with `emit_activate_version_messages: false`."""
        messages = [
            {name: value for name, value in message.items() if name != "version"}
            for message in self.messages
            if message["type"] != "ACTIVATE_VERSION"
        ]
        return Extract(b"".join(json.dumps(message).encode() + b"\n" for message in messages))


def _extract(sandbox: Sandbox, token: str, settings: dict[str, str]) -> Extract:
    access = {"TAP_LEADS_ACCESS_TOKEN": token, "TAP_LEADS_API_URL": sandbox.url}
    tap = Path(sys.executable).with_name("tap-leads")
    with TemporaryDirectory() as folder:
        return Extract(run(tap, folder=Path(folder), environment=access | settings))


@once
def leads(way: str) -> Extract:
    """Leads as one sync writes them."""
    with Sandbox(leads=LEADS, faults=["types@*"]) as sandbox:
        return _extract(sandbox, sandbox.token, WAYS[way])


@once
def many(way: str) -> Extract:
    """Usual leads, enough to measure how fast a target loads them."""
    with Sandbox(leads=MANY) as sandbox:
        return _extract(sandbox, sandbox.token, WAYS[way])


@once
def two_syncs(way: str) -> tuple[Extract, Extract]:
    """The leads of two syncs; between them some are changed, some deleted and some added."""
    with Sandbox(leads=LEADS, faults=["types@*"]) as sandbox:
        first = _extract(sandbox, sandbox.token, WAYS[way])
        time.sleep(1 - time.time() % 1)  # targets may keep whole seconds only
        sandbox.workspace.update(CHANGED)
        sandbox.workspace.delete(DELETED)
        sandbox.workspace.add(ADDED)
        return first, _extract(sandbox, sandbox.token, WAYS[way])


@once
def two_workspaces(way: str) -> tuple[Extract, Extract]:
    """The leads of two workspaces, which have the same ids, set up for one table."""
    counts = {"first": LEADS, "second": LEADS}
    with Sandbox(workspaces=counts, faults=["types@*"]) as sandbox:
        one, other = (_extract(sandbox, token, WAYS[way] | ONE_TABLE) for token in counts)
        return one, other
