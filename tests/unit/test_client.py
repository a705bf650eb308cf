"""Each request goes where it should, and a response is taken for nothing but what was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.cases import cases

from tap_leads.scroll.client import Client
from tap_leads.scroll.ends import Count
from tap_leads.scroll.outcomes import Outcome
from tap_leads.scroll.reactions import Kind
from tap_leads.scroll.transport import Response, Session

URL = "https://api.example.com/v1"
Request = Callable[[Client], object]


class Wire:
    """Takes the place of the network: notes each request, and responds as told.

    Attributes:
        requests: The address, the parameters and the two limits of each request.
        sessions: The session of each request.
        renewed: How often new connections were asked for.
        closed: How often the session was closed.
        response: What follows each request.
        sent: Whether a request that fails had been sent.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.requests: list[tuple[str, dict[str, Any], float, float | None]] = []
        self.sessions: list[Session] = []
        self.renewed = self.closed = 0
        self.response: Response | Exception = Response(200, {}, b"{}")
        self.sent = False
        wire = self

        def fetch(
            self: Session, url: str, params: dict[str, Any], timeout: float, total: float | None
        ) -> Response:
            wire.requests.append((url, params, timeout, total))
            wire.sessions.append(self)
            self.sent = wire.sent
            if isinstance(wire.response, Exception):
                raise wire.response
            return wire.response

        def renew(_: Session) -> None:
            wire.renewed += 1

        def close(_: Session) -> None:
            wire.closed += 1

        monkeypatch.setattr(Session, "fetch", fetch)
        monkeypatch.setattr(Session, "use_new_connections", renew)
        monkeypatch.setattr(Session, "close", close)

    def respond(self, body: bytes, status: int = 200) -> None:
        """Lets the next requests have this response."""
        self.response = Response(status, {}, body)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """The network of a test."""
    for name in ("HTTPS_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return Wire(monkeypatch)


def client(timeout: float = 90.0, api_version: str = "1.4", url: str = URL) -> Client:
    """A client with a token."""
    return Client(url, {"Authorization": "token"}, timeout, region="us", api_version=api_version)


def outcome_of(request: Request, of: Client | None = None) -> Outcome:
    """What a request brings in place of what was asked for."""
    with pytest.raises(Outcome) as caught:
        request(of or client())
    return caught.value


PAGE = b'{"contacts": [{"id": "a", "updated_at": 1}], "scroll_param": "s"}'
REQUESTS: dict[str, tuple[Request, bytes, tuple[str, dict[str, Any], float, float | None]]] = {
    "first-page": (
        lambda client: client.page(None), PAGE,
        ("/contacts/scroll", {"scroll_param": None}, 90.0, None),
    ),
    "next-page": (
        lambda client: client.page("s"), PAGE,
        ("/contacts/scroll", {"scroll_param": "s"}, 90.0, None),
    ),
    "some-leads": (
        lambda client: client.some_leads(5), PAGE, ("/contacts", {"per_page": 5}, 90.0, None),
    ),
    "count": (
        lambda client: client.count(), b'{"lead": {"count": 3}}', ("/counts", {}, 10.0, 10.0),
    ),
    "list-count": (
        lambda client: client.list_count(), b'{"total_count": 3, "contacts": []}',
        ("/contacts", {"per_page": 1}, 10.0, 10.0),
    ),
    "attributes": (
        lambda client: client.attribute_definitions(), b'{"data_attributes": []}',
        ("/data_attributes", {"model": "customer"}, 90.0, None),
    ),
}  # fmt: skip


@cases(*REQUESTS)
def test_each_request_has_its_address_parameters_and_limits(name: str, wire: Wire) -> None:
    request, body, (path, params, timeout, total) = REQUESTS[name]
    wire.respond(body)
    request(client())
    assert wire.requests == [(URL + path, params, timeout, total)]


def test_before_api_1_4_the_model_of_attributes_is_part_of_the_address(wire: Wire) -> None:
    wire.respond(b'{"data_attributes": [1]}')
    assert client(api_version="1.3").attribute_definitions() == {"data_attributes": [1]}
    assert wire.requests == [(f"{URL}/data_attributes/customer", {}, 90.0, None)]


def test_a_shorter_request_timeout_holds_for_counts_too(wire: Wire) -> None:
    wire.respond(b'{"lead": {"count": 3}}')
    client(timeout=4.0).count()
    assert wire.requests[0][2:] == (4.0, 10.0)


def test_a_scroll_is_opened_on_a_new_connection_and_continued_on_the_same(wire: Wire) -> None:
    wire.respond(PAGE)
    reader = client()
    reader.page("s")
    assert wire.renewed == 0
    reader.page(None)
    assert wire.renewed == 1


def test_the_session_has_the_headers_and_the_proxy_of_its_start(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/certificates.pem")
    reader = client()
    wire.respond(PAGE)
    reader.page("s")
    (session,) = wire.sessions
    assert session.headers["Authorization"] == "token"
    assert session.proxies["https"] == "http://proxy.example.com:3128"
    assert session.verify == "/certificates.pem"
    assert not session.trust_env


def test_a_page_has_its_leads_and_the_token_of_the_next(wire: Wire) -> None:
    wire.respond(PAGE)
    page = client().page(None)
    assert (page.versions, page.scroll_param) == ([("a", 1_000_000)], "s")
    assert client().some_leads(1).versions == page.versions


@cases(
    leads_without_a_token=(b'{"contacts": [{"id": "a"}]}', False),
    neither=(b'{"contacts": []}', True),
    no_json=(b"<html>", False),
)
def test_a_page_with_leads_has_a_token(body: bytes, is_page: bool, wire: Wire) -> None:
    wire.respond(body)
    if is_page:
        assert client().page("s").versions == []
        return
    outcome = outcome_of(lambda client: client.page("s"))
    assert outcome.kind is Kind.NOT_A_PAGE
    assert "was not a page of leads (HTTP 200, no content type)" in outcome.what


def test_a_lead_without_an_id_is_named(wire: Wire) -> None:
    wire.respond(b'{"contacts": [{}], "scroll_param": "s"}')
    outcome = outcome_of(lambda client: client.page("s"))
    assert outcome.kind is Kind.LEAD_WITHOUT_ID
    assert "lead without an id" in outcome.what
    assert outcome.advice == "Please report this to Intercom"


@cases(
    zero=(b'{"lead": {"count": 0}}', 0),
    three=(b'{"lead": {"count": 3}, "user": {}}', 3),
    largest=(b'{"lead": {"count": 999999999999}}', 10**12 - 1),
    too_large=(b'{"lead": {"count": 1000000000000}}', None),
    negative=(b'{"lead": {"count": -1}}', None),
    true=(b'{"lead": {"count": true}}', None),
    text=(b'{"lead": {"count": "3"}}', None),
    no_object=(b'{"lead": 3}', None),
    no_json=(b"{", None),
    too_deep=(b"[" * 100_000, None),
)
def test_only_a_whole_number_in_its_place_is_a_count(
    body: bytes, count: int | None, wire: Wire
) -> None:
    wire.respond(body)
    if count is not None:
        assert client().count() == Count(count, exact=True)
        return
    outcome = outcome_of(Client.count)
    assert outcome.kind is Kind.NOT_A_PAGE
    assert "was not a count of leads" in outcome.what


@pytest.mark.parametrize(
    ("body", "count"),
    [
        pytest.param(b'{"total_count": 3, "contacts": [{}]}', Count(3), id="three"),
        pytest.param(b'{"total_count": 1, "contacts": [{}]}', Count(1), id="as-many-as-shown"),
        pytest.param(b'{"total_count": 9999, "contacts": []}', Count(9999), id="below-the-end"),
        pytest.param(
            b'{"total_count": 10000, "contacts": []}', Count(10_000, exact=False), id="the-end"
        ),
        pytest.param(b'{"total_count": 10001, "contacts": []}', Count(10_001), id="beyond"),
        pytest.param(
            b'{"total_count": 3, "contacts": [], "limited": true}', Count(3, exact=False),
            id="limited",
        ),
        pytest.param(b'{"total_count": 0, "contacts": [{}]}', None, id="fewer-than-shown"),
        pytest.param(b'{"total_count": true, "contacts": []}', None, id="true"),
        pytest.param(b'{"total_count": 3}', None, id="no-leads"),
        pytest.param(b"{", None, id="no-json"),
    ],
)  # fmt: skip
def test_the_list_gives_a_count_or_a_lower_bound(
    wire: Wire, body: bytes, count: Count | None
) -> None:
    wire.respond(body)
    if count is not None:
        assert client().list_count() == count
        return
    outcome = outcome_of(Client.list_count)
    assert outcome.kind is Kind.NOT_A_PAGE
    assert "was not a count of leads" in outcome.what


def test_attributes_without_a_list_are_not_accepted(wire: Wire) -> None:
    wire.respond(b'{"data_attributes": {}}')
    outcome = outcome_of(Client.attribute_definitions)
    assert outcome.kind is Kind.NOT_A_PAGE
    assert "was not definitions of attributes" in outcome.what


@cases(
    counts=(Client.count, "counts", "Read counts"),
    list=(Client.list_count, "leads", "Read and list users and companies"),
    attributes=(Client.attribute_definitions, "attributes", "Read and list users and companies"),
)
def test_a_refusal_names_the_permission_of_its_request(
    request_: Request, name: str, permission: str, wire: Wire
) -> None:
    wire.respond(b'{"type": "error.list", "errors": [{"code": "forbidden"}]}', 403)
    outcome = outcome_of(request_)
    assert outcome.kind is Kind.REFUSED
    assert f"let this access token read {name}" in outcome.what
    assert f"*{permission}*" in outcome.advice


def test_a_refused_token_names_the_region_that_was_asked(wire: Wire) -> None:
    wire.respond(b'{"errors": [{"code": "token_not_found"}]}', 401)
    assert "'us'" in outcome_of(lambda client: client.page(None)).advice


@cases(True, False)
def test_a_failed_request_is_unclear_only_if_it_may_have_been_sent(sent: bool, wire: Wire) -> None:
    wire.response, wire.sent = ConnectionRefusedError(), sent
    outcome = outcome_of(lambda client: client.page("s"))
    assert outcome.kind is (Kind.UNCLEAR if sent else Kind.UNREACHABLE)
    assert sent or "at api.example.com: the connection was refused" in outcome.what


def test_after_an_abort_the_error_is_not_explained(wire: Wire) -> None:
    wire.response = ConnectionResetError()
    reader = client()
    reader.abort()
    with pytest.raises(ConnectionResetError):
        reader.page("s")


def test_closing_the_client_closes_its_connections(wire: Wire) -> None:
    client().close()
    assert wire.closed == 1
