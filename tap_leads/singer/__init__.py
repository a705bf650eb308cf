"""What makes the tap a well-behaved Singer program.

Owns settings, catalog, messages, the command line with its exit codes, and the progress display.
Must not know Intercom's API or the shape of a lead.
"""
