"""What can come back from Intercom's scroll, and what the sync does then: one table.

Intercom holds a scroll's position. A request whose outcome is unknown may have moved it, so it is
never sent again: the scroll is begun anew instead. Whatever is not clearly the end is not the end.

Sources: Intercom's page "Scroll over all leads", and what its users met: `docs/design.md`.
"""

from __future__ import annotations

import enum
from typing import NamedTuple


class Answer(enum.Enum):
    """What can come back from a request to the scroll."""

    LEADS = "a page with leads"
    EMPTY = "a page without leads"
    NO_PAGE = "an answer that is no page"
    SCROLL_EXISTS = "another scroll is open"
    NOT_FOUND = "not found"
    RATE_LIMITED = "too many requests"
    REFUSED = "refused"
    UNKNOWN_OUTCOME = "an error that leaves open whether the page was served"


class Reaction(enum.Enum):
    """What the sync does then."""

    GO_ON = "ask for the next page"
    END = "the sync is complete"
    WAIT = "wait until the other scroll has expired, then open again"
    REPEAT = "wait until the rate limit's window ends, then send the request again"
    RESTART = "begin a new scroll after this one has expired"
    FAIL = "end the sync with an error"


class Reactions(NamedTuple):
    """The reaction to one answer."""

    opening: Reaction
    later: Reaction


REACTIONS = {
    # what comes back             to the opening request  to a later one
    Answer.LEADS:           Reactions(Reaction.GO_ON,   Reaction.GO_ON),
    Answer.EMPTY:           Reactions(Reaction.END,     Reaction.END),
    Answer.NO_PAGE:         Reactions(Reaction.RESTART, Reaction.RESTART),
    Answer.SCROLL_EXISTS:   Reactions(Reaction.WAIT,    Reaction.RESTART),
    Answer.NOT_FOUND:       Reactions(Reaction.FAIL,    Reaction.RESTART),
    Answer.RATE_LIMITED:    Reactions(Reaction.REPEAT,  Reaction.REPEAT),
    Answer.REFUSED:         Reactions(Reaction.FAIL,    Reaction.FAIL),
    Answer.UNKNOWN_OUTCOME: Reactions(Reaction.RESTART, Reaction.RESTART),
}  # fmt: skip
