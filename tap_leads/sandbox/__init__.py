"""A simulated Intercom that follows the rules of its Scroll API, and breaks them on request.

It is for demonstrations, for tests, and to see what the tap does when something goes wrong:

    python -m tap_leads.sandbox --fault restart@3 -- tap-leads

The sandbox shares no code with the tap, so that neither can repeat a mistake of the other.
"""

from tap_leads.sandbox.faults import FAMILIES, KINDS, Fault
from tap_leads.sandbox.malformed import MALFORMED, malformed_kind, malformed_lead
from tap_leads.sandbox.sample_leads import Lead, data_attributes, lead
from tap_leads.sandbox.sandbox import Sandbox
from tap_leads.sandbox.workspace import ScrollRequest, Workspace

__all__ = [
    "FAMILIES",
    "KINDS",
    "MALFORMED",
    "Fault",
    "Lead",
    "Sandbox",
    "ScrollRequest",
    "Workspace",
    "data_attributes",
    "lead",
    "malformed_kind",
    "malformed_lead",
]
