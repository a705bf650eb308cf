"""The command: its exit codes, and its last line in the log."""

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
    """The SDK's command. It exits with 0 only if the sync is complete."""

    @override
    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        gc.freeze()  # the collector need not look at imported modules again and again
        Progress.is_live = bool(sys.stderr and sys.stderr.isatty())
        sys.exit(self._run(*args, **kwargs))

    def _run(self, *args: Any, **kwargs: Any) -> int:
        """Runs the command, and returns its exit code. If it fails, the log says why."""
        try:
            flush_output()  # without a usable output, nothing needs to start
            super().main(*args, **kwargs)
        except SystemExit as end:  # as click ends every command
            if end.code in signals.EXIT_CODES:
                report_error(self.logger, "Ended by a signal; the sync is not complete.")
            return int(end.code or 0)
        except TapLeadsError as error:
            report_error(self.logger, "%s", error)
        except Exception as error:  # noqa: BLE001 - every failure must be logged
            # Without the error's text, which may contain data of a lead.
            report_error(
                self.logger,
                "The sync failed with an unexpected %s. If a stream map is set, its expressions "
                "may be the cause; else please report this.\n%s",
                type(error).__name__,
                "".join(traceback.format_tb(error.__traceback__)).rstrip(),
            )
        return 1
