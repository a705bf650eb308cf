"""Each error of the HTTP library is one of few outcomes, and its own text is never shown."""

from __future__ import annotations

import errno
import http.client
import os
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import certifi
import pytest
import requests
import urllib3
from support.cases import cases
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NameResolutionError, NewConnectionError, ProxyError

from tap_leads.scroll.network import ERRORS, outcome_of
from tap_leads.scroll.outcomes import LATER, NETWORK, Outcome
from tap_leads.scroll.reactions import Kind
from tap_leads.scroll.transport import BodyTooLargeError

HOST = "api.example.com"
FILES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")


@pytest.fixture(autouse=True)
def no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable names a file."""
    for name in FILES:
        monkeypatch.delenv(name, raising=False)


def unsent(error: Exception) -> Outcome:
    """The outcome of an error before the request was sent; never with the error's own text."""
    outcome = outcome_of(error, HOST, sent=False)
    assert "secret" not in str(outcome)
    return outcome


def behind_proxy(cause: Exception) -> Exception:
    """An error of the connection to a proxy, as the libraries wrap it."""
    return requests.exceptions.ProxyError(ProxyError("secret", cause))


def chained(cause: Exception, *, attribute: str = "__cause__") -> Exception:
    """An error that was raised from another."""
    error = requests.ConnectionError("secret")
    setattr(error, attribute, cause)
    return error


POOL, CONNECTION = urllib3.HTTPConnectionPool(HOST), HTTPConnection(HOST)
NO_NAME = NameResolutionError(HOST, CONNECTION, socket.gaierror())


@cases(
    name=(socket.gaierror("secret"), "the name was not found"),
    urllib3=(NO_NAME, "the name was not found"),
    refused=(ConnectionRefusedError("secret"), "the connection was refused"),
    time=(TimeoutError("secret"), "no connection within the time limit"),
    requests=(requests.ConnectTimeout("secret"), "no connection within the time limit"),
    tls=(ssl.SSLError("secret"), "TLS could not be set up"),
    system=(OSError(errno.ENETUNREACH, "Network is unreachable"), "network is unreachable"),
)
@cases(
    as_argument=requests.ConnectionError,
    as_cause=chained,
    as_context=lambda cause: chained(cause, attribute="__context__"),
    as_second_argument=lambda cause: OSError(http.client.HTTPException("secret"), cause),
    reason=lambda cause: urllib3.exceptions.MaxRetryError(POOL, "/", cause),
)
def test_the_reason_is_found_however_it_is_wrapped(
    wrap: Callable[[Exception], Exception], cause: Exception, words: str
) -> None:
    outcome = unsent(wrap(cause))
    assert (outcome.kind, outcome.advice) == (Kind.UNREACHABLE, NETWORK)
    assert outcome.what == f"Intercom could not be reached at {HOST}: {words}"
    proxy = unsent(behind_proxy(cause)).what
    assert proxy == f"Intercom could not be reached at {HOST}: the proxy: {words}"


@cases(
    (requests.ConnectionError("secret"), "ConnectionError"),
    (requests.ConnectionError(OSError("secret")), "ConnectionError"),
    (NewConnectionError(CONNECTION, "secret"), "NewConnectionError"),
    (http.client.HTTPException("secret"), "HTTPException"),
)
def test_an_unknown_reason_is_named_by_its_type(error: Exception, name: str) -> None:
    outcome = unsent(error)
    assert outcome.kind is Kind.UNREACHABLE
    assert outcome.what.endswith(f"{HOST}: no connection ({name})")
    assert isinstance(error, ERRORS)


def test_errors_that_refer_to_each_other_are_read_once() -> None:
    first, second = requests.ConnectionError("secret"), requests.ConnectionError("secret")
    first.__cause__, second.__cause__ = second, first
    assert unsent(first).kind is Kind.UNREACHABLE


VERIFY = ssl.SSLCertVerificationError("secret")
NO_TLS = ssl.SSLError("[SSL: WRONG_VERSION_NUMBER] secret")
SOCKS = requests.exceptions.InvalidSchema("Missing dependencies for SOCKS support.")
LATIN = UnicodeEncodeError("latin-1", "secret", 0, 1, "secret")
PROXY_URL = requests.exceptions.InvalidProxyURL("secret")
PROXY_SCHEME = urllib3.exceptions.ProxySchemeUnknown("secret")
SCHEME = requests.exceptions.InvalidSchema("secret")
REFUSED = f"the proxy refused to connect to {HOST} (HTTP "


def tunnel(status: int) -> Exception:
    """What follows if a proxy refuses a tunnel."""
    return chained(OSError(f"Tunnel connection failed: {status} secret"))


