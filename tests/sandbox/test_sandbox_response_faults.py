"""Faults of a response: each does what it says, and nothing else."""

from __future__ import annotations

import json
import time

import pytest
import requests
from support.cases import cases
from support.scroll_client import ScrollClient, Start, code


@cases(
    ("restart@2", 500, b"Please restart the scroll operation."),
    ("html502@2", 502, b"<html>"),
    ("503@2", 503, b""),
    ("nojson@2", 200, b"upstream"),
    ("empty-body@2", 200, b""),
    ("nolist@2", 200, b'"type":"contact.list"'),
    ("null-list@2", 200, b'"contacts":null'),
    ("wrong-key@2", 200, b'"data":[{'),
    ("status@2:408", 408, b'"request_timeout"'),
    ("body@2:[1, 2]", 200, b"[1, 2]"),
    ("false-end@2", 200, b'"contacts":[]'),
)
@cases("constant", "changing")
def test_a_client_that_continues_misses_the_lost_page(
    scroll_param: str, fault: str, status: int, body: bytes, scroll: Start
) -> None:
    """The scroll moved on although the page did not arrive."""
    client = scroll(fault, scroll_param=scroll_param)
    assert client.page() == client.expected(1)
    response = client.ask()
    assert response.status_code == status
    assert body in response.content
    assert (b"contacts" in response.content) == (fault in {"null-list@2", "false-end@2"})
    assert client.page() == client.expected(3)
    assert [request.leads for request in client.workspace.history] == [10, 0, 10]


def test_restart_leaves_the_scroll_open(scroll: Start) -> None:
    """Only its end or a minute without requests closes a scroll."""
    client = scroll("restart@1")
    assert client.ask().status_code == 500
    assert code(client.ask()) == (400, "scroll_exists")


@cases(
    ("429@2", (429, "rate_limit_exceeded")),
    ("429-bare@2", (429, "rate_limit_exceeded")),
    ("429-skewed@2", (429, "rate_limit_exceeded")),
    ("exists@2", (400, "scroll_exists")),
    ("401@2", (401, "unauthorized")),
    ("403@2", (403, "forbidden")),
    ("404@2", (404, "not_found")),
    ("version@2", (400, "intercom_version_invalid")),
)
def test_a_refused_request_is_not_served(
    fault: str, expected: tuple[int, str], scroll: Start
) -> None:
    """The scroll keeps its position, and its idle time continues."""
    client = scroll(fault)
    client.page()
    client.clock.now += 30
    assert code(client.ask()) == expected
    client.clock.now += 20
    assert client.page() == client.expected(2)
    assert client.workspace.longest_idle == 50


def test_rate_limit_headers_of_a_429(scroll: Start) -> None:
    """Reset is ahead, missing, or in the past, as if a clock is skewed."""
    client = scroll("429@1:7", "429-bare@2", "429-skewed@3")
    began = time.time()
    ahead, bare, skewed = (client.ask() for _ in range(3))
    elapsed = time.time() - began
    assert 7 <= int(ahead.headers["X-RateLimit-Reset"]) - began <= 8 + elapsed
    assert not [name for name in bare.headers if "ratelimit" in name.lower()]
    assert -3600 <= int(skewed.headers["X-RateLimit-Reset"]) - began <= -3599 + elapsed


@cases(("302@1", 0), ("302@1:3", 3 << 20))
def test_redirect(fault: str, size: int, scroll: Start) -> None:
    """It leads to a path that does not exist. Its connection can be used again."""
    client = scroll(fault)
    response = client.ask()
    assert (response.status_code, response.headers["Location"]) == (302, "/moved")
    assert len(response.content) == size
    assert client.get("/moved").status_code == 404
    assert client.page() == client.expected(1)
    assert client.sandbox.connections == 1


def test_every_status(scroll: Start) -> None:
    """A status from 101 to 599 has an error.list if it has a body, and keeps the connection."""
    numbers = range(101, 600)
    client = scroll(*(f"status@{at}:{number}" for at, number in enumerate(numbers, 1)))
    for number in numbers:
        response = client.ask()
        assert response.status_code == number
        if number < 200 or number in {204, 205, 304}:
            assert response.content == b""
        else:
            assert code(response)[1]
    assert {request.leads for request in client.workspace.history} == {0}
    assert client.sandbox.connections < 110  # interim responses close theirs


