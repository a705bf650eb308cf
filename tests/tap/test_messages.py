"""Messages reach the target complete and in order, and equal those of the SDK's writer."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.singerlib.encoding.simple import (
    ActivateVersionMessage,
    Message,
    RecordMessage,
    SchemaMessage,
    StateMessage,
)
from support.cases import cases
from support.runs import lasting
from support.tap import Workbench
from typing_extensions import override

from tap_leads.records.schema import LEAD_SCHEMA
from tap_leads.sandbox import Sandbox
from tap_leads.singer.messages import BUFFER_BYTES, MessageWriter
from tap_leads.singer.stdio import OutputError


class Pipe(io.RawIOBase):
    """A raw file that takes only so many bytes at a time, and remembers each write."""

    def __init__(self, takes: int | None) -> None:
        self._takes = takes
        self.writes: list[bytes] = []

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, data: Any) -> int:
        self.writes.append(bytes(data[: self._takes]))
        return len(self.writes[-1])

    @property
    def lines(self) -> list[dict[str, Any]]:
        """All messages that were written."""
        return [json.loads(line) for line in b"".join(self.writes).splitlines()]


@contextmanager
def output(takes: int | None = None) -> Iterator[Pipe]:
    """Makes a raw file the standard output, below the buffers that Python puts on it."""
    pipe = Pipe(takes)
    with io.TextIOWrapper(io.BufferedWriter(pipe)) as file, redirect_stdout(file):
        yield pipe


def record(number: int, **fields: Any) -> RecordMessage:
    """A message with a record."""
    return RecordMessage("contacts", {"id": str(number)} | fields, version=1)


SCHEMA = {key: part for key, part in LEAD_SCHEMA.items() if key != "$schema"}
OTHERS: dict[str, Message] = {
    "schema": SchemaMessage("contacts", SCHEMA, ["id"]),
    "state": StateMessage({"bookmarks": {}}),
    "activate_version": ActivateVersionMessage("contacts", 1),
}


def test_records_are_buffered_up_to_the_size_of_a_pipe() -> None:
    writer = MessageWriter()
    with output() as pipe:
        for number in range(1000):
            writer.write_message(record(number, name="x" * 1000))
        assert all(BUFFER_BYTES <= len(data) < BUFFER_BYTES + 2000 for data in pipe.writes)
        assert len(pipe.writes) >= 10
        writer.flush()
    assert [line["record"]["id"] for line in pipe.lines] == [str(number) for number in range(1000)]


@cases(**OTHERS)
def test_any_other_message_is_written_at_once_after_the_records_before_it(message: Message) -> None:
    writer = MessageWriter()
    with output() as pipe:
        writer.write_message(record(1))
        assert pipe.writes == []
        writer.write_message(message)
        writer.flush()
    assert [line["type"] for line in pipe.lines] == ["RECORD", message.type.value]
    assert len(pipe.writes) == 1, "a flush of nothing writes nothing"


def test_a_file_that_takes_less_than_it_is_given_loses_nothing() -> None:
    writer = MessageWriter()
    with output(takes=7) as pipe:
        for number in range(60):
            writer.write_message(record(number, name="Zoë"))
        writer.flush()
    assert [line["record"]["id"] for line in pipe.lines] == [str(number) for number in range(60)]


def test_a_target_that_is_gone_is_named() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    writer = MessageWriter()
    with os.fdopen(writing, "w") as file, redirect_stdout(file):
        for message in (StateMessage({}), StateMessage({})):
            with pytest.raises(OutputError, match="target stopped reading"):
                writer.write_message(message)


@cases(
    **OTHERS,
    schema_without_key=SchemaMessage("contacts", {"type": "object"}),
    empty_state=StateMessage({}),
    record_without_version=RecordMessage("contacts", {"id": "1"}),
    record_with_its_time=RecordMessage(
        "contacts", {"id": "1"}, 5, datetime(2026, 1, 2, 3, 4, 5, 6, UTC)
    ),
    texts=record(1, text='Zoë 😀 "\\u0000" \u2028\x7f\x01', null=None, list=[], object={}),
    numbers=record(1, big=2**70, low=-(2**63), decimal=Decimal("0.10"), tiny=Decimal("1E-30")),
    time_and_flag=record(1, at=datetime(2026, 1, 2, tzinfo=UTC), flag=True),
)
def test_a_line_equals_that_of_the_sdks_own_writer(message: Message) -> None:
    writer = MessageWriter()
    with output() as ours:
        writer.write_message(message)
        writer.flush()
    with output() as theirs:
        MsgSpecWriter().write_message(message)
    assert b"".join(ours.writes) == b"".join(theirs.writes)
    assert ours.writes == [writer.format_message(message) + b"\n"]


@cases(
    plain={},
    changed={
        "stream_maps": {"contacts": {"domain": "email"}},
        "flattening_enabled": True,
        "flattening_max_depth": 1,
    },
)
def test_no_schema_message_names_its_dialect(
    settings: Any, workbench: Workbench, leads_250: Sandbox
) -> None:
    """A target refuses `$schema`; the catalog keeps it."""
    run = workbench.sync(leads_250, "--test=schema", **settings)
    (message,) = run.messages
    assert "$schema" in LEAD_SCHEMA.keys() - message["schema"].keys()


def test_python_without_buffers_makes_no_difference(
    workbench: Workbench, leads_250: Sandbox
) -> None:
    run = workbench.sync(leads_250, environment={"PYTHONUNBUFFERED": "1"})
    assert lasting(run) == lasting(workbench.sync(leads_250))
