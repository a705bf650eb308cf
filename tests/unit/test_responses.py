"""Why a request could not be sent is said in a few words, whatever the error."""

from __future__ import annotations

import errno
import os

import pytest
import requests

from tap_leads.scroll.network import outcome_of
from tap_leads.scroll.reactions import Kind
from tap_leads.scroll.transport import Session


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        pytest.param(
            OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH)),
            "network is unreachable",
            id="no-route",
        ),
        pytest.param(
            OSError("secret"), "no connection (ConnectionError)", id="an-error-without-a-number"
        ),
    ],
)
def test_the_reason_is_in_the_systems_words_or_a_name(cause: OSError, words: str) -> None:
    outcome = outcome_of(requests.ConnectionError(cause), "api.intercom.io", sent=False)
    assert outcome.kind is Kind.UNREACHABLE
    assert f"could not be reached at api.intercom.io: {words}" in str(outcome)
    assert "secret" not in str(outcome)


def test_a_session_that_has_sent_nothing_can_be_closed() -> None:
    Session().close()
