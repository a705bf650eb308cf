"""The command line: how the tap ends, and what it says then."""

from __future__ import annotations

import gc
import sys
import traceback
from typing import Any, NoReturn

from singer_sdk.plugin_base import SingerCommand
from typing_extensions import override

from tap_leads.errors import TapLeadsError
from tap_leads.singer import signals
from tap_leads.singer.logs import report_error
from tap_leads.singer.progress import Progress
from tap_leads.singer.stdio import flush_output


class Command(SingerCommand):
    """The SDK's command, with an honest end: 0 for a complete sync only."""

    @override
    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        gc.freeze()  # the collector need not look at imported modules again and again
        Progress.is_live = bool(sys.stderr and sys.stderr.isatty())
        sys.exit(self._run(*args, **kwargs))

    def _run(self, *args: Any, **kwargs: Any) -> int:
        """Runs the command, and says why if it fails; the exit code."""
        try:
            flush_output()  # nothing is started whose output cannot be written
            super().main(*args, **kwargs)
        except SystemExit as end:  # as click ends every command
            if end.code in signals.EXIT_CODES:
                report_error(self.logger, "Ended by a signal; the sync is not complete.")
            return int(end.code or 0)
        except TapLeadsError as error:
            report_error(self.logger, "%s", error)
        except Exception as error:  # noqa: BLE001 - nothing may end without a word
            self._log_unexpected(error)
        return 1

    def _log_unexpected(self, error: Exception) -> None:
        """Says where, but not what: an error's text may hold a lead's data."""
        report_error(
            self.logger,
            "The sync failed with an unexpected %s. If a stream map is set, its expressions may be "
            "the cause; else please report this.\n%s",
            type(error).__name__,
            "".join(traceback.format_tb(error.__traceback__)).rstrip(),
        )
