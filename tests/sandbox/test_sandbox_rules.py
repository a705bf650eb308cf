"""The sandbox follows the rules of Intercom's Scroll API, seen through a real socket."""

from __future__ import annotations

import socket
import struct
import threading
import time
from email.utils import parsedate_to_datetime

import pytest
import requests
from support.cases import cases
from support.scroll_client import ScrollClient, Start, code, ids

from tap_leads.sandbox import Sandbox

EXISTS = (400, "scroll_exists")
NOT_FOUND = (404, "not_found")


@cases((250, [100, 100, 50, 0]), (100, [100, 0]), (1, [1, 0]), (0, [0]))
def test_a_scroll_gives_every_lead_once_and_ends_with_an_empty_page(
    leads: int, sizes: list[int], scroll: Start
) -> None:
    """Pages have 100 leads (page "Scroll over all leads"). An empty workspace has an empty page."""
    client = scroll(leads=leads, page_size=100)
    responses = [client.ask() for _ in sizes]
    assert [len(ids(response)) for response in responses] == sizes
    assert [i for response in responses for i in ids(response)] == client.ids
    assert len(set(client.ids)) == leads
    assert {response.json()["type"] for response in responses} == {"contact.list"}


@cases("constant", "changing")
def test_the_scroll_is_over_after_its_empty_page(scroll_param: str, scroll: Start) -> None:
    """Quote: "the scroll parameter will expire"; the empty page's is useless (hull-connectors)."""
    client = scroll(scroll_param=scroll_param)
    client.pages(5)
    last = client.param
    assert client.page() == []
    assert client.param != last
    for pause, param in ((0, client.param), (500, client.param), (0, last)):
        client.clock.now += pause
        client.param = param
        assert code(client.ask()) == NOT_FOUND
    assert client.workspace.longest_idle == 0
    assert client.open().status_code == 200


def test_scroll_param_is_the_same_on_every_page(scroll: Start) -> None:
    """As Intercom does in practice (intercom-ruby issue 452)."""
    client = scroll()
    assert len({client.ask().json()["scroll_param"] for _ in range(5)}) == 1


def test_scroll_param_can_change_on_every_page(scroll: Start) -> None:
    """As the document shows; then only the latest parameter is valid."""
    client = scroll(scroll_param="changing")
    client.page()
    first = client.param
    assert client.page() == client.expected(2)
    second, client.param = client.param, first
    assert first != second
    assert code(client.ask()) == NOT_FOUND
    client.param = second
    assert client.page() == client.expected(3)


def test_a_workspace_has_one_scroll(scroll: Start) -> None:
    """Quote: "can only have 1 scroll open at a time"; the open one continues."""
    client = scroll()
    client.page()
    assert code(client.other().open()) == EXISTS
    assert client.page() == client.expected(2)
    assert client.workspace.scrolls_opened == 1


def test_each_workspace_has_its_own_scroll_and_leads(scroll: Start) -> None:
    """Ids are unique within a workspace only (Intercom's API changelog)."""
    red = scroll(workspaces={"red": 12, "blue": 11})
    blue = red.other("blue")
    assert red.page() == red.expected(1)
    assert blue.page() == blue.expected(1)
    blue.param = red.param
    assert code(blue.ask()) == NOT_FOUND
    assert (red.sandbox.token, red.sandbox.workspace) == ("red", red.workspace)
    assert red.ids[:11] == blue.ids
    assert red.workspace.app_id != blue.workspace.app_id
    for client in (red, blue):
        assert {lead["app_id"] for lead in client.workspace.leads()} == {client.workspace.app_id}


def test_an_unused_scroll_expires(scroll: Start) -> None:
    """Quote: "if the scroll isn't used for 1 minute, it expires"; then another may be opened.

    Whether a refused opening prolongs it is unknown. In the sandbox it does not.
    """
    client = scroll()
    client.page()
    client.clock.now += 59.9
    assert client.page() == client.expected(2)
    client.clock.now += 59.9
    assert code(client.other().open()) == EXISTS
    client.clock.now += 0.1
    assert code(client.ask()) == NOT_FOUND
    assert client.workspace.longest_idle == pytest.approx(60.0)
    assert client.open().status_code == 200


def test_a_page_that_is_ready_late_keeps_no_other_scroll_alive(scroll: Start) -> None:
    client = scroll()
    client.page()
    late = client.param
    client.workspace.expire()
    assert late
    client.open()
    client.clock.now += 59.9
    client.workspace.touch(late)
    client.clock.now += 0.2
    assert code(client.ask()) == NOT_FOUND


def test_a_slow_response_uses_the_scroll(scroll: Start) -> None:
    """A page can take over a minute (intercom-java issue 260): idle time starts after it."""
    client = scroll("slow@2:1")
    client.page()
    waiting = threading.Thread(target=client.page)
    waiting.start()
    client.wait_for_requests(2)
    client.clock.now += 90
    assert code(client.other().open()) == EXISTS
    waiting.join()
    client.clock.now += 59
    assert client.page() == client.expected(3)


