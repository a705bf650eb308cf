"""The sandbox follows the rules of Intercom's Scroll API, seen through a real socket."""

from __future__ import annotations

import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime

import pytest
from support.cases import cases
from support.scroll_client import Start

from tap_leads.sandbox import Sandbox

CHANGING: dict[str, object] = {"scroll_param": "changing"}


@cases(
    # Pages have 100 leads (page "Scroll over all leads"), and the empty page is the end.
    ("0:100, 100:200, 200:250, end", {"leads": 250, "page_size": 100}),
    ("0:100, end", {"leads": 100, "page_size": 100}),
    ("0:1, end", {"leads": 1}),
    ("end", {"leads": 0}),
    # A scroll keeps its parameter in practice (intercom-ruby issue 452), and changes it in the
    # document; then only the latest one is valid.
    ("1, 2, back, 3, back, 4", {}),
    ("1, 2, back, 404 not_found, back, 3", CHANGING),
    # Quote: "the scroll parameter will expire"; the empty page's is useless (hull-connectors).
    ("1, 2, 3, 4, 5, end, 404 not_found, +500, 404 not_found, back, 404 not_found, open, 1", {}),
    ("1, 2, 3, 4, 5, end, 404 not_found, back, 404 not_found", CHANGING),
    ("1, lost, 3", CHANGING | {"faults": ["lost@2"]}),
    ("1, 200 scroll_param, 3", CHANGING | {"faults": ["nolist@2"]}),
    ("1, cut, 404 not_found", CHANGING | {"faults": ["cut@2"]}),  # the next parameter is lost too
    ("1, 404 not_found, +60, open, 1", CHANGING | {"faults": ["repeated-upstream@2"]}),
    # Quote: "can only have 1 scroll open at a time"; the open one continues.
    ("1, other 400 scroll_exists, 2", {}),
    # Quote: "if the scroll isn't used for 1 minute, it expires"; then another may be opened.
    # Whether a refused opening prolongs it is unknown. In the sandbox it does not.
    ("1, +59.9, 2, +59.9, other 400 scroll_exists, +0.1, 404 not_found, open, 1", {}),
    # The requests for the second page and for each later page have one address.
    ("1, 2, 2, 2", {"cache": True}),
    ("1, 2, 3, 4, 5, end", CHANGING | {"cache": True}),
    ("503 plain, +60, 1, 2, 2", {"cache": True, "faults": ["503@1"]}),
    # Only the directives that HTTP defines for it forbid caching.
    ("1, 2, 3", {"cache": True, "headers": {"Cache-Control": "no-cache"}}),
    ("1, 2, 3", {"cache": True, "headers": {"Cache-Control": "no-store"}}),
    ("1, 2, 3", {"cache": True, "headers": {"Cache-Control": "private, No-Cache"}}),
    ("1, 2, 3", {"cache": True, "headers": {"Cache-Control": "max-age=0"}}),
    ("1, 2, 3", {"cache": True, "headers": {"Pragma": "no-cache"}}),
    ("1, 2, 2", {"cache": True, "headers": {"Cache-Control": "max-age=60, no-transform"}}),
)
def test_what_each_request_receives(steps: str, options: dict[str, object], scroll: Start) -> None:
    scroll(**options).receives(steps)


def test_an_ended_scroll_is_never_idle(scroll: Start) -> None:
    """And the parameter of its empty page is another one."""
    client = scroll()
    client.receives("1, 2, 3, 4, 5, end, +500, 404 not_found")
    assert client.param != client.param_before
    assert client.workspace.longest_idle == 0


def test_all_scrolls_of_a_workspace_can_be_released(scroll: Start) -> None:
    client = scroll()
    client.receives("1")
    client.workspace.occupy(30)
    client.workspace.release()
    client.receives("404 not_found, open, 1")


def test_each_workspace_has_its_own_scroll_and_leads(scroll: Start) -> None:
    """Ids are unique within a workspace only (Intercom's API changelog)."""
    red = scroll(workspaces={"red": 12, "blue": 11})
    blue = red.other("blue")
    for client in (red, blue):
        client.receives("1")
        assert {lead["app_id"] for lead in client.workspace.leads()} == {client.workspace.app_id}
    blue.param = red.param
    blue.receives("404 not_found")
    assert (red.sandbox.token, red.sandbox.workspace) == ("red", red.workspace)
    assert red.ids[:11] == blue.ids
    assert red.workspace.app_id != blue.workspace.app_id


