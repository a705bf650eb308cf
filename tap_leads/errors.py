"""The error that users of the tap see."""

from __future__ import annotations


class TapLeadsError(Exception):
    """The sync cannot be complete. The message says what happened and what the user can do.

    No message contains a token, an address or any other data of a lead.
    """
