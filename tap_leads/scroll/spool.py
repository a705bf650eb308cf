"""A queue on disk, for pages that the target has not read yet.

The reading thread puts pages in as fast as Intercom responds; the stream takes them out as fast as
the target reads. The files have no name: no other program can open them, and the system deletes
them when the process ends, even after a kill.
"""

from __future__ import annotations

import os
import struct
import tempfile
import threading
from collections import deque
from typing import BinaryIO

from tap_leads.errors import TapLeadsError


class SpoolError(TapLeadsError):
    """The disk could not store what the sync keeps there."""


SEGMENT_BYTES = 64 * 1024 * 1024
"""The spool starts a new file after this size, and deletes each file that was read."""

_LENGTH = struct.Struct(">I")


def _folder() -> str:
    """The name of the temporary folder, as a part of a sentence; empty if it is unknown."""
    return f", {tempfile.tempdir}" if tempfile.tempdir else ""


class Spool:
    """A queue of pages. One thread puts pages in, another takes them out."""

    def __init__(self, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._segment_bytes = segment_bytes
        self._changed = threading.Condition()
        self._segments: deque[BinaryIO] = deque()
        self._written = 0  # bytes in the last segment
        self._taken = 0  # bytes read of the first one
        self._waiting = 0
        self._ended = False

    @property
    def waiting(self) -> int:
        """How many pages wait to be taken."""
        return self._waiting

    def put(self, page: bytes) -> None:
        """Adds a page.

        Raises:
            SpoolError: The disk could not store it.
        """
        with self._changed:
            try:
                if not self._segments or self._written >= self._segment_bytes:
                    # Created with mode 0600 and without a name; unbuffered, as a page is large.
                    file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed when read
                    self._segments.append(file)
                    self._written = 0
                self._append(_LENGTH.pack(len(page)) + page)
            except OSError as error:
                raise SpoolError(
                    f"The disk could not take the pages that wait for the target ({error.strerror};"
                    f" {self._waiting} pages wait). Free some space in the folder for temporary "
                    f"files{_folder()}, or name another one in TMPDIR."
                ) from None
            self._waiting += 1
            self._changed.notify()

    def take(self) -> bytes | None:
        """Waits for a page, and returns the oldest one; None after the last."""
        with self._changed:
            while not (self._waiting or self._ended):
                self._changed.wait()
            if not self._waiting:
                return None
            (length,) = _LENGTH.unpack(self._next(_LENGTH.size))
            page = self._next(length)
            self._waiting -= 1
            if not self._waiting:
                self._written = self._taken = 0  # a fast target needs one small file
            elif self._taken >= self._segment_bytes:
                self._segments.popleft().close()
                self._taken = 0
            return page

    def end(self) -> None:
        """Notes that no page follows, so that `take` does not wait for one."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def close(self) -> None:
        """Frees the disk."""
        with self._changed:
            self._waiting = 0
            while self._segments:
                self._segments.popleft().close()

    def _append(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            count = os.pwrite(self._segments[-1].fileno(), left, self._written)
            self._written += count
            left = left[count:]

    def _next(self, length: int) -> bytes:
        data = os.pread(self._segments[0].fileno(), length, self._taken)
        if len(data) != length:
            raise SpoolError("The disk did not give back the pages that wait for the target.")
        self._taken += length
        return data