def test_a_page_that_is_ready_late_keeps_no_other_scroll_alive(scroll: Start) -> None:
    client = scroll()
    client.receives("1")
    late = client.param
    client.workspace.expire()
    client.receives("open, 1, +59.9")
    client.workspace.touch(str(late))
    client.receives("+0.2, 404 not_found")


def test_a_slow_response_uses_the_scroll(scroll: Start) -> None:
    """A page can take over a minute (intercom-java issue 260): idle time starts after it."""
    client = scroll("slow@2:1")
    client.receives("1")
    waiting = threading.Thread(target=client.ask)
    waiting.start()
    client.wait_until(lambda: len(client.workspace.history) == 2)
    client.receives("+90, other 400 scroll_exists")
    waiting.join()
    client.receives("+59, 3")


@cases(None, "Bearer wrong", "Basic sandbox", "Basic d3Jvbmc6", "Basic /w==", "sandbox")
def test_a_token_is_needed(header: str | None, scroll: Start) -> None:
    """Otherwise the response is 401 `unauthorized` (Intercom-OpenAPI). No scroll is touched."""
    client = scroll(headers={"Authorization": header})
    client.receives("401 unauthorized")
    assert client.workspace.history == []
    seen = client.sandbox.headers_seen[0]
    assert seen.get("Authorization") == ("wrong" if header else None)


def test_intercoms_own_clients_are_understood(scroll: Start) -> None:
    """They send the token as the user name of Basic authentication, like `curl -u TOKEN:`.

    These are the requests and headers that the official client for Node (intercom-client 2.11)
    sends for `leads.scroll.each` and `leads.list`.
    """
    client = scroll(headers={"Authorization": "Basic c2FuZGJveDo=", "Content-Length": "0"})
    client.receives("1, 2, 3, 4, 5, end")
    assert client.named(client.get("/contacts")) == "0:50"
    assert {seen["Authorization"] for seen in client.sandbox.headers_seen} == {"right"}


def test_the_rate_limit(scroll: Start) -> None:
    """Windows have 10 s. A 429 has no Retry-After, and is no use of the scroll."""
    client = scroll(rate_limit=3)
    began = time.time()
    responses = [client.ask() for _ in range(5)]
    refused = "429 rate_limit_exceeded"
    assert [client.named(response) for response in responses] == ["1", "2", "3", refused, refused]
    left = [response.headers["X-RateLimit-Remaining"] for response in responses]
    assert left == ["2", "1", "0", "0", "0"]
    assert "Retry-After" not in responses[-1].headers
    assert began + 10 <= int(responses[-1].headers["X-RateLimit-Reset"]) <= time.time() + 11
    client.receives("+10, 4")
    assert client.workspace.longest_idle == 10


def test_the_rate_limit_is_for_every_path_and_token(scroll: Start) -> None:
    """Each token has its own limit; wrong tokens share one."""
    client = scroll(rate_limit=1)
    client.receives("1, /counts 429 rate_limit_exceeded, 429 rate_limit_exceeded")
    client.other("wrong").receives("/counts 401 unauthorized, 429 rate_limit_exceeded")
    client.other("bad").receives("429 rate_limit_exceeded")


def test_every_response_is_dated_and_counted(scroll: Start) -> None:
    """Refusals too have Date and the headers of the rate limit."""
    client = scroll()
    paths = ("/contacts/scroll", "/contacts/scroll", "/")
    responses = [*map(client.get, paths), client.other("wrong").ask()]
    assert [response.status_code for response in responses] == [200, 400, 404, 401]
    for response in responses:
        assert abs(parsedate_to_datetime(response.headers["Date"]).timestamp() - time.time()) < 5
        assert {"X-RateLimit-Limit", "X-RateLimit-Reset"} <= response.headers.keys()
    client.sandbox.stop()
    assert (client.sandbox.requests, client.sandbox.connections) == (4, 2)


def test_a_target_that_is_no_path_is_not_found(scroll: Start) -> None:
    assert scroll().raw("nonsense").startswith(b"HTTP/1.1 404 Not Found\r\n")


