"""Writes Singer messages, many records at a time."""

from __future__ import annotations

import sys
from typing import Any

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerWriter
from singer_sdk.singerlib.encoding.simple import Message, RecordMessage, SchemaMessage
from typing_extensions import override

from tap_leads import TapLeadsError


class TargetGoneError(TapLeadsError):
    """Whoever read the tap's output stopped reading."""

    def __init__(self) -> None:
        super().__init__(
            "The target stopped reading, so the sync is not complete. Look for the cause in the "
            "target's own log, then run the sync again: it starts from the first lead."
        )


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
    """Gathers records, and writes every other message at once with what was gathered before it."""

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
            TargetGoneError: Nobody reads any more.
        """
        _ENCODER.encode_into(_content(message), self._buffer, -1)
        self._buffer += b"\n"
        if len(self._buffer) >= BUFFER_BYTES or not isinstance(message, RecordMessage):
            self.flush()

    def flush(self) -> None:
        """Writes what has gathered.

        Raises:
            TargetGoneError: Nobody reads any more.
        """
        # Straight to the file: what Python's own buffer held when a signal ends the tap, it would
        # try to write at exit, and hang on a pipe that nobody reads.
        output: Any = getattr(sys.stdout.buffer, "raw", sys.stdout.buffer)
        left, self._buffer = memoryview(self._buffer), bytearray()
        try:
            while left:
                left = left[output.write(left) :]  # a raw file may take less than it is given
        except BrokenPipeError:
            raise TargetGoneError from None
