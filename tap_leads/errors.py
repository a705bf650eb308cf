"""The error that users of the tap see."""

from __future__ import annotations

from typing import Any


class TapLeadsError(Exception):
    """The sync cannot be complete. The message says what happened and what the user can do.

    No message contains a token, an address or any other data of a lead.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        # Python would call the subclass with the message, but most take other arguments.
        return _restore, (type(self), self.args), self.__dict__ or None


def _restore(kind: type[TapLeadsError], args: tuple[object, ...]) -> TapLeadsError:
    """The error that was pickled, for example by a process of a pool."""
    return kind.__new__(kind, *args)
