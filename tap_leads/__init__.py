"""Every lead of an Intercom workspace, through the Scroll API: a Singer tap, and an iterator.

for lead in leads(access_token=token, region="eu"): ...
"""

from __future__ import annotations

from importlib.metadata import version

from tap_leads.errors import TapLeadsError
from tap_leads.iterate import LeadsPage, Settings, leads, pages

__all__ = ["LeadsPage", "Settings", "TapLeadsError", "__version__", "leads", "pages"]

__version__ = version("tap-leads")
