"""What can go wrong, sorted by what it leads to.

- `TapLeadsError`: the sync cannot be complete. Its message is for the user, and the exit code is 1.
    - `LeadWithoutIdError`: Intercom sent a lead that no target could key.
    - `SpoolError`: the disk would not take, or give back, the pages that wait for the target.
    - `TargetGoneError`: nobody reads what the tap writes.
- `UnusableAnswerError`: an answer that brings no page. The scroll's lifecycle decides what follows.

No message ever holds a token, an address or anything else out of a lead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_leads.reactions import Answer


class TapLeadsError(Exception):
    """The sync ends here; the message says what happened and what the user can do."""


class LeadWithoutIdError(TapLeadsError):
    """A lead without an id: it could be neither loaded nor counted."""

    def __init__(self) -> None:
        super().__init__(
            "Intercom sent a lead without an id. No target can store it under its key, so the sync "
            "stops here instead of leaving it out. Please report this to Intercom."
        )


class SpoolError(TapLeadsError):
    """The disk refused the pages that wait for the target."""


class TargetGoneError(TapLeadsError):
    """Whoever read the tap's output stopped reading."""

    def __init__(self) -> None:
        super().__init__(
            "The target stopped reading, so the sync is not complete. Look for the cause in the "
            "target's own log, then run the sync again: it starts from the first lead."
        )


class UnusableAnswerError(Exception):
    """What came back brings no page of leads.

    Attributes:
        answer: What kind of answer it was.
        wait: For `Answer.RATE_LIMITED`, the seconds until Intercom's window ends.
    """

    def __init__(self, answer: Answer, message: str, *, wait: float = 0.0) -> None:
        super().__init__(message)
        self.answer = answer
        self.wait = wait
