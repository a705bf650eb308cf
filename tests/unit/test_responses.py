"""What a response without a page means, and what an error in place of a response means."""

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
from tap_leads.scroll.outcomes import Outcome
from tap_leads.scroll.reactions import Kind
from tap_leads.scroll.responses import RATE_WINDOW, check, kind_of
from tap_leads.scroll.transport import Response, Session

STATUSES = {
    None: [200],
    Kind.NOT_A_PAGE: [100, 201, 204, 206, 304],
    Kind.REFUSED: [300, 302, 308, *(400, 401, 402, 403, 405, 406, 407, 411, 415, 417, 422, 451)],
    Kind.NOT_FOUND: [404, 410],
    Kind.RATE_LIMITED: [429],
    # No certain refusal, so the page may have been served.
    Kind.UNCLEAR: [408, 409, 421, 425, 449, 499, 500, 501, 502, 503, 504, 511, 599],
}


@pytest.mark.parametrize(("kind", "statuses"), STATUSES.items())
def test_the_status_tells_the_kind_of_a_response(kind: Kind | None, statuses: list[int]) -> None:
    assert {kind_of(status, "") for status in statuses} == {kind}


NOW = {"Date": "Thu, 26 Nov 2026 12:00:00 GMT"}
NOON = 1795694400


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        pytest.param({"X-RateLimit-Reset": str(NOON + 4)}, 5.0, id="rest-of-the-window"),
        pytest.param({"X-RateLimit-Reset": str(NOON + 10)}, 11.0, id="whole-window"),
        pytest.param({"X-RateLimit-Reset": str(NOON + 11)}, RATE_WINDOW, id="more-than-a-window"),
        pytest.param({"X-RateLimit-Reset": str(NOON - 3600)}, RATE_WINDOW, id="past"),
        pytest.param({"X-RateLimit-Reset": "9" * 30}, RATE_WINDOW, id="malformed-reset"),
        pytest.param({"X-RateLimit-Reset": "soon"}, RATE_WINDOW, id="text"),
        pytest.param({}, RATE_WINDOW, id="no-reset"),
        pytest.param(
            {"X-RateLimit-Reset": str(NOON), "Date": "Fri, 31 Dec 99999 23:59:59 GMT"},
            RATE_WINDOW,
            id="malformed-date",
        ),
    ],
)
def test_the_rate_limit_is_waited_for_by_intercoms_clock_or_a_whole_window(
    headers: dict[str, str], wait: float
) -> None:
    with pytest.raises(Outcome) as caught:
        check(Response(429, NOW | headers, b""), "us")
    assert caught.value.kind is Kind.RATE_LIMITED
    assert caught.value.wait == wait


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


def test_a_session_that_has_sent_nothing_can_be_closed() -> None:
    Session().close()


def test_a_response_is_not_read_after_its_time_is_used_up() -> None:
    session = Session()
    session.limit(silence=1.0, total=0.0)
    with io.FileIO(os.devnull) as raw, pytest.raises(TimeoutError):
        session.read_into(raw, bytearray(1))
