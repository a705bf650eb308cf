"""The table: what the sync does after each kind of response.

Intercom keeps the position of a scroll. If a response is lost, repeating its request can skip a
page, so the sync restarts the scroll. It repeats a request only if Intercom certainly did not serve
it. `ends` decides which ends are in doubt.

The sources are Intercom's page "Scroll over all leads" and reports of its users, which
`docs/design.md` names.
"""

from __future__ import annotations

import enum


class Kind(enum.Enum):
    """What a request to the scroll can return instead of the next page."""

    REPEATED = "a page that this scroll has already sent"
    END = "the end of the scroll"
    DOUBTFUL_END = "an end with leads missing, or with no count to show that none is"
    ACCEPTED_END = "a second such end, which is close enough to the count"
    CONTRADICTED_END = "a second such end, which is far from the count"
    NOT_A_PAGE = "a response that is not a page of leads"
    LEAD_WITHOUT_ID = "a page with a lead that no target could store"
    SCROLL_EXISTS = "another scroll is open"
    NOT_FOUND = "not found"
    RATE_LIMITED = "too many requests"
    REFUSED = "a refusal"
    UNREACHABLE = "nothing: the request could not be sent"
    UNREACHABLE_TOO_LONG = "nothing: the request could not be sent before the scroll expired"
    MISCONFIGURED = "nothing: this machine's configuration does not allow the request"
    UNCLEAR = "an error that leaves open whether the page was served"


class Reaction(enum.Enum):
    """What the sync does after it."""

    END = "the sync is complete"
    CONFIRM = "read all leads once more"
    RETRY = "wait, then send the same request again"
    WAIT = "wait until the other scroll has expired, then open one"
    RESTART = "wait until this scroll has expired, then start a new one"
    FAIL = "end the sync with an error"


class Moment(enum.Enum):
    """When a response arrives. A kind that has no reaction for a moment cannot occur then."""

    OPENING = "before the first page of a scroll"
    LATER = "after it"


_OPENING, _LATER = Moment.OPENING, Moment.LATER

REACTIONS: dict[Kind, dict[Moment, Reaction]] = {
    Kind.REPEATED:             {                            _LATER: Reaction.RESTART},
    Kind.END:                  {_OPENING: Reaction.END,     _LATER: Reaction.END},
    Kind.DOUBTFUL_END:         {_OPENING: Reaction.CONFIRM, _LATER: Reaction.CONFIRM},
    Kind.ACCEPTED_END:         {_OPENING: Reaction.END,     _LATER: Reaction.END},
    Kind.CONTRADICTED_END:     {_OPENING: Reaction.FAIL,    _LATER: Reaction.FAIL},
    Kind.NOT_A_PAGE:           {_OPENING: Reaction.RESTART, _LATER: Reaction.RESTART},
    Kind.LEAD_WITHOUT_ID:      {_OPENING: Reaction.FAIL,    _LATER: Reaction.FAIL},
    Kind.SCROLL_EXISTS:        {_OPENING: Reaction.WAIT,    _LATER: Reaction.RESTART},
    Kind.NOT_FOUND:            {_OPENING: Reaction.FAIL,    _LATER: Reaction.RESTART},
    Kind.RATE_LIMITED:         {_OPENING: Reaction.RETRY,   _LATER: Reaction.RETRY},
    Kind.REFUSED:              {_OPENING: Reaction.FAIL,    _LATER: Reaction.FAIL},
    Kind.UNREACHABLE:          {_OPENING: Reaction.RETRY,   _LATER: Reaction.RETRY},
    Kind.UNREACHABLE_TOO_LONG: {                            _LATER: Reaction.RESTART},
    Kind.MISCONFIGURED:        {_OPENING: Reaction.FAIL,    _LATER: Reaction.FAIL},
    Kind.UNCLEAR:              {_OPENING: Reaction.RESTART, _LATER: Reaction.RESTART},
}  # fmt: skip
