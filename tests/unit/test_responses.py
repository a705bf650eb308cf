"""Why a request could not be sent is said in a few words, whatever the error."""

from __future__ import annotations

import errno
import io
import os
import ssl
from pathlib import Path

import certifi
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
        pytest.param(ssl.SSLError("secret"), "TLS could not be set up", id="tls"),
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


def test_only_the_variables_whose_files_cannot_be_used_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    monkeypatch.setenv("CURL_CA_BUNDLE", str(tmp_path / "missing"))
    error = requests.ConnectionError(FileNotFoundError("secret"))
    outcome = outcome_of(error, "api.intercom.io", sent=False)
    assert outcome.kind is Kind.MISCONFIGURED
    assert "the file or folder that CURL_CA_BUNDLE names" in outcome.what


def test_a_response_whose_time_is_used_up_is_not_read_on() -> None:
    session = Session()
    session.limit(silence=1.0, total=0.0)
    with io.FileIO(os.devnull) as raw, pytest.raises(TimeoutError):
        session.read_into(raw, bytearray(1))
