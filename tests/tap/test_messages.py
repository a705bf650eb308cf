"""Messages reach the target whole, in their order, and say the same as the SDK's own writer."""

from __future__ import annotations

import io
import json
import os
import sys
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
from support.tap import Workbench
from typing_extensions import override

from tap_leads.records.schema import LEAD_SCHEMA
from tap_leads.sandbox import Sandbox
from tap_leads.singer.messages import BUFFER_BYTES, MessageWriter
from tap_leads.singer.stdio import TargetGoneError


class Pipe(io.RawIOBase):
    """A raw file that takes only so many bytes at a time, and remembers each write.

    Args:
        takes: Bytes a write; None takes all.
        busy: How many writes take nothing at first, as a file does that must not block.
    """

    def __init__(self, takes: int | None = None, busy: int = 0) -> None:
        self._takes = takes
        self._busy = busy
        self.writes: list[bytes] = []

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, data: Any) -> int | None:
        if self._busy:
            self._busy -= 1
            return None
        taken = bytes(data[: self._takes])
        self.writes.append(taken)
        return len(taken)

    @property
    def content(self) -> bytes:
        """All that was written."""
        return b"".join(self.writes)


def redirect(monkeypatch: pytest.MonkeyPatch, pipe: io.RawIOBase) -> None:
    """Makes a raw file the standard output, below the buffers that Python puts on it."""
    output = io.TextIOWrapper(io.BufferedWriter(pipe))
    monkeypatch.setattr(sys, "stdout", output)


def record(number: int, **fields: Any) -> RecordMessage:
    """A message with a record."""
    return RecordMessage(stream="contacts", record={"id": str(number)} | fields, version=1)


SCHEMA = {key: part for key, part in LEAD_SCHEMA.items() if key != "$schema"}
FLATTENED = {"flattening_enabled": True, "flattening_max_depth": 1}
MAPPED = {"stream_maps": {"contacts": {"domain": "email"}}}
OTHERS: list[Any] = [
    pytest.param(SchemaMessage("contacts", SCHEMA, ["id"]), id="schema"),
    pytest.param(StateMessage({"bookmarks": {}}), id="state"),
    pytest.param(ActivateVersionMessage("contacts", 1), id="activate-version"),
]


def test_records_are_gathered(monkeypatch: pytest.MonkeyPatch) -> None:
    redirect(monkeypatch, pipe := Pipe())
    writer = MessageWriter()
    for number in range(100):
        writer.write_message(record(number))
    assert pipe.writes == []
    writer.flush()
    assert len(pipe.writes) == 1
    assert [json.loads(line)["record"]["id"] for line in pipe.content.splitlines()] == [
        str(number) for number in range(100)
    ]


def test_no_more_is_gathered_than_a_pipe_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    redirect(monkeypatch, pipe := Pipe())
    writer = MessageWriter()
    message = record(1, name="x" * 1000)
    for _ in range(1000):
        writer.write_message(message)
    assert all(BUFFER_BYTES <= len(data) < BUFFER_BYTES + 2000 for data in pipe.writes)
    assert len(pipe.writes) >= 10
    writer.flush()
    assert len(pipe.content.splitlines()) == 1000


@pytest.mark.parametrize("message", OTHERS)
def test_any_other_message_goes_out_at_once_after_the_records_before_it(
    monkeypatch: pytest.MonkeyPatch, message: Message
) -> None:
    redirect(monkeypatch, pipe := Pipe())
    writer = MessageWriter()
    writer.write_message(record(1))
    writer.write_message(message)
    kinds = [json.loads(line)["type"] for line in pipe.content.splitlines()]
    assert kinds == ["RECORD", message.type.value]
    assert pipe.content.endswith(b"\n")


def test_a_flush_of_nothing_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    redirect(monkeypatch, pipe := Pipe())
    writer = MessageWriter()
    writer.flush()
    writer.write_message(StateMessage({}))
    written = list(pipe.writes)
    writer.flush()
    assert pipe.writes == written


