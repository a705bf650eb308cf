"""`python -m tap_leads` is `tap-leads`."""

from tap_leads.tap import TapLeads

if __name__ == "__main__":
    TapLeads.cli()
