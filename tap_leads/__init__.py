"""Singer tap that extracts every lead of an Intercom workspace through the Scroll API."""

from importlib.metadata import version

from tap_leads.api import LeadsPage, Settings, leads, pages

__all__ = ["LeadsPage", "Settings", "TapLeadsError", "__version__", "leads", "pages"]

__version__ = version("tap-leads")


class TapLeadsError(Exception):
    """The sync cannot be complete. The message says what happened and what the user can do.

    No message holds a token, an address or anything else out of a lead.
    """
