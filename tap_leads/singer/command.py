"""The command line: how the tap ends, and what it says then."""

from __future__ import annotations

import gc
import signal
import sys
import traceback
from types import FrameType
from typing import Any, NoReturn

from singer_sdk.plugin_base import SingerCommand
from typing_extensions import override

from tap_leads.errors import TapLeadsError
from tap_leads.singer.stdio import flush_output

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_BY_SIGNAL = {128 + number for number in _SIGNALS}


def _end_by_signal(number: int, _frame: FrameType | None) -> NoReturn:
    """Ends the tap as shells expect of a program that a signal ended: with 128 and its number."""
    raise SystemExit(128 + number)


class Command(SingerCommand):
    """The SDK's command, with an honest end: 0 for a complete sync only."""

    @override
    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        for number in _SIGNALS:
            # What was ignored stays so: Ctrl-C in a terminal is not for a background process.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, _end_by_signal)
        gc.freeze()  # what was imported stays: the collector need not walk it, again and again
        sys.exit(self._run(*args, **kwargs))

    def _run(self, *args: Any, **kwargs: Any) -> int:
        """Runs the command, and says why if it fails; the exit code."""
        try:
            flush_output()  # nothing is started whose output cannot be written
            super().main(*args, **kwargs)
        except SystemExit as end:  # as click ends every command
            if end.code in _BY_SIGNAL:
                self.logger.error("Ended by a signal; the sync is not complete.")  # noqa: TRY400
            return int(end.code or 0)
        except TapLeadsError as error:
            self.logger.error("%s", error)  # noqa: TRY400 - the message says it all
        except Exception as error:  # noqa: BLE001 - nothing may end without a word
            self._log_unexpected(error)
        return 1

    def _log_unexpected(self, error: Exception) -> None:
        """Says where, but not what: an error's text may hold a lead's data."""
        self.logger.error(
            "The sync failed with an unexpected %s. If a stream map is set, its expressions may be "
            "the cause; else please report this.\n%s",
            type(error).__name__,
            "".join(traceback.format_tb(error.__traceback__)).rstrip(),
        )
