"""Messages reach the target complete and in order, and equal those of the SDK's writer."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.singerlib.encoding import simple
from support.cases import cases
from support.tap import Workbench
from typing_extensions import override

from tap_leads.records.schema import LEAD_SCHEMA
from tap_leads.sandbox import Sandbox
from tap_leads.singer.messages import BUFFER_BYTES, MessageWriter


class Pipe(io.RawIOBase):
    """A raw file that remembers each write."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, data: Any) -> int:
        self.writes.append(bytes(data))
        return len(data)


@contextmanager
def output() -> Iterator[list[bytes]]:
    """What is written to standard output below the buffers that Python puts on it."""
    pipe = Pipe()
    with io.TextIOWrapper(io.BufferedWriter(pipe)) as file, redirect_stdout(file):
        yield pipe.writes


def record(number: int, **fields: Any) -> simple.RecordMessage:
    """A message with a record."""
    return simple.RecordMessage("contacts", {"id": str(number)} | fields, version=1)


SCHEMA = {key: part for key, part in LEAD_SCHEMA.items() if key != "$schema"}
OTHERS: dict[str, simple.Message] = {
    "schema": simple.SchemaMessage("contacts", SCHEMA, ["id"]),
    "state": simple.StateMessage({"bookmarks": {}}),
    "activate_version": simple.ActivateVersionMessage("contacts", 1),
}


def test_records_are_buffered_up_to_the_size_of_a_pipe() -> None:
    writer = MessageWriter()
    with output() as writes:
        for number in range(1000):
            writer.write_message(record(number, name="x" * 1000))
        assert all(BUFFER_BYTES <= len(data) < BUFFER_BYTES + 2000 for data in writes)
        assert len(writes) >= 10
        writer.flush()
    lines = map(json.loads, b"".join(writes).splitlines())
    assert [line["record"]["id"] for line in lines] == [str(number) for number in range(1000)]


@cases(**OTHERS)
def test_any_other_message_is_written_at_once_after_the_records(message: simple.Message) -> None:
    writer = MessageWriter()
    with output() as writes:
        writer.write_message(record(1))
        assert writes == []
        writer.write_message(message)
        writer.flush()
    (written,) = writes  # a flush of nothing writes nothing
    kinds = [json.loads(line)["type"] for line in written.splitlines()]
    assert kinds == ["RECORD", message.type.value]


@cases(
    **OTHERS,
    record_without_version=simple.RecordMessage("contacts", {"id": "1"}),
    record_with_its_time=simple.RecordMessage(
        "contacts", {"id": "1"}, 5, datetime(2026, 1, 2, 3, 4, 5, 6, UTC)
    ),
    texts=record(1, text='Zoë 😀 "\\u0000" \u2028\x7f\x01', null=None, list=[], object={}),
    numbers=record(1, big=2**70, low=-(2**63), decimal=Decimal("0.10"), tiny=Decimal("1E-30")),
    time_and_flag=record(1, at=datetime(2026, 1, 2, tzinfo=UTC), flag=True),
)
def test_a_line_equals_that_of_the_sdks_own_writer(message: simple.Message) -> None:
    writer = MessageWriter()
    with output() as ours:
        writer.write_message(message)
        writer.flush()
    with output() as theirs:
        MsgSpecWriter().write_message(message)
    assert b"".join(ours) == b"".join(theirs) == writer.format_message(message) + b"\n"


def test_no_schema_message_names_its_dialect(workbench: Workbench, leads_250: Sandbox) -> None:
    """A target refuses `$schema`, which the catalog keeps, and the SDK adds after a stream map."""
    for maps in (None, {"contacts": {"domain": "email"}}):
        run = workbench.sync(leads_250, "--test=schema", stream_maps=maps)
        assert "$schema" in LEAD_SCHEMA.keys() - run.messages[0]["schema"].keys()


def test_python_without_buffers_writes_the_same(workbench: Workbench, leads_250: Sandbox) -> None:
    run = workbench.sync(leads_250, environment={"PYTHONUNBUFFERED": "1"})
    assert run.lasting == workbench.sync(leads_250).lasting