@pytest.mark.parametrize("takes", [1, 7, 1000])
@pytest.mark.parametrize("busy", [0, 3])
def test_a_file_that_takes_less_than_it_is_given_loses_nothing(
    monkeypatch: pytest.MonkeyPatch, takes: int, busy: int
) -> None:
    redirect(monkeypatch, whole := Pipe())
    write_some(MessageWriter())
    redirect(monkeypatch, pipe := Pipe(takes, busy))
    write_some(MessageWriter())
    assert len(pipe.writes) > len(whole.writes)
    assert pipe.content == whole.content


def write_some(writer: MessageWriter) -> None:
    """Writes some messages."""
    for number in range(3):
        for inner in range(20):
            writer.write_message(record(number * 20 + inner, name="Zoë"))
        writer.write_message(StateMessage({"number": number}))


@contextmanager
def nobody_reads() -> Iterator[None]:
    """Makes the standard output a pipe whose reader is gone."""
    reading, writing = os.pipe()
    os.close(reading)
    with (
        io.TextIOWrapper(io.BufferedWriter(io.FileIO(writing, "w"))) as output,
        redirect_stdout(output),
    ):
        yield


def test_a_target_that_is_gone_is_said_so() -> None:
    writer = MessageWriter()
    writer.write_message(record(1))
    with nobody_reads(), pytest.raises(TargetGoneError, match="target stopped reading"):
        writer.flush()


def test_a_target_that_is_gone_is_noticed_by_any_other_message() -> None:
    with nobody_reads(), pytest.raises(TargetGoneError):
        MessageWriter().write_message(StateMessage({}))


MESSAGES: list[Any] = [
    *OTHERS,
    pytest.param(SchemaMessage("contacts", {"type": "object"}), id="schema-without-key"),
    pytest.param(StateMessage({}), id="empty-state"),
    pytest.param(record(1), id="record"),
    pytest.param(RecordMessage("contacts", {"id": "1"}), id="record-without-version"),
    pytest.param(
        RecordMessage("contacts", {"id": "1"}, 5, datetime(2026, 1, 2, 3, 4, 5, 6, UTC)),
        id="record-with-its-time",
    ),
    pytest.param(
        record(1, text='Zoë 😀 "\\u0000" \u2028\x7f\x01', null=None, list=[], object={}), id="texts"
    ),
    pytest.param(
        record(1, big=2**70, low=-(2**63), decimal=Decimal("0.10"), tiny=Decimal("1E-30")),
        id="numbers",
    ),
    pytest.param(record(1, at=datetime(2026, 1, 2, tzinfo=UTC), flag=True), id="time-and-flag"),
]


@pytest.mark.parametrize("message", MESSAGES)
def test_a_line_is_what_the_sdks_own_writer_makes_of_the_message(
    monkeypatch: pytest.MonkeyPatch, message: Message
) -> None:
    redirect(monkeypatch, theirs := Pipe())
    MsgSpecWriter().write_message(message)
    redirect(monkeypatch, ours := Pipe())
    writer = MessageWriter()
    writer.write_message(message)
    writer.flush()
    assert ours.content == theirs.content
    assert writer.format_message(message) + b"\n" == ours.content


def test_a_schema_does_not_name_its_dialect() -> None:
    """A target refuses `$schema`; the catalog keeps it."""
    assert "$schema" in LEAD_SCHEMA
    line = MessageWriter().format_message(SchemaMessage("contacts", LEAD_SCHEMA, ["id"]))
    assert json.loads(line)["schema"] == SCHEMA


@pytest.mark.parametrize("settings", [{}, FLATTENED, MAPPED], ids=["plain", "flattened", "mapped"])
def test_no_schema_message_names_its_dialect(workbench: Workbench, settings: Any) -> None:
    with Sandbox(leads=1) as sandbox:
        run = workbench.sync(sandbox, **settings)
    schemas = [message["schema"] for message in run.messages if message["type"] == "SCHEMA"]
    assert schemas
    assert not any("$schema" in schema for schema in schemas)


def test_python_without_buffers_makes_no_difference(workbench: Workbench) -> None:
    def output(**variables: str) -> list[dict[str, Any]]:
        run = workbench.sync(sandbox, environment=variables)
        assert run.code == 0, run.log
        passing = ("version", "time_extracted")
        return [
            {name: value for name, value in message.items() if name not in passing}
            for message in run.messages
        ]

    with Sandbox(leads=250) as sandbox:
        assert output(PYTHONUNBUFFERED="1") == output()
