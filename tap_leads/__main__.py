"""`python -m tap_leads` is `tap-leads`."""

from tap_leads.tap import TapLeads

TapLeads.cli()
