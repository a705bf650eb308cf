"""Every lead of an Intercom workspace, through the Scroll API: a Singer tap, and an iterator.

for lead in leads(access_token=token, region="eu"): ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_leads.errors import TapLeadsError
from tap_leads.iterate import LeadsPage, Settings, leads, pages

__all__ = ["LeadsPage", "Settings", "TapLeadsError", "__version__", "leads", "pages"]

if TYPE_CHECKING:
    __version__: str
else:

    def __getattr__(name: str) -> str:
        # The command must handle signals early, and this import takes most of the time before.
        from importlib.metadata import version  # noqa: PLC0415

        if name == "__version__":
            return version("tap-leads")
        raise AttributeError(f"module 'tap_leads' has no attribute '{name}'")
