"""Reads all leads of a workspace through the scroll, and passes each version of a lead on once.

This package reacts to each response, limits waits and restarts, remembers which leads were sent,
and keeps pages on disk until the target takes them. It knows nothing of Singer messages, catalogs
and settings. Of the SDK, it uses only the base class of paginators.
"""
