"""A stand-in for Intercom that keeps the rules of its Scroll API, and breaks them on request.

For demonstrations, for tests, and for whoever wants to see what the tap does on a bad night:

    python -m tap_leads.sandbox --fault restart@3 -- tap-leads

It shares no code with the tap, so that neither can repeat a mistake of the other.
"""

from tap_leads.sandbox.dirt import DIRT, dirt_of, dirty_lead
from tap_leads.sandbox.faults import KINDS, Fault
from tap_leads.sandbox.leads import Lead, data_attributes, lead
from tap_leads.sandbox.server import Sandbox
from tap_leads.sandbox.workspace import ScrollRequest, Workspace

__all__ = [
    "DIRT",
    "KINDS",
    "Fault",
    "Lead",
    "Sandbox",
    "ScrollRequest",
    "Workspace",
    "data_attributes",
    "dirt_of",
    "dirty_lead",
    "lead",
]
