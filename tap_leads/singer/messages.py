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
"""Records are written when so many bytes of them have gathered; a Linux pipe holds as many."""

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def _content(message: Message) -> dict[str, Any]:
    """What a message says: all of it, but for `$schema` in a schema.

    The SDK adds it, no other known tap sends it, and one of the targets refuses it ("Encountered
    unexpected entry in properties", target-postgres of Datamill).
    """
    content: dict[str, Any] = message.to_dict()
    if isinstance(message, SchemaMessage):
        content["schema"] = {key: part for key, part in message.schema.items() if key != "$schema"}
    return content


class MessageWriter(GenericSingerWriter[bytearray, Message]):
    """Gathers records, and writes every other message at once with what was gathered before it.

    Messages go to what `sys.stdout` is at that time: a file, or the output of a notebook's cell.
    """

    def __init__(self) -> None:
        super().__init__()
        self._buffer = bytearray()

    @override
    def serialize_message(self, message: Message) -> bytearray:
        return bytearray(_ENCODER.encode(_content(message)))

    @override
    def write_message(self, message: Message) -> None:
        """Takes a message.

        Raises:
            TargetGoneError: The reader is gone.
            OutputError: Standard output is closed, or cannot be written to.
        """
        _ENCODER.encode_into(_content(message), self._buffer, -1)
        self._buffer += b"\n"
        if len(self._buffer) >= BUFFER_BYTES or not isinstance(message, RecordMessage):
            self.flush()

    def flush(self) -> None:
        """Writes what has gathered.

        Raises:
            TargetGoneError: The reader is gone.
            OutputError: Standard output is closed, or cannot be written to.
        """
        if not self._buffer:
            return
        flush_output()  # what the program printed before these messages comes before them
        data, self._buffer = self._buffer, bytearray()
        buffer = getattr(sys.stdout, "buffer", None)
        with output_errors():
            if buffer is None:  # a notebook's output, or an io.StringIO, takes text only
                sys.stdout.write(data.decode())
                sys.stdout.flush()
            else:
                # Straight to the file: what Python's own buffer held when a signal ends the tap,
                # it would try to write at exit, and hang on a pipe that is full.
                raw = getattr(buffer, "raw", buffer)
                write_all(raw.write, raw.fileno, data)
