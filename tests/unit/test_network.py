"""Each error of the HTTP library is one of few outcomes, and its own text is never shown."""

from __future__ import annotations

import errno
import http.client
import os
import socket
import ssl
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


def behind_proxy(cause: Exception) -> requests.ConnectionError:
    """An error of the connection to a proxy, as the libraries wrap it."""
    return requests.exceptions.ProxyError(ProxyError("secret", cause))


def chained(cause: Exception, *, context: bool = False) -> Exception:
    """An error that was raised from another, or while another was handled."""
    error = requests.ConnectionError("secret")
    if context:
        error.__context__ = cause
    else:
        error.__cause__ = cause
    return error


POOL, CONNECTION = urllib3.HTTPConnectionPool(HOST), HTTPConnection(HOST)
REASONS = {
    "name": (socket.gaierror("secret"), "the name was not found"),
    "urllib3": (NameResolutionError(HOST, CONNECTION, socket.gaierror()), "the name was not found"),
    "refused": (ConnectionRefusedError("secret"), "the connection was refused"),
    "time": (TimeoutError("secret"), "no connection within the time limit"),
    "requests": (requests.ConnectTimeout("secret"), "no connection within the time limit"),
    "tls": (ssl.SSLError("secret"), "TLS could not be set up"),
    "system": (OSError(errno.EHOSTUNREACH, "No route to host"), "no route to host"),
    "no-route": (
        OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH)),
        "network is unreachable",
    ),
}


@cases(**REASONS)
@cases(
    as_argument=requests.ConnectionError,
    as_cause=chained,
    as_context=lambda cause: chained(cause, context=True),
    reason=lambda cause: urllib3.exceptions.MaxRetryError(POOL, "/", cause),
)
def test_the_reason_is_found_however_it_is_wrapped(
    wrap: type[Exception], cause: Exception, words: str
) -> None:
    outcome = unsent(wrap(cause))
    assert outcome.kind is Kind.UNREACHABLE
    assert outcome.what == f"Intercom could not be reached at {HOST}: {words}"
    assert outcome.advice == NETWORK


@cases(**REASONS)
def test_a_proxy_that_cannot_be_reached_is_named(cause: Exception, words: str) -> None:
    outcome = unsent(behind_proxy(cause))
    assert outcome.what == f"Intercom could not be reached at {HOST}: the proxy: {words}"


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


NO_TLS = [
    "[SSL: WRONG_VERSION_NUMBER] secret",
    "[SSL: RECORD_LAYER_FAILURE]",
    "[SSL: HTTP_REQUEST]",
    "unknown_protocol",
]
VERIFY = ssl.SSLCertVerificationError("secret")
SOCKS = requests.exceptions.InvalidSchema("Missing dependencies for SOCKS support.")
LATIN = UnicodeEncodeError("latin-1", "secret", 0, 1, "secret")


def tunnel(status: int) -> OSError:
    """What `http.client` raises if a proxy refuses a tunnel."""
    return OSError(f"Tunnel connection failed: {status} secret")


@pytest.mark.parametrize(
    ("error", "what", "advice"),
    [
        pytest.param(
            chained(VERIFY), "Intercom's certificate could not be verified", "REQUESTS_CA_BUNDLE",
            id="certificate",
        ),
        pytest.param(
            behind_proxy(VERIFY), "the proxy's certificate could not be verified",
            "REQUESTS_CA_BUNDLE", id="certificate-of-the-proxy",
        ),
        pytest.param(
            LATIN, "user name or password has characters", "Latin letters", id="password"
        ),
        pytest.param(SOCKS, "a SOCKS proxy is set", "requests[socks]", id="socks"),
        pytest.param(
            requests.exceptions.InvalidProxyURL("secret"),
            "the address of the proxy cannot be used", "http://host:port", id="proxy-url",
        ),
        pytest.param(
            urllib3.exceptions.ProxySchemeUnknown("secret"),
            "the address of the proxy cannot be used", "http://host:port", id="proxy-scheme",
        ),
        *(
            pytest.param(
                chained(ssl.SSLError(text)), f"{HOST} does not speak TLS",
                "Check 'api_url' and HTTPS_PROXY", id=f"no-tls-{number}",
            )
            for number, text in enumerate(NO_TLS)
        ),
        pytest.param(
            behind_proxy(ssl.SSLError(NO_TLS[0])), "the proxy does not speak TLS", "Write http://",
            id="proxy-without-tls",
        ),
        pytest.param(
            chained(tunnel(407)), "the proxy wants a user name and a password", "HTTPS_PROXY",
            id="proxy-password",
        ),
        pytest.param(
            chained(tunnel(403)), f"the proxy refused to connect to {HOST} (HTTP 403)",
            "allow this host", id="proxy-refuses",
        ),
        pytest.param(
            chained(tunnel(499)), f"the proxy refused to connect to {HOST} (HTTP 499)",
            "allow this host", id="proxy-refuses-with-another-status",
        ),
        pytest.param(
            ValueError("secret"), "the address of the request cannot be used", "ALL_PROXY",
            id="address",
        ),
        pytest.param(
            requests.exceptions.InvalidSchema("secret"),
            "the address of the request cannot be used", "ALL_PROXY", id="scheme",
        ),
    ],
)  # fmt: skip
def test_what_no_waiting_changes_is_explained(error: Exception, what: str, advice: str) -> None:
    outcome = unsent(error)
    assert outcome.kind is Kind.MISCONFIGURED
    assert what in outcome.what
    assert advice in outcome.advice