@cases(None, "Bearer wrong", "Basic sandbox", "Basic d3Jvbmc6", "Basic /w==", "sandbox")
def test_a_token_is_needed(header: str | None, scroll: Start) -> None:
    """Otherwise the response is 401 `unauthorized` (Intercom-OpenAPI). No scroll is touched."""
    client = scroll()
    client.session.headers.pop("Authorization")
    client.session.headers.update({"Authorization": header} if header else {})
    assert code(client.ask()) == (401, "unauthorized")
    assert client.workspace.history == []
    seen = client.sandbox.headers_seen[0]
    assert seen.get("Authorization") == ("wrong" if header else None)


def test_intercoms_own_clients_are_understood(scroll: Start) -> None:
    """They send the token as the user name of Basic authentication, like `curl -u TOKEN:`.

    The requests and headers are those that the official client for Node (intercom-client 2.11)
    sends for `leads.scroll.each`, `leads.list` and `nextPage`.
    """
    client = scroll(leads=130)
    client.session.headers.update(
        {
            "Accept": "application/json",
            "User-Agent": "intercom-node-client/2.0.0",
            "Authorization": "Basic c2FuZGJveDo=",
            "Content-Length": "0",
            "Connection": "keep-alive",
        }
    )
    assert client.rest() == client.ids
    listed: list[str] = []
    path: str | None = "/contacts"
    while path:
        response = client.get(path)
        listed += ids(response)
        following = response.json()["pages"]["next"]
        path = following and following.removeprefix(client.sandbox.url)
    assert listed == client.ids
    assert {seen["Authorization"] for seen in client.sandbox.headers_seen} == {"right"}


@cases("1.0", "1.1", "1.2", "1.3", "1.4")
def test_versions_with_leads(version: str, scroll: Start) -> None:
    assert scroll().get("/contacts/scroll", Intercom_Version=version).status_code == 200


@cases("2.0", "2.16", "1.5", "Unstable", "")
def test_versions_without_leads(version: str, scroll: Start) -> None:
    """400 `intercom_version_invalid` (Intercom-OpenAPI)."""
    client = scroll()
    response = client.get("/contacts/scroll", Intercom_Version=version)
    assert code(response) == (400, "intercom_version_invalid")
    assert client.workspace.scrolls_opened == 0


def test_the_rate_limit(scroll: Start) -> None:
    """Windows have 10 s. A 429 has no Retry-After, and is no use of the scroll."""
    client = scroll(rate_limit=3)
    responses = [client.ask() for _ in range(5)]
    assert [response.status_code for response in responses] == [200, 200, 200, 429, 429]
    left = [response.headers["X-RateLimit-Remaining"] for response in responses]
    assert left == ["2", "1", "0", "0", "0"]
    assert code(responses[-1]) == (429, "rate_limit_exceeded")
    assert "Retry-After" not in responses[-1].headers
    assert 0 < int(responses[-1].headers["X-RateLimit-Reset"]) - time.time() < 12
    client.clock.now += 10
    assert client.page() == client.expected(4)
    assert client.workspace.longest_idle == 10


def test_the_rate_limit_is_for_every_path_and_token(scroll: Start) -> None:
    """Each token has its own limit; wrong tokens share one."""
    client = scroll(rate_limit=1)
    clients = (client, client, client.other("wrong"), client.other("bad"))
    assert [one.get("/counts").status_code for one in clients] == [200, 429, 401, 429]


def test_every_response_is_dated_and_counted(scroll: Start) -> None:
    """Refusals too have Date and the headers of the rate limit."""
    client = scroll()
    responses = [client.open(), client.open(), client.get("/"), client.other("wrong").open()]
    assert [response.status_code for response in responses] == [200, 400, 404, 401]
    for response in responses:
        assert abs(parsedate_to_datetime(response.headers["Date"]).timestamp() - time.time()) < 5
        assert {"X-RateLimit-Limit", "X-RateLimit-Reset"} <= response.headers.keys()
    assert (client.sandbox.requests, client.sandbox.connections) == (4, 2)
    client.sandbox.stop()
    assert client.sandbox.connections == 2
    assert client.sandbox.headers_seen[0]["Authorization"] == "right"


def test_a_target_that_is_no_path_is_not_found(scroll: Start) -> None:
    with scroll().send("nonsense") as connection, connection.makefile("rb") as response:
        assert response.readline() == b"HTTP/1.1 404 Not Found\r\n"


def test_counts(scroll: Start) -> None:
    """`GET /counts` responds with a count.hash (documented for API 1.1 to 1.4)."""
    body = scroll().get("/counts").json()
    assert (body["type"], body["lead"]) == ("count.hash", {"count": 50})


