"""Turns an error of the HTTP library into the outcome of the request."""

from __future__ import annotations

import http.client
import os
import re
import ssl
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from socket import gaierror

import requests
import urllib3.exceptions

from tap_leads.scroll.outcomes import LATER, NETWORK, PROXY_REFUSED, Explanation, Outcome
from tap_leads.scroll.reactions import Kind
from tap_leads.scroll.transport import BodyTooLargeError

ERRORS = (OSError, urllib3.exceptions.HTTPError, http.client.HTTPException, ValueError)
"""The errors that a request may raise; those of `requests` are OSErrors."""

_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})\b")
_FILE_VARIABLES = (
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "SSLKEYLOGFILE",
)
"""The environment variables that name files for the HTTP and TLS libraries."""

_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL")
"""OpenSSL's names for the response of a server that does not speak TLS."""


def outcome_of(error: Exception, host: str, *, sent: bool) -> Outcome:
    """Returns the outcome of a request that failed with an error.

    Args:
        error: One of `ERRORS`; its text may contain addresses and headers.
        host: The host that was asked.
        sent: Whether any part of the request may have been sent.
    """
    if isinstance(error, BodyTooLargeError):
        return Outcome(Kind.NOT_A_PAGE, "the response was too large for a page of leads")
    causes = list(_causes(error))
    if not sent:
        if (blocked := _blocked(causes, host)) is not None:
            return Outcome(Kind.MISCONFIGURED, *blocked)
        what = f"Intercom could not be reached at {host}: {_reason(causes)}"
        return Outcome(Kind.UNREACHABLE, what, NETWORK)
    if any(isinstance(cause, TimeoutError | requests.Timeout) for cause in causes):
        advice = f"{LATER}, or raise 'request_timeout'"
        return Outcome(Kind.UNCLEAR, "no complete response came in time", advice)
    is_lost = isinstance(error, OSError | urllib3.exceptions.HTTPError)
    what = "the connection was lost" if is_lost else "the response could not be read"
    return Outcome(Kind.UNCLEAR, f"{what} ({type(error).__name__})")


def _blocked(causes: list[BaseException], host: str) -> Explanation | None:
    """Why this machine's configuration prevents the request; None if it does not."""
    is_proxy = any(isinstance(cause, urllib3.exceptions.ProxyError) for cause in causes)
    for cause in causes:
        explanation = _explained(cause, host, is_proxy=is_proxy)
        if explanation is not None:
            return explanation
    if any(map(_is_about_a_file, causes)) and (variables := _unusable_files()):
        return Explanation(
            f"the file or folder in {' and '.join(variables)} cannot be used",
            "Correct the variable, or remove it from the environment",
        )
    if any(isinstance(cause, ValueError) for cause in causes):
        return Explanation(
            "the address of the request cannot be used",
            "Check 'api_url', HTTPS_PROXY and ALL_PROXY",
        )
    return None


def _explained(cause: BaseException, host: str, *, is_proxy: bool) -> Explanation | None:
    match cause:
        case ssl.SSLCertVerificationError():
            return Explanation(
                f"{'the proxy' if is_proxy else 'Intercom'}'s certificate could not be verified",
                "If a proxy of yours inspects the traffic, name its certificates in "
                "REQUESTS_CA_BUNDLE",
            )
        case UnicodeEncodeError():  # the tap's own headers are ASCII, so these are the proxy's
            return Explanation(
                "the proxy's user name or password has characters that HTTP cannot send",
                "Give the proxy a user and a password in Latin letters, and set HTTPS_PROXY to "
                "them",
            )
        case requests.exceptions.InvalidSchema() if "SOCKS" in str(cause):
            return Explanation(
                "a SOCKS proxy is set, and the package for it is not installed",
                "Install it where the tap is installed (pip install 'requests[socks]'), or change "
                "HTTPS_PROXY and ALL_PROXY",
            )
        case requests.exceptions.InvalidProxyURL() | urllib3.exceptions.ProxySchemeUnknown():
            return Explanation(
                "the address of the proxy cannot be used",
                "Check HTTPS_PROXY, HTTP_PROXY and ALL_PROXY: a proxy is written http://host:port",
            )
        case ssl.SSLError() if any(name in str(cause).upper() for name in _NO_TLS):
            return _without_tls(host, is_proxy=is_proxy)
        case OSError() if tunnel := _TUNNEL.search(str(cause)):
            return _refused_tunnel(host, int(tunnel[1]))
    return None


def _refused_tunnel(host: str, status: int) -> Explanation | None:
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return PROXY_REFUSED
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return None  # the proxy could not reach the host, which may be temporary
    return Explanation(
        f"the proxy refused to connect to {host} (HTTP {status})",
        "Check HTTPS_PROXY, or ask the proxy's operator to allow this host",
    )


def _without_tls(host: str, *, is_proxy: bool) -> Explanation:
    if is_proxy:
        return Explanation(
            "the proxy does not speak TLS, as its address asks for",
            "Write http:// in place of https:// at the start of HTTPS_PROXY, or ask its operator",
        )
    return Explanation(f"{host} does not speak TLS", "Check 'api_url' and HTTPS_PROXY")


def _is_about_a_file(cause: BaseException) -> bool:
    files = FileNotFoundError | PermissionError | IsADirectoryError | NotADirectoryError
    if isinstance(cause, files | ssl.SSLError):
        return True
    # `requests` gives this message without a file name.
    return isinstance(cause, OSError) and bool(
        cause.filename or "CA certificate bundle" in str(cause)
    )


def _unusable_files() -> list[str]:
    """The variables that name a file which cannot be used."""
    return [
        name
        for name in _FILE_VARIABLES
        if (path := os.environ.get(name)) and not _is_usable(name, path)
    ]


def _is_usable(variable: str, path: str) -> bool:
    try:
        if variable == "SSLKEYLOGFILE":
            with Path(path).open("ab"):
                return True
        if Path(path).is_dir():
            return variable != "SSL_CERT_FILE" and os.access(path, os.R_OK)
        ssl.create_default_context().load_verify_locations(path)
    except (OSError, ValueError):
        return False
    return True


def _reason(causes: list[BaseException]) -> str:
    """Why a request could not be sent, in a few words and without its address."""
    proxy = any(isinstance(cause, urllib3.exceptions.ProxyError) for cause in causes)
    place = "the proxy: " if proxy else ""
    for cause in causes:
        match cause:
            case gaierror() | urllib3.exceptions.NameResolutionError():
                return f"{place}the name was not found"
            case ConnectionRefusedError():
                return f"{place}the connection was refused"
            case TimeoutError() | requests.ConnectTimeout():
                return f"{place}no connection within the time limit"
            case ssl.SSLError():
                return f"{place}TLS could not be set up"
            case OSError(errno=int(), strerror=str(text)):
                return f"{place}{text[0].lower()}{text[1:]}"
    return f"{place}no connection ({type(causes[0]).__name__})"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yields an error and its causes, which the libraries wrap in several ways."""
    left: list[object] = [error]
    seen: set[int] = set()
    while left:
        found = left.pop(0)
        if isinstance(found, BaseException) and id(found) not in seen:
            seen.add(id(found))
            yield found
            inner = (getattr(found, "reason", None), found.__cause__, found.__context__)
            left += [*found.args, *inner]
