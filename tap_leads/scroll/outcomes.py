"""Outcomes of requests that did not return a page with leads: their kinds, and what users read.

The sentences contain no token and no URL. Of a response, they name only the status, the error code
and the media type.
"""

from __future__ import annotations

from typing import NamedTuple

from tap_leads.records.pages import LeadWithoutIdError
from tap_leads.scroll.ends import Count
from tap_leads.scroll.reactions import Kind

LATER = "Run the sync again later; if this happens often, look at Intercom's status page"
NETWORK = "Check the network, HTTPS_PROXY and, if it is set, 'api_url'"


class Explanation(NamedTuple):
    """What happened, and what the user can do; both without a full stop."""

    what: str
    advice: str


class Outcome(Exception):  # noqa: N818 - some outcomes, such as the end, are no errors
    """A request did not return a page with leads.

    Args:
        kind: The row of the table in `reactions`.
        what: What happened, without a full stop.
        advice: What the user can do, without a full stop.
        wait: For `Kind.RATE_LIMITED`, the seconds until Intercom's window ends.
    """

    def __init__(self, kind: Kind, what: str, advice: str = LATER, wait: float = 0.0) -> None:
        super().__init__(kind, what, advice, wait)
        self.kind = kind
        self.what = what
        self.advice = advice
        self.wait = wait

    @property
    def sentence(self) -> str:
        """What happened, as the start of a sentence."""
        return self.what[0].upper() + self.what[1:]

    def __str__(self) -> str:
        return f"{self.sentence}. {self.advice}."


def repeated() -> Outcome:
    """The outcome of a page that the scroll had already sent."""
    return Outcome(Kind.REPEATED, "the scroll repeated a page")


def unreachable_too_long() -> Outcome:
    """The outcome of a request that could not be sent before the scroll expired."""
    what = "Intercom could not be reached before the scroll expired"
    return Outcome(Kind.UNREACHABLE_TOO_LONG, what, NETWORK)


def end(kind: Kind, leads: int, expected: Count | None) -> Outcome:
    """The outcome of a scroll that ended.

    Args:
        kind: How the end was judged.
        leads: Different leads that the sync has read.
        expected: How many Intercom counts.
    """
    counted = "does not say how many there are"
    if expected is not None:
        counted = f"counts {'' if expected.exact else 'at least '}{expected.leads}"
    if kind is Kind.CONTRADICTED_END:
        return Outcome(
            kind,
            f"two scrolls in a row ended with {leads} leads, while Intercom {counted}",
            "Compare with Intercom's own list of leads. If the count is wrong, set "
            "'count_mismatch' to 'warn', which accepts the leads of the scroll and deletes none",
        )
    return Outcome(kind, f"the scroll ended with {leads} leads, while Intercom {counted}")


def lead_without_id() -> Outcome:
    """The outcome of a page with a lead that no target could store."""
    return Outcome(Kind.LEAD_WITHOUT_ID, LeadWithoutIdError.WHAT, LeadWithoutIdError.ADVICE)


PROXY_REFUSED = Explanation(
    "the proxy wants a user name and a password",
    "Put them into HTTPS_PROXY, or ask its operator",
)