def test_the_leads_list_needs_no_scroll(scroll: Start) -> None:
    """`GET /contacts` has numbered pages of at most 60 leads."""
    client = scroll(leads=130)
    client.open()
    pages = [client.get(f"/contacts?per_page=90&page={number}") for number in (1, 2, 3, 4)]
    assert [i for page in pages for i in ids(page)] == client.ids
    assert len(ids(client.get("/contacts?per_page=1"))) == 1
    assert code(client.get("/contacts?per_page=few")) == (400, "parameter_invalid")
    first, *_, last, beyond = (page.json() for page in pages)
    assert (first["total_count"], first["pages"]["total_pages"]) == (130, 3)
    assert first["pages"]["next"] == f"{client.sandbox.url}/contacts?per_page=60&page=2"
    assert last["pages"]["next"] is None
    assert beyond["contacts"] == []


def test_the_leads_list_ends_at_10_000_leads(scroll: Start) -> None:
    """The total is then a lower bound, and `limited` says so (intercom-ruby issue 274)."""
    client = scroll(leads=10_000)
    for added, limited in ((0, False), (1, True)):
        client.workspace.add(added)
        body = client.get("/contacts?per_page=1").json()
        assert (body["total_count"], body["limited"]) == (10_000, limited)
        assert len(body["contacts"]) == 1
    assert len(ids(client.get("/contacts?per_page=60&page=167"))) == 40
    assert code(client.get("/contacts?per_page=50&page=201")) == (400, "parameter_invalid")


@cases(
    ("1.4", "/data_attributes?model=customer", 200),
    ("1.4", "/data_attributes/customer", 404),
    ("1.3", "/data_attributes/customer", 200),
    ("1.3", "/data_attributes?model=customer", 404),
)
def test_data_attributes(version: str, path: str, status: int, scroll: Start) -> None:
    """Version 1.4 moved the list; the old path "will no longer work" (its changelog)."""
    client = scroll(leads=300)
    response = client.get(path, Intercom_Version=version)
    assert response.status_code == status
    if status == 200:
        described = {attribute["name"] for attribute in response.json()["data_attributes"]}
        leads = client.workspace.leads()
        assert described == {name for lead in leads for name in lead.get("custom_attributes", ())}


def test_history(scroll: Start) -> None:
    """A workspace remembers the requests to its scroll, and the responses."""
    client = scroll(leads=15)
    client.page()
    client.clock.now += 5
    client.other().open()
    client.page()
    client.get("/counts")
    assert [tuple(request) for request in client.workspace.history] == [
        (1, 1000.0, None, 200, 10),
        (2, 1005.0, None, 400, 0),
        (3, 1005.0, client.param, 200, 5),
    ]
    assert client.workspace.longest_idle == 5.0


def test_simultaneous_requests_get_different_pages(scroll: Start) -> None:
    client = scroll(leads=2000)
    client.open()
    others = [client.other() for _ in range(4)]
    received: list[str] = []

    def fetch(other: ScrollClient) -> None:
        other.param = client.param
        for page in other.pages(25):
            received.extend(page)

    threads = [threading.Thread(target=fetch, args=(other,)) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(received) == sorted(client.ids[10:1010])


def test_a_page_shows_the_latest_edits(scroll: Start) -> None:
    """Also a page that was served before."""
    client = scroll(leads=10)
    before = client.ask().json()["contacts"]
    assert client.page() == []
    client.workspace.update(1)
    assert client.open().json()["contacts"] == list(client.workspace.leads()) != before


def test_another_client_can_have_a_scroll_open(scroll: Start) -> None:
    client = scroll()
    for time_open in (30, 600):  # counted from the first call
        client.workspace.occupy(time_open)
    assert code(client.open()) == EXISTS
    client.workspace.release()
    assert client.page() == client.expected(1)


def test_a_sandbox_that_never_started_can_be_stopped() -> None:
    sandbox = Sandbox()
    sandbox.stop()
    assert (sandbox.connections, sandbox.requests) == (0, 0)


def test_settings_connect_the_tap_to_the_sandbox() -> None:
    """They have the names of the tap's settings."""
    with Sandbox(token="sesame") as sandbox:
        assert sandbox.settings == {"api_url": sandbox.url, "access_token": "sesame"}


def test_a_client_may_hang_up(scroll: Start, capfd: pytest.CaptureFixture[str]) -> None:
    """The sandbox prints nothing, and continues to serve."""
    client = scroll("slow@*:0.05", leads=1000, page_size=1000)
    for _ in range(3):
        with client.send() as connection:
            linger = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    # The sandbox may not have read all requests, so the number of served pages is unknown.
    assert client.get("/counts").json()["lead"] == {"count": 1000}
    client.sandbox.stop()
    assert capfd.readouterr() == ("", "")


def test_it_stops_promptly(scroll: Start) -> None:
    """A hanging request ends, an idle connection delays nothing, and no thread is left."""
    threads = threading.active_count()
    client = scroll("hang@2")
    client.page()
    hanging = client.other()
    failed: list[Exception] = []

    def hang() -> None:
        try:
            hanging.ask(timeout=30)
        except requests.ConnectionError as error:
            failed.append(error)

    thread = threading.Thread(target=hang)
    thread.start()
    client.wait_for_requests(2)
    client.sandbox.stop()
    thread.join(5)
    assert failed
    client.wait_until(lambda: threading.active_count() <= threads)
    with pytest.raises(requests.ConnectionError):
        client.ask()