@cases(
    *((version, "1") for version in ("1.0", "1.1", "1.2", "1.4")),
    *((version, "400 intercom_version_invalid") for version in ("2.0", "")),
    ("1.1", "/counts count.hash"),  # documented for API 1.1 to 1.4
    # Version 1.4 moved this list; the old path "will no longer work" (its changelog).
    ("1.4", "/data_attributes?model=customer data_attribute.list"),
    ("1.4", "/data_attributes/customer 404 not_found"),
    ("1.3", "/data_attributes/customer data_attribute.list"),
    ("1.3", "/data_attributes?model=customer 404 not_found"),
)
def test_each_version_has_its_paths(version: str, steps: str, scroll: Start) -> None:
    scroll(headers={"Intercom-Version": version}).receives(steps)


@cases(
    (12, (12, False, 1), "0:12, /contacts?page=2 end"),
    (129, (129, False, 3), "0:60, /contacts?per_page=60&page=3 120:129"),
    (10_000, (10_000, False, 167), "0:60, /contacts?per_page=60&page=167 9960:10000"),
    (10_001, (10_000, True, 167), "0:60, /contacts?per_page=50&page=201 400 parameter_invalid"),
)
def test_the_leads_list(
    leads: int, totals: tuple[int, bool, int], received: str, scroll: Start
) -> None:
    """It needs no scroll, and has numbered pages of at most 60 leads, 10,000 leads in all.

    Of more leads, the total is a lower bound, and `limited` says so (intercom-ruby issue 274).
    """
    client = scroll(leads=leads)
    client.receives(
        f"other 1, /contacts?per_page=90 {received}, /contacts?per_page=1 0:1, "
        "/contacts?per_page=few 400 parameter_invalid"
    )
    path = "/contacts?per_page=60"
    first, last = (client.get(f"{path}&page={page}").json() for page in (1, totals[2]))
    pages = first["pages"]
    assert (first["total_count"], first["limited"], pages["total_pages"]) == totals
    following = f"{client.sandbox.url}{path}&page=2" if totals[2] > 1 else None
    assert (pages["next"], last["pages"]["next"]) == (following, None)


def test_history(scroll: Start) -> None:
    """A workspace remembers the requests to its scroll, and how many leads could be read."""
    client = scroll("lost@4", "cut@5", "html@6", "nolist@7", leads=99)
    client.receives("1, +5, other 400 scroll_exists, 2, lost, cut, 200 html, 200 scroll_param")
    client.get("/counts")
    assert [tuple(request) for request in client.workspace.history] == [
        (1, 1000.0, None, 200, 10),
        (2, 1005.0, None, 400, 0),
        (3, 1005.0, client.param, 200, 10),
        *((n, 1005.0, client.param, 200 if n > 4 else 0, 0) for n in (4, 5, 6, 7)),
    ]
    assert client.workspace.longest_idle == 5.0


def test_simultaneous_requests_get_different_pages(scroll: Start) -> None:
    client = scroll(leads=2000)
    client.receives("1")
    others = [client.other() for _ in range(4)]
    for other in others:
        other.param = client.param
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda one: [one.named(one.ask()) for _ in range(25)], others)
    assert sorted(int(page) for pages in found for page in pages) == [*range(2, 102)]


def test_settings_connect_the_tap_to_the_sandbox() -> None:
    """They have the names of the tap's settings. A sandbox that never started can be stopped."""
    sandbox = Sandbox(token="sesame")
    assert sandbox.settings == {"api_url": sandbox.url, "access_token": "sesame"}
    sandbox.stop()
    assert (sandbox.connections, sandbox.requests) == (0, 0)


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
    client.receives("1")
    with ThreadPoolExecutor() as pool:
        hanging = pool.submit(client.other().receives, "lost")
        client.wait_until(lambda: len(client.workspace.history) == 2)
        client.sandbox.stop()
        hanging.result(5)
    client.wait_until(lambda: threading.active_count() <= threads)
    client.receives("lost")


def test_the_cache_serves_one_token_and_forgets_its_oldest_pages(scroll: Start) -> None:
    """It keeps 100 responses; the scroll moved on, so the address then gives another page."""
    client = scroll(cache=True)
    client.receives("1, 2, 2")
    client.other("wrong").receives("401 unauthorized")
    for number in range(100):
        client.get(f"/contacts?per_page=1&page={number}")
    assert client.sandbox.requests == 103
    client.receives("3")
