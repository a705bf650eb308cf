"""Standard streams that are closed, full or non-blocking, or whose reader is gone."""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO, cast

from typing_extensions import Buffer, override

from tap_leads.errors import TapLeadsError

_NULL = Path(os.devnull)


class OutputError(TapLeadsError):
    """Standard output does not accept data, so the output is not complete."""


@contextmanager
def output_errors() -> Iterator[None]:
    """Turns the errors of standard output into errors for users.

    Raises:
        OutputError: The target stopped reading, or standard output cannot be written to.
    """
    try:
        yield
    except (BrokenPipeError, ConnectionResetError):
        raise OutputError(
            "The target stopped reading, so the sync is not complete. Look for the cause in the "
            "target's own log, then run the sync again: it starts from the first lead."
        ) from None
    except OSError as error:
        raise OutputError(
            f"Standard output cannot be written to ({error.strerror or type(error).__name__}), so "
            "the output is not complete. Check where it goes, then run tap-leads again: it starts "
            "from the first lead."
        ) from None


def write_all(
    write: Callable[[memoryview], int | None], fileno: Callable[[], int], data: Buffer
) -> None:
    """Writes all of the data, and waits for a slow reader even if the file is non-blocking.

    Args:
        write: Writes a part to an unbuffered file, and returns its size, or None if it would block.
        fileno: Returns the number of the same file.
        data: The data.
    """
    left = memoryview(data)
    while left:
        count = write(left)
        if count is None:
            poll = select.poll()
            poll.register(fileno(), select.POLLOUT)
            poll.poll()
        else:
            left = left[count:]


class _Stream(io.FileIO):
    """A standard stream without a buffer, which Python would try to write again at exit."""

    @override
    def write(self, data: Buffer) -> int:
        write_all(super().write, self.fileno, data)
        return len(memoryview(data))


class _Output(_Stream):
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
        sys.stderr = _unbuffered(sys.stderr, _Stream)


def _unbuffered(stream: TextIO, kind: type[_Stream]) -> TextIO:
    return io.TextIOWrapper(
        cast("Any", kind(stream.fileno(), "w", closefd=False)),
        encoding=stream.encoding,
        errors=stream.errors,
        write_through=True,
    )


def flush_output() -> None:
    """Writes Python's own buffer.

    Raises:
        OutputError: Standard output is closed, or cannot be written to.
    """
    with output_errors():
        if sys.stdout is None:
            raise OSError(errno.EBADF, "it is closed")
        sys.stdout.flush()
