"""The sentences of outcomes: what happened, and what the user can do."""

from __future__ import annotations

import logging

import pytest
from support.cases import cases

from tap_leads.scroll import outcomes
from tap_leads.scroll.ends import Count
from tap_leads.scroll.outcomes import LATER, Outcome
from tap_leads.scroll.quiet import quiet_requests, unlogged_request
from tap_leads.scroll.reactions import Kind


def test_an_outcome_reads_as_two_sentences() -> None:
    outcome = Outcome(Kind.REFUSED, "a refusal of Intercom", "Ask Jane", 3.0)
    assert outcome.sentence == "A refusal of Intercom"
    assert str(outcome) == "A refusal of Intercom. Ask Jane."
    assert (outcome.kind, outcome.what, outcome.advice, outcome.wait) == outcome.args
    again = "Run the sync again later; if this happens often, look at Intercom's status page"
    assert Outcome(Kind.UNCLEAR, "x").args == (Kind.UNCLEAR, "x", again, 0.0)


@cases(
    (None, "does not say how many there are"),
    (Count(3), "counts 3"),
    (Count(3, exact=False), "counts at least 3"),
)
@cases(
    (Kind.ACCEPTED_END, "the scroll ended", LATER),
    (Kind.CONTRADICTED_END, "two scrolls in a row ended", "'count_mismatch' to 'warn'"),
)
def test_an_end_is_told_with_the_leads_and_the_count(
    kind: Kind, what: str, advice: str, expected: Count | None, counted: str
) -> None:
    end = outcomes.end(kind, 2, expected)
    assert (end.kind, end.what) == (kind, f"{what} with 2 leads, while Intercom {counted}")
    assert advice in end.advice


CHECK = "Check the network, HTTPS_PROXY and, if it is set, 'api_url'"


@cases(
    (outcomes.repeated(), Kind.REPEATED, "repeated a page", LATER),
    (outcomes.unreachable_too_long(), Kind.UNREACHABLE_TOO_LONG, "before the scroll", CHECK),
    (
        outcomes.lead_without_id(),
        Kind.LEAD_WITHOUT_ID,
        "a lead without",
        "Please report this to Intercom",
    ),
)
def test_each_outcome_has_its_kind(outcome: Outcome, kind: Kind, what: str, advice: str) -> None:
    assert outcome.kind is kind
    assert what in outcome.what
    assert outcome.advice == advice


def test_what_the_http_library_logs_about_a_request_is_dropped_for_this_thread_only(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its records contain the scroll's token. Other users of the library keep their log."""
    logger, other = logging.getLogger("urllib3.connectionpool"), logging.getLogger("urllib4.other")
    quiet_requests()
    quiet_requests()
    with caplog.at_level(logging.DEBUG):
        with unlogged_request():
            logger.warning("secret")
            other.warning("kept")
            with unlogged_request():
                logger.warning("secret")
            logger.warning("secret")
        logger.warning("kept")
    assert caplog.messages == ["kept", "kept"]
    assert len([each for each in logger.filters if "sending" in repr(each)]) == 1


def test_after_an_error_the_http_library_logs_again(caplog: pytest.LogCaptureFixture) -> None:
    quiet_requests()
    with pytest.raises(OSError), unlogged_request():  # noqa: PT011 - it has no message
        raise OSError
    logging.getLogger("urllib3.connectionpool").warning("kept")
    assert caplog.messages == ["kept"]
