"""Reads all leads of a workspace through the scroll, each version once, or fails.

Owns what follows from each response, the limits, what was already sent, and the pages that wait for
the target. Must not know of Singer: no messages, no catalog, no settings, no SDK.
"""
