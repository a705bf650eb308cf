"""How signals end the command."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType
from typing import NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

EXIT_CODES = frozenset(128 + number for number in _SIGNALS)
"""The exit codes of a command that a signal ended, as shells expect them."""

_REPEAT_AFTER = 0.5
"""Seconds after which a signal that Python has not noticed is sent again."""

_LONGEST_END = 30.0
"""Seconds that the command has to end, for example if no program reads its log."""

_noticed = threading.Event()


def handle() -> None:
    """Lets signals end the command with 128 and their number."""
    for number in _SIGNALS:
        # A signal that was ignored stays ignored: nohup does so, and shells for background jobs.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    received, written = os.pipe()
    os.set_blocking(written, False)  # as `set_wakeup_fd` wants it
    signal.set_wakeup_fd(written)
    main = threading.get_ident()
    threading.Thread(target=_repeat, args=(received, main), name="signals", daemon=True).start()


def _repeat(received: int, main: int) -> None:
    """Sends the main thread a signal again until Python notices it, and limits the end.

    Python looks for signals before it waits, and a signal interrupts a wait. One that comes in
    between would be noticed after the wait only: never, if a target does not read any more.
    """
    (number,) = os.read(received, 1)
    while not _noticed.wait(_REPEAT_AFTER):
        signal.pthread_kill(main, number)
    time.sleep(_LONGEST_END)
    os._exit(128 + number)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)  # a repeated one must not interrupt what ends the sync
    _noticed.set()
    raise SystemExit(128 + number)