@cases(500, 502, 503)
def test_a_proxy_that_cannot_reach_intercom_may_do_so_later(status: int) -> None:
    assert unsent(chained(tunnel(status))).kind is Kind.UNREACHABLE


MISSING = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
BUNDLE = OSError("Could not find a suitable TLS CA certificate bundle, invalid path: secret")


@cases(
    missing=MISSING,
    forbidden=PermissionError(errno.EACCES, "secret"),
    folder=IsADirectoryError(errno.EISDIR, "secret"),
    no_folder=NotADirectoryError(errno.ENOTDIR, "secret"),
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
    assert outcome.what == f"the file or folder that {variable} names cannot be used"
    assert outcome.advice == "Correct the variable, or remove it from the environment"


def test_an_error_of_another_kind_accuses_no_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing"))
    assert unsent(chained(ConnectionRefusedError("secret"))).kind is Kind.UNREACHABLE
    assert unsent(http.client.HTTPException("secret")).kind is Kind.UNREACHABLE


def files_in(folder: Path) -> dict[str, str]:
    """Paths that can be used, and paths that cannot."""
    text = folder / "text.pem"
    text.write_text("no certificate")
    return {
        "certificates": certifi.where(),
        "text": str(text),
        "folder": str(folder),
        "missing": str(folder / "missing"),
        "nul": "\0",
    }


@cases(
    ("REQUESTS_CA_BUNDLE", "certificates", True),
    ("REQUESTS_CA_BUNDLE", "folder", True),
    ("REQUESTS_CA_BUNDLE", "text", False),
    ("CURL_CA_BUNDLE", "folder", True),
    ("SSL_CERT_FILE", "certificates", True),
    ("SSL_CERT_FILE", "folder", False),
    ("SSL_CERT_DIR", "folder", True),
    ("SSL_CERT_DIR", "missing", False),
    ("SSLKEYLOGFILE", "missing", True),
    ("SSLKEYLOGFILE", "text", True),
    ("SSLKEYLOGFILE", "folder", False),
)
def test_a_file_is_tried_as_the_libraries_use_it(
    variable: str, path: str, usable: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(variable, files_in(tmp_path)[path])
    expected = Kind.UNREACHABLE if usable else Kind.MISCONFIGURED
    assert unsent(chained(MISSING)).kind is expected
    assert (tmp_path / "text.pem").read_text() == "no certificate"


def test_only_the_variables_whose_files_cannot_be_used_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    monkeypatch.setenv("CURL_CA_BUNDLE", str(tmp_path / "missing"))
    outcome = unsent(requests.ConnectionError(FileNotFoundError("secret")))
    assert outcome.kind is Kind.MISCONFIGURED
    assert "the file or folder that CURL_CA_BUNDLE names" in outcome.what


def test_all_variables_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "missing"))
    what = unsent(chained(MISSING)).what
    assert what == "the file or folder that SSL_CERT_FILE and SSL_CERT_DIR names cannot be used"


def test_a_folder_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = []

    def access(path: object, mode: int) -> bool:
        asked.append((str(path), mode))
        return False

    monkeypatch.setattr(os, "access", access)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert unsent(chained(MISSING)).kind is Kind.MISCONFIGURED
    assert asked == [(str(tmp_path), os.R_OK)]


@cases(
    (ConnectionResetError("secret"), "the connection was lost (ConnectionResetError)"),
    (urllib3.exceptions.ProtocolError("secret"), "the connection was lost (ProtocolError)"),
    (http.client.BadStatusLine("secret"), "the response could not be read (BadStatusLine)"),
    (ValueError("secret"), "the response could not be read (ValueError)"),
)
def test_after_a_request_was_sent_it_is_unclear_what_it_did(error: Exception, what: str) -> None:
    outcome = outcome_of(error, HOST, sent=True)
    assert (outcome.kind, outcome.what, outcome.advice) == (Kind.UNCLEAR, what, LATER)


@cases(TimeoutError("secret"), requests.ReadTimeout("secret"), chained(TimeoutError()))
def test_a_response_that_takes_too_long_is_told_with_the_setting(error: Exception) -> None:
    outcome = outcome_of(error, HOST, sent=True)
    assert (outcome.kind, outcome.what) == (Kind.UNCLEAR, "no complete response came in time")
    assert outcome.advice == f"{LATER}, or raise 'request_timeout'"


@cases(True, False)
def test_a_body_that_is_too_large_is_no_page(sent: bool) -> None:
    outcome = outcome_of(BodyTooLargeError(), HOST, sent=sent)
    assert outcome.kind is Kind.NOT_A_PAGE
    assert outcome.what == "the response was too large for a page of leads"