@cases(
    certificate=(chained(VERIFY), "Intercom's certificate could not", "in REQUESTS_CA_BUNDLE"),
    of_the_proxy=(behind_proxy(VERIFY), "the proxy's certificate could", "in REQUESTS_CA_BUNDLE"),
    password=(LATIN, "user name or password has characters", "set HTTPS_PROXY to them"),
    socks=(SOCKS, "a SOCKS proxy is set", "requests[socks]"),
    proxy_url=(PROXY_URL, "the address of the proxy cannot be used", "http://host:port"),
    proxy_scheme=(PROXY_SCHEME, "the address of the proxy cannot be used", "http://host:port"),
    no_tls=(chained(NO_TLS), f"{HOST} does not speak TLS", "Check 'api_url' and HTTPS_PROXY"),
    tls_failure=(chained(ssl.SSLError("[SSL: RECORD_LAYER_FAILURE]")), "does not speak TLS", ""),
    tls_request=(chained(ssl.SSLError("[SSL: HTTP_REQUEST]")), "does not speak TLS", ""),
    tls_protocol=(chained(ssl.SSLError("unknown_protocol")), "does not speak TLS", ""),
    proxy_without_tls=(behind_proxy(NO_TLS), "the proxy does not speak TLS", "Write http://"),
    proxy_password=(tunnel(407), "the proxy wants a user name and a password", "HTTPS_PROXY"),
    proxy_refuses=(tunnel(403), f"{REFUSED}403)", "allow this host"),
    proxy_refuses_with_another_status=(tunnel(499), f"{REFUSED}499)", "allow this host"),
    address=(ValueError("secret"), "the address of the request cannot be used", "ALL_PROXY"),
    scheme=(SCHEME, "the address of the request cannot be used", "ALL_PROXY"),
)
def test_what_no_waiting_changes_is_explained(error: Exception, what: str, advice: str) -> None:
    outcome = unsent(error)
    assert outcome.kind is Kind.MISCONFIGURED
    assert what in outcome.what
    assert advice in outcome.advice


def test_a_proxy_that_cannot_reach_intercom_may_do_so_later() -> None:
    assert unsent(tunnel(500)).kind is Kind.UNREACHABLE


MISSING = FileNotFoundError(errno.ENOENT, "No such file")
BUNDLE = OSError("Could not find a suitable TLS CA certificate bundle, invalid path: secret")


@cases(
    missing=MISSING,
    forbidden=PermissionError("secret"),
    folder=IsADirectoryError("secret"),
    no_folder=NotADirectoryError("secret"),
    bundle=BUNDLE,
    named=OSError(errno.EIO, "secret", "secret.pem"),
    tls=ssl.SSLError("secret"),
)
@cases(*FILES)
def test_the_variable_whose_file_cannot_be_used_is_named(
    variable: str, error: Exception, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "secret" / "file"))
    outcome = unsent(chained(error))
    assert outcome.kind is Kind.MISCONFIGURED
    assert outcome.what == f"the file or folder in {variable} cannot be used"
    assert outcome.advice == "Correct the variable, or remove it from the environment"


@cases(ConnectionRefusedError("secret"), http.client.HTTPException("secret"))
def test_an_error_of_another_kind_accuses_no_variable(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/missing")
    assert unsent(chained(error)).kind is Kind.UNREACHABLE


@cases(
    ("REQUESTS_CA_BUNDLE", "text.pem", False),
    ("REQUESTS_CA_BUNDLE", "", True),
    ("SSL_CERT_FILE", "", False),
    ("SSL_CERT_DIR", "", True),
    ("SSL_CERT_DIR", "missing", False),
    ("SSLKEYLOGFILE", "missing", True),
    ("SSLKEYLOGFILE", "text.pem", True),
    ("SSLKEYLOGFILE", "", False),
    certificates=("SSL_CERT_FILE", certifi.where(), True),
)
def test_a_file_is_tried_as_the_libraries_use_it(
    variable: str, path: str, usable: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "text.pem").write_text("no certificate")
    monkeypatch.setenv(variable, str(tmp_path / path))
    expected = Kind.UNREACHABLE if usable else Kind.MISCONFIGURED
    assert unsent(chained(MISSING)).kind is expected
    assert (tmp_path / "text.pem").read_text() == "no certificate"


def test_all_variables_whose_files_cannot_be_used_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.setenv(name, "/missing")
    what = unsent(chained(MISSING)).what
    assert what == "the file or folder in SSL_CERT_FILE and SSL_CERT_DIR cannot be used"


def test_a_folder_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "access", lambda *asked: asked != (str(tmp_path), os.R_OK))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert unsent(chained(MISSING)).kind is Kind.MISCONFIGURED


TIMED_OUT = ("no complete response came in time", f"{LATER}, or raise 'request_timeout'")
LOST, UNREAD = "the connection was lost", "the response could not be read"


@cases(
    (ConnectionResetError("secret"), f"{LOST} (ConnectionResetError)", LATER),
    (urllib3.exceptions.ProtocolError("secret"), f"{LOST} (ProtocolError)", LATER),
    (http.client.BadStatusLine("secret"), f"{UNREAD} (BadStatusLine)", LATER),
    (ValueError("secret"), f"{UNREAD} (ValueError)", LATER),
    (TimeoutError("secret"), *TIMED_OUT),
    (requests.ReadTimeout("secret"), *TIMED_OUT),
    (chained(TimeoutError()), *TIMED_OUT),
)
def test_after_a_request_was_sent_it_is_unclear_what_it_did(
    error: Exception, what: str, advice: str
) -> None:
    outcome = outcome_of(error, HOST, sent=True)
    assert (outcome.kind, outcome.what, outcome.advice) == (Kind.UNCLEAR, what, advice)


@cases(True, False)
def test_a_body_that_is_too_large_is_no_page(sent: bool) -> None:
    outcome = outcome_of(BodyTooLargeError(), HOST, sent=sent)
    assert outcome.kind is Kind.NOT_A_PAGE
    assert outcome.what == "the response was too large for a page of leads"
