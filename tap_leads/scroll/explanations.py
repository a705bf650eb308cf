"""What users are told: what happened, and what they can do. The only place for these sentences.

Nothing here quotes a response, a token or an address with credentials: of a response, only its
status, its error code and its content type are said; of an address, only the host.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import NamedTuple

from tap_leads.scroll.reactions import Kind

LATER = "Run the sync again later; if this happens often, look at Intercom's status page"
NETWORK = "Check the network, HTTPS_PROXY and, if it is set, 'api_url'"


class Explanation(NamedTuple):
    """What happened, without a full stop, and what the user can do, likewise."""

    what: str
    advice: str

    @property
    def sentence(self) -> str:
        """What happened, as the start of a sentence."""
        return self.what[0].upper() + self.what[1:]

    def __str__(self) -> str:
        return f"{self.sentence}. {self.advice}."


IN_CONTEXT = {
    Kind.LEADS: Explanation("a page of leads came", LATER),
    Kind.REPEATED: Explanation("the scroll repeated a page", LATER),
    Kind.EMPTY: Explanation("an empty page came", LATER),
    Kind.DOUBTFUL_EMPTY: Explanation(
        "the scroll ended after a full page, while Intercom counts more leads", LATER
    ),
    Kind.NO_EMPTY_PAGE: Explanation("the scroll ended without an empty page", LATER),
    Kind.UNREACHABLE_TOO_LONG: Explanation(
        "Intercom could not be reached before the scroll expired", NETWORK
    ),
}
"""Of the kinds that no response tells by itself."""


def response(kind: Kind, status: int, code: str, content_type: str, region: str) -> Explanation:
    """Explains a response that is not a page.

    Args:
        kind: What it means.
        status: Its HTTP status.
        code: The code of Intercom's error list; empty if there is none.
        content_type: Its media type; empty if it names none.
        region: The region that was asked.
    """
    details = f"HTTP {status}, {code or content_type or 'no content type'}"
    what, advice = _of_response(kind, status, code, region)
    return Explanation(f"{what} ({details})", advice)


def _of_response(kind: Kind, status: int, code: str, region: str) -> Explanation:
    if kind is Kind.NOT_A_PAGE:
        return Explanation("the response was not a page of leads", LATER)
    if kind is Kind.SCROLL_EXISTS:
        return Explanation(
            "another scroll is open in this workspace, and there can be only one",
            "Find out what else reads this workspace's leads by scroll (another sync, another "
            "extractor), or raise 'scroll_wait_timeout'",
        )
    if kind is Kind.RATE_LIMITED:
        return Explanation(
            "Intercom's rate limit is used up",
            "Find out what else uses the app's access token, or raise 'scroll_wait_timeout'",
        )
    if kind is Kind.NOT_FOUND:
        return Explanation(
            "Intercom did not find the scroll",
            "The scroll over leads is in the API 1.0 to 1.4 only: check 'api_version', and "
            "'api_url' if it is set",
        )
    if kind is Kind.REFUSED:
        return _refusal(status, code, region)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Explanation("Intercom failed", LATER)
    return Explanation("Intercom did not serve the request", LATER)


def _refusal(status: int, code: str, region: str) -> Explanation:
    if status == HTTPStatus.UNAUTHORIZED:
        return Explanation(
            "Intercom refused the access token",
            "Check that 'access_token' is complete, not revoked, and of a workspace in the region "
            f"'{region}'",
        )
    if status == HTTPStatus.FORBIDDEN and code:
        return Explanation(
            "Intercom does not let this access token read leads",
            "Give its app the permission *Read and list users and companies*, and check that the "
            "workspace's plan includes the API",
        )
    if status == HTTPStatus.FORBIDDEN:
        return Explanation(
            "the request was forbidden, but not by Intercom's API",
            "Check that no firewall or proxy on the way blocks it",
        )
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return PROXY_REFUSED
    if code == "intercom_version_invalid":
        return Explanation(
            "Intercom has no scroll over leads in the API version asked for",
            "Set 'api_version' to 1.4, or another of 1.0 to 1.4",
        )
    if status < HTTPStatus.BAD_REQUEST:
        return Explanation(
            "the response is a redirect, which is not followed, as the access token would be sent "
            "with it",
            "Check 'api_url' and 'region'",
        )
    return Explanation(
        "Intercom did not accept the request", "Check 'api_url', 'api_version' and 'region'"
    )


PROXY_REFUSED = Explanation(
    "the proxy wants a user name and a password", "Put them into HTTPS_PROXY, or ask its operator"
)


def proxy_blocks(host: str, status: int) -> Explanation:
    """Explains a proxy that does not connect to Intercom."""
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return PROXY_REFUSED
    return Explanation(
        f"the proxy refused to connect to {host} (HTTP {status})",
        "Check HTTPS_PROXY, or ask the proxy's operator to allow this host",
    )


def unreachable(host: str, reason: str) -> Explanation:
    """Explains a request that could not be sent."""
    return Explanation(f"Intercom could not be reached at {host}: {reason}", NETWORK)


def incomplete(error: str, *, lost: bool) -> Explanation:
    """Explains a response that did not arrive, or not as a whole, by the name of the error."""
    what = "the connection was lost" if lost else "the response could not be read"
    return Explanation(f"{what} ({error})", LATER)


TOO_LATE = Explanation("no complete response came in time", f"{LATER}, or raise 'request_timeout'")
LEAD_WITHOUT_ID = Explanation(
    "Intercom sent a lead without an id. No target can store it under its key, so the sync stops "
    "here instead of leaving it out",
    "Please report this to Intercom",
)
TOO_LARGE = Explanation("the response was too large for a page of leads", LATER)

CERTIFICATE = Explanation(
    "Intercom's certificate could not be verified",
    "If a proxy of yours inspects the traffic, name its certificates in REQUESTS_CA_BUNDLE",
)
CERTIFICATE_FILE = Explanation(
    "the file or folder of certificates cannot be used",
    "Check the path in REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE, and what it holds",
)
SOCKS = Explanation(
    "a SOCKS proxy is set, and the package for it is not installed",
    "Install it where the tap is installed (pip install 'requests[socks]'), or change HTTPS_PROXY "
    "and ALL_PROXY",
)
PROXY_ADDRESS = Explanation(
    "the address of the proxy cannot be used",
    "Check HTTPS_PROXY, HTTP_PROXY and ALL_PROXY: a proxy is written http://host:port",
)
PROXY_PASSWORD = Explanation(
    "the proxy's user name or password has characters that HTTP cannot send",
    "Give the proxy a user and a password in Latin letters, and set HTTPS_PROXY to them",
)
ADDRESS = Explanation(
    "the address of the request cannot be used", "Check 'api_url', HTTPS_PROXY and ALL_PROXY"
)
