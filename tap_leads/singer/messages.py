"""Writes Singer messages, many records at a time."""

from __future__ import annotations

import sys
from typing import Any

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerWriter
from singer_sdk.singerlib.encoding.simple import Message, RecordMessage, SchemaMessage
from typing_extensions import override

from tap_leads.singer.stdio import flush_output, output_errors, write_all

BUFFER_BYTES = 64 * 1024
"""The size of a write. A Linux pipe has the same capacity."""

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def _content(message: Message) -> dict[str, Any]:
    """The content of a message, without the `$schema` that the SDK adds to a schema.

    No other known tap sends it, and target-postgres of Datamill refuses it ("Encountered unexpected
    entry in properties").
    """
    content: dict[str, Any] = message.to_dict()
    if isinstance(message, SchemaMessage):
        content["schema"] = {key: part for key, part in message.schema.items() if key != "$schema"}
    return content


class MessageWriter(GenericSingerWriter[bytearray, Message]):
    """Buffers records; any other message is written at once, after the records before it.

    Messages go to the current `sys.stdout`, which can also be the output of a notebook's cell.
    """

    def __init__(self) -> None:
        super().__init__()
        self._buffer = bytearray()

    @override
    def serialize_message(self, message: Message) -> bytearray:
        return bytearray(_ENCODER.encode(_content(message)))

    @override
    def write_message(self, message: Message) -> None:
        """Writes or buffers a message.

        Raises:
            OutputError: The target stopped reading, or standard output cannot be written to.
        """
        _ENCODER.encode_into(_content(message), self._buffer, -1)
        self._buffer += b"\n"
        if len(self._buffer) >= BUFFER_BYTES or not isinstance(message, RecordMessage):
            self.flush()

    def flush(self) -> None:
        """Writes the buffered records.

        Raises:
            OutputError: The target stopped reading, or standard output cannot be written to.
        """
        if not self._buffer:
            return
        flush_output()  # the program may have printed something before
        data, self._buffer = self._buffer, bytearray()
        buffer = getattr(sys.stdout, "buffer", None)
        with output_errors():
            if buffer is None:  # a notebook's output, or an io.StringIO, takes text only
                sys.stdout.write(data.decode())
                sys.stdout.flush()
            else:
                # Past Python's own buffer: after a signal, Python would try to write it at exit,
                # and block on a full pipe.
                raw = getattr(buffer, "raw", buffer)
                write_all(raw.write, raw.fileno, data)
