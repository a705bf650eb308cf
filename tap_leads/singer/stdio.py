"""Standard streams that are closed, full or non-blocking, or whose reader is gone."""

from __future__ import annotations

import io
import os
import select
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO, cast

from typing_extensions import Buffer, override

from tap_leads.errors import TapLeadsError

_NULL = Path(os.devnull)


class TargetGoneError(TapLeadsError):
    """The program that read the tap's output stopped reading."""

    def __init__(self) -> None:
        super().__init__(
            "The target stopped reading, so the sync is not complete. Look for the cause in the "
            "target's own log, then run the sync again: it starts from the first lead."
        )


class OutputError(TapLeadsError):
    """Standard output cannot be written to: it is closed, or the disk is full."""

    def __init__(self, reason: str | None) -> None:
        super().__init__(
            f"Standard output cannot be written to ({reason}), so the output is not complete. "
            "Check where it goes, then run tap-leads again: it starts from the first lead."
        )


@contextmanager
def output_errors() -> Iterator[None]:
    """Turns the errors of standard output into errors for users.

    Raises:
        TargetGoneError: The other end of the pipe or socket is closed.
        OutputError: The write failed for another reason.
    """
    try:
        yield
    except (BrokenPipeError, ConnectionResetError):
        raise TargetGoneError from None
    except OSError as error:
        raise OutputError(error.strerror or type(error).__name__) from None


def write_all(
    write: Callable[[memoryview], int | None], fileno: Callable[[], int], data: Buffer
) -> None:
    """Writes all of the data.

    Args:
        write: Writes a part to an unbuffered file, and returns its size, or None if it would block.
        fileno: Returns the number of the same file.
        data: The data.
    """
    left = memoryview(data)
    while left:
        count = write(left)
        if count is None:
            _wait_for_room(fileno)
        else:
            left = left[count:]


def _wait_for_room(fileno: Callable[[], int]) -> None:
    """Waits until a non-blocking file accepts data again, without using the processor."""
    try:
        number = fileno()
    except io.UnsupportedOperation:  # not a file of the system, which cannot be polled
        time.sleep(0.01)
        return
    poll = select.poll()
    poll.register(number, select.POLLOUT)
    poll.poll()


class _Waiting(io.FileIO):
    """A standard stream that waits for a slow reader, even if the stream is non-blocking."""

    @override
    def write(self, data: Buffer) -> int:
        write_all(super().write, self.fileno, data)
        return len(memoryview(data))


class _Output(_Waiting):
    """Standard output of the command, also for what `print` and click write."""

    @override
    def write(self, data: Buffer) -> int:
        with output_errors():
            return super().write(data)


def prepare() -> None:
    """Makes the standard streams safe to use for the rest of the process.

    A closed standard input or error becomes `/dev/null`. Otherwise the next file that is opened
    would get its number, and the log would be written into that file. A closed standard output
    stays `None`: `flush_output` reports it.
    """
    if sys.stdin is None:
        sys.stdin = _NULL.open(encoding="utf-8")
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout is sys.__stdout__:
        sys.stdout = _unbuffered(sys.stdout, _Output)
    if sys.stderr is None:
        sys.stderr = _NULL.open("w", encoding="utf-8")
    elif isinstance(sys.stderr, io.TextIOWrapper) and sys.stderr is sys.__stderr__:
        sys.stderr = _unbuffered(sys.stderr, _Waiting)


def _unbuffered(stream: TextIO, kind: type[_Waiting]) -> io.TextIOWrapper[Any]:
    """The same stream without a buffer. Python would try to write a buffer again at exit."""
    return io.TextIOWrapper(
        cast("Any", kind(stream.fileno(), "w", closefd=False)),
        encoding=stream.encoding,
        errors=stream.errors,
        write_through=True,
    )


def flush_output() -> None:
    """Writes Python's own buffer.

    Raises:
        TargetGoneError: The reader is gone.
        OutputError: Standard output is closed, or cannot be written to.
    """
    if sys.stdout is None:
        raise OutputError("it is closed")
    with output_errors():
        sys.stdout.flush()
