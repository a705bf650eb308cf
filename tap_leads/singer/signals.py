"""How signals end the command."""

from __future__ import annotations

import signal
from types import FrameType
from typing import NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

EXIT_CODES = frozenset(128 + number for number in _SIGNALS)
"""The exit codes of a command that a signal ended, as shells expect them."""


def handle() -> None:
    """Lets signals end the command with 128 and their number."""
    for number in _SIGNALS:
        # A signal that was ignored stays ignored: nohup does so, and shells for background jobs.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