def test_an_interim_response_without_a_final_one(scroll: Start) -> None:
    """100 announces another response, which is not sent."""
    client = scroll("status@2:100")
    client.page()
    with pytest.raises(requests.ConnectionError):
        client.ask()
    assert client.page() == client.expected(3)


def test_a_false_end_is_an_error(scroll: Start) -> None:
    """It is an error.list with an empty `contacts`, under status 200."""
    response = scroll("false-end@1").ask()
    assert code(response) == (200, "server_error")
    assert response.json()["contacts"] == []


@cases(("wrong-key@1", b"{", "data"), ("bom@1", b"\xef\xbb\xbf{", "contacts"))
def test_the_leads_are_in_an_unusual_place(
    fault: str, start: bytes, member: str, scroll: Start
) -> None:
    """All of them are there, under another name or after a byte order mark."""
    client = scroll(fault)
    content = client.ask().content
    assert content.startswith(start)
    body = json.loads(content.decode("utf-8-sig"))
    assert [lead["id"] for lead in body[member]] == client.expected(1)


@cases(("403@2", 403, 2), ("status@2:407", 407, 3), ("slow@2:0", 200, 3))
def test_a_firewall(fault: str, status: int, next_page: int, scroll: Start) -> None:
    """An HTML page has the status of another fault, which decides about the position."""
    client = scroll("html@2", fault)
    client.page()
    response = client.ask()
    assert (response.status_code, response.headers["Content-Type"]) == (status, "text/html")
    assert response.content.startswith(b"<html>")
    assert client.page() == client.expected(next_page)


@cases(
    ("old-errors@*", {"type": "not_found", "message": "scroll parameter not found"}),
    ("spelled-out@*", {"code": "Not Found", "message": "scroll parameter not found"}),
)
def test_errors_of_another_form(fault: str, error: dict[str, str], scroll: Start) -> None:
    """The fault also changes errors that no fault made. It leaves pages unchanged."""
    client = scroll(fault)
    assert client.page() == client.expected(1)
    client.workspace.expire()
    assert client.ask().json()["errors"] == [error]


COUNTING = {"counts": "/counts", "contacts": "/contacts?per_page=1"}


def counted(client: ScrollClient, path: str) -> int:
    """Tell how many leads there are, according to a path."""
    body = client.get(COUNTING[path]).json()
    return int(body["lead"]["count"] if path == "counts" else body["total_count"])


@cases(*COUNTING)
@cases(
    ("number@1:0", [0, 50]),
    ("number@2:7", [50, 7]),
    ("number@*:-1", [-1, -1]),
    ("off@1:-3", [47, 50]),
    ("off@*:120", [170, 170]),
    ("off@1:+1", [51, 50]),
    ("off@1:-99", [0, 50]),
    ("slow@1:0", [50, 50]),
)
def test_a_wrong_count(fault: str, counts: list[int], path: str, scroll: Start) -> None:
    """Only that path is wrong. The scroll has as many leads as before."""
    client = scroll(f"{path}/{fault}")
    assert [counted(client, path) for _ in counts] == counts
    assert counted(client, "contacts" if path == "counts" else "counts") == 50
    assert client.page() == client.expected(1)


def test_a_count_of_thousands_of_digits(scroll: Start) -> None:
    """A fault that shifts the count leaves it unchanged."""
    digits = "9" * 5000
    client = scroll(f"counts/number@1:{digits}", "counts/off@1:1")
    assert f'"lead":{{"count":{digits}}}' in client.get("/counts").text


def test_a_limited_list(scroll: Start) -> None:
    """The list may have fewer than 10,000 leads. Its other members are unchanged."""
    client = scroll("contacts/limited@1")
    limited, usual = (client.get(COUNTING["contacts"]).json() for _ in range(2))
    assert (limited, usual["limited"]) == ({**usual, "limited": True}, False)


@cases(*COUNTING)
@cases(
    *(("429@1", 429), ("401@1", 401), ("403@1", 403), ("404@1", 404), ("302@1", 302)),
    *(("503@1", 503), ("status@1:408", 408), ("html502@1", 502), ("nojson@1", 200)),
    *(("empty-body@1", 200), ("body@1:{}", 200)),
)
def test_a_count_is_refused_or_unusable(fault: str, status: int, path: str, scroll: Start) -> None:
    """Even if another fault changes the number of leads in the same response."""
    client = scroll(f"{path}/off@*:-3", f"{path}/{fault}")
    response = client.get(COUNTING[path])
    assert response.status_code == status
    assert b"count" not in response.content
    assert counted(client, path) == 47
