"""Each request goes where it should, and a response is taken for nothing but what was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import Mock, call

import pytest
from support.cases import cases

from tap_leads.scroll.client import Client
from tap_leads.scroll.ends import Count
from tap_leads.scroll.outcomes import Outcome
from tap_leads.scroll.reactions import Kind
from tap_leads.scroll.transport import Response, Session

URL = "https://api.example.com/v1"
PAGE = b'{"contacts": [{"id": "a", "updated_at": 1}], "scroll_param": "s"}'
Request = Callable[[Client], object]


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The session of the clients of a test, without a network."""
    for name in ("HTTPS_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    wire = Session()
    monkeypatch.setattr(wire, "fetch", Mock(return_value=Response(200, {}, PAGE)))
    monkeypatch.setattr(wire, "close", Mock())
    monkeypatch.setattr("tap_leads.scroll.client.Session", lambda: wire)
    return wire


def client(timeout: float = 90.0, api_version: str = "1.4") -> Client:
    """A client with a token."""
    return Client(URL, {"Authorization": "token"}, timeout, region="us", api_version=api_version)


def outcome_of(request: Request) -> Outcome:
    """What a request brings in place of what it asks for."""
    with pytest.raises(Outcome) as caught:
        request(client())
    return caught.value


def next_page(client: Client) -> object:
    return client.page("s")


attributes = Client.attribute_definitions
SCROLL = "/contacts/scroll"
LEADS, COUNT = b'{"contacts": [], "total_count": 3}', b'{"lead": {"count": 3}}'
BOUND = Count(10_000, exact=False)
ATTRIBUTES = b'{"data_attributes": [1]}'


@cases(
    first_page=(lambda client: client.page(None), PAGE, SCROLL, {"scroll_param": None}, None),
    next_page=(next_page, PAGE, SCROLL, {"scroll_param": "s"}, None),
    some_leads=(lambda client: client.some_leads(5), PAGE, "/contacts", {"per_page": 5}, None),
    count=(Client.count, COUNT, "/counts", {}, 10.0),
    list_count=(Client.list_count, LEADS, "/contacts", {"per_page": 1}, 10.0),
    attributes=(attributes, ATTRIBUTES, "/data_attributes", {"model": "customer"}, None),
)
def test_each_request_has_its_address_parameters_and_limits(  # noqa: PLR0913, PLR0917 - a table
    request_: Request, body: bytes, path: str, params: object, total: float | None, wire: Any
) -> None:
    """A shorter `request_timeout` holds for counts too."""
    wire.fetch.return_value = Response(200, {}, body)
    for timeout in (90.0, 4.0):
        request_(client(timeout))
    asked = [call(URL + path, params, least, total) for least in (total or 90.0, 4.0)]
    assert wire.fetch.mock_calls == asked


def test_before_api_1_4_the_model_of_attributes_is_part_of_the_address(wire: Any) -> None:
    wire.fetch.return_value = Response(200, {}, ATTRIBUTES)
    assert client(api_version="1.3").attribute_definitions() == {"data_attributes": [1]}
    assert wire.fetch.mock_calls == [call(f"{URL}/data_attributes/customer", {}, 90.0, None)]


def test_a_scroll_is_opened_on_a_new_connection_and_continued_on_the_same(wire: Any) -> None:
    reader, closed = client(), []
    for action in (next_page, lambda client: client.page(None), Client.close):
        action(reader)
        closed.append(wire.close.call_count)
    assert closed == [0, 1, 2]


def test_the_session_has_the_headers_and_the_proxy_of_its_start(
    wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/certificates.pem")
    client()
    assert wire.headers["Authorization"] == "token"
    assert wire.proxies["https"] == "http://proxy.example.com:3128"
    assert (wire.verify, wire.trust_env) == ("/certificates.pem", False)


def test_a_page_has_its_leads_and_the_token_of_the_next(wire: Any) -> None:
    page = client().page(None)
    assert (page.versions, page.scroll_param) == ([("a", 1_000_000)], "s")
    assert client().some_leads(1).versions == page.versions
    wire.fetch.return_value = Response(200, {}, b'{"contacts": []}')
    assert client().page("s").versions == []


def test_a_lead_without_an_id_is_no_malformed_page(wire: Any) -> None:
    wire.fetch.return_value = Response(200, {}, b'{"contacts": [{}], "scroll_param": "s"}')
    assert outcome_of(next_page).kind is Kind.LEAD_WITHOUT_ID


@cases(
    zero=(Client.count, b'{"lead": {"count": 0}}', Count(0)),
    largest=(Client.count, b'{"lead": {"count": 999999999999}}', Count(10**12 - 1)),
    bound=(Client.list_count, b'{"total_count": 10000, "contacts": []}', BOUND),
    beyond=(Client.list_count, b'{"total_count": 10001, "contacts": []}', Count(10_001)),
    as_shown=(Client.list_count, b'{"total_count": 1, "contacts": [{}]}', Count(1)),
    limited=(Client.list_count, LEADS.replace(b"}", b', "limited": true}'), Count(3, exact=False)),
)
def test_a_count_is_exact_unless_the_list_ends_there(
    request_: Request, body: bytes, count: Count, wire: Any
) -> None:
    wire.fetch.return_value = Response(200, {}, body)
    assert request_(client()) == count


@cases(
    page_without_a_token=(next_page, b'{"contacts": [{"id": "a"}]}', "a page of leads"),
    no_page=(next_page, b"<html>", "a page of leads"),
    attributes_without_a_list=(attributes, b'{"data_attributes": {}}', "definitions of attributes"),
    too_large=(Client.count, b'{"lead": {"count": 1000000000000}}', "a count of leads"),
    negative=(Client.count, b'{"lead": {"count": -1}}', "a count of leads"),
    true=(Client.count, b'{"lead": {"count": true}}', "a count of leads"),
    text=(Client.count, b'{"lead": {"count": "3"}}', "a count of leads"),
    no_object=(Client.count, b'{"lead": 3}', "a count of leads"),
    no_json=(Client.count, b"{", "a count of leads"),
    too_deep=(Client.count, b"[" * 100_000, "a count of leads"),
    fewer_than_shown=(Client.list_count, b'{"total_count": 0, "contacts": [{}]}', "a count of"),
    true_in_list=(Client.list_count, b'{"total_count": true, "contacts": []}', "a count of leads"),
    no_list=(Client.list_count, b'{"total_count": 3}', "a count of leads"),
)
def test_nothing_else_in_its_place_is_accepted(
    request_: Request, body: bytes, what: str, wire: Any
) -> None:
    wire.fetch.return_value = Response(200, {}, body)
    outcome = outcome_of(request_)
    assert outcome.kind is Kind.NOT_A_PAGE
    assert f"was not {what}" in outcome.what


@cases((Client.count, "counts"), (Client.list_count, "leads"), (attributes, "attributes"))
def test_a_refusal_names_what_its_request_reads(request_: Request, name: str, wire: Any) -> None:
    wire.fetch.return_value = Response(403, {}, b'{"errors": [{"code": "forbidden"}]}')
    assert f"let this access token read {name}" in outcome_of(request_).what


def test_a_refused_token_names_the_region_that_was_asked(wire: Any) -> None:
    wire.fetch.return_value = Response(401, {}, b"")
    assert "'us'" in outcome_of(next_page).advice


@cases(
    sent=(True, Kind.UNCLEAR, "connection was lost"),
    unsent=(False, Kind.UNREACHABLE, "at api.example.com: the connection was refused"),
)
def test_a_failed_request_is_unclear_only_if_it_may_have_been_sent(
    sent: bool, kind: Kind, words: str, wire: Any
) -> None:
    wire.fetch.side_effect, wire.sent = ConnectionRefusedError(), sent
    outcome = outcome_of(next_page)
    assert outcome.kind is kind
    assert words in outcome.what


def test_after_an_abort_the_error_is_not_explained(wire: Any) -> None:
    wire.fetch.side_effect = ConnectionResetError()
    reader = client()
    reader.abort()
    with pytest.raises(ConnectionResetError):
        reader.page("s")
