"""Singer tap that extracts every lead of an Intercom workspace through the Scroll API."""

from importlib.metadata import version

__version__ = version("tap-leads")
