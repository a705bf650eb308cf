"""Faults of a response: each does what it says, and nothing else."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
import requests
from support.scroll_client import ScrollClient, code


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
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
    ],
)
@pytest.mark.parametrize("scroll_param", ["constant", "changing"])
def test_a_client_that_goes_on_skips_the_lost_page(
    scroll: Callable[..., ScrollClient], fault: str, status: int, body: bytes, scroll_param: str
) -> None:
    """The position moved although the page did not arrive."""
    client = scroll(fault, scroll_param=scroll_param)
    assert client.page() == client.expected(1)
    response = client.ask()
    assert response.status_code == status
    assert body in response.content
    assert (b"contacts" in response.content) == (fault in {"null-list@2", "false-end@2"})
    assert client.page() == client.expected(3)
    assert [request.leads for request in client.sandbox.workspace.history] == [10, 0, 10]


def test_restart_leaves_the_scroll_open(scroll: Callable[..., ScrollClient]) -> None:
    """Only its end or a minute without requests closes a scroll."""
    client = scroll("restart@1")
    assert client.ask().status_code == 500
    assert code(client.ask()) == (400, "scroll_exists")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("429@2", (429, "rate_limit_exceeded")),
        ("429-bare@2", (429, "rate_limit_exceeded")),
        ("429-skewed@2", (429, "rate_limit_exceeded")),
        ("exists@2", (400, "scroll_exists")),
        ("401@2", (401, "unauthorized")),
        ("403@2", (403, "forbidden")),
        ("404@2", (404, "not_found")),
        ("version@2", (400, "intercom_version_invalid")),
    ],
)
def test_a_refusal_moves_nothing(
    scroll: Callable[..., ScrollClient], fault: str, expected: tuple[int, str]
) -> None:
    """It was not served; and it does not keep the scroll alive."""
    now = [1000.0]
    client = scroll(fault, clock=lambda: now[0])
    client.page()
    now[0] += 30
    assert code(client.ask()) == expected
    now[0] += 20
    assert client.page() == client.expected(2)
    assert client.sandbox.workspace.longest_idle == 50


def test_rate_limit_headers_of_a_429(scroll: Callable[..., ScrollClient]) -> None:
    """Reset ahead, missing, or in the past (a client's clock can be skewed)."""
    client = scroll("429@1:7", "429-bare@2", "429-skewed@3")
    ahead, bare, skewed = (client.ask() for _ in range(3))
    assert 6 < int(ahead.headers["X-RateLimit-Reset"]) - time.time() <= 8
    assert not [name for name in bare.headers if "ratelimit" in name.lower()]
    assert -3601 < int(skewed.headers["X-RateLimit-Reset"]) - time.time() < -3500


def test_redirect(scroll: Callable[..., ScrollClient]) -> None:
    """To a path of the same server that does not exist."""
    client = scroll("302@1")
    response = client.ask()
    assert (response.status_code, response.headers["Location"]) == (302, "/moved")
    assert client.session.get(client.sandbox.url + "/moved", timeout=5).status_code == 404


def test_redirect_with_a_huge_body(scroll: Callable[..., ScrollClient]) -> None:
    """As many megabytes as the fault says, on a connection that can be used again."""
    client = scroll("302@1:3")
    response = client.ask()
    assert (response.status_code, len(response.content)) == (302, 3 << 20)
    assert client.page() == client.expected(1)
    assert client.sandbox.connections == 1


def test_every_status(scroll: Callable[..., ScrollClient]) -> None:
    """From 101 to 599, with an error.list where the status has a body, on one connection each."""
    numbers = range(101, 600)
    client = scroll(*(f"status@{at}:{number}" for at, number in enumerate(numbers, 1)))
    for number in numbers:
        response = client.ask()
        assert response.status_code == number
        if number < 200 or number in {204, 205, 304}:
            assert response.content == b""
        else:
            assert response.json()["type"] == "error.list"
            assert response.json()["errors"][0]["code"]
    assert {request.leads for request in client.sandbox.workspace.history} == {0}
    assert client.sandbox.connections < 110  # the others are kept alive


def test_an_interim_response_without_a_final_one(scroll: Callable[..., ScrollClient]) -> None:
    """100 announces another response, which does not come."""
    client = scroll("status@2:100")
    client.page()
    with pytest.raises(requests.ConnectionError):
        client.ask()
    assert client.page() == client.expected(3)


def test_a_false_end_is_an_error(scroll: Callable[..., ScrollClient]) -> None:
    """An error.list with an empty `contacts`, under status 200."""
    body = scroll("false-end@1").ask().json()
    assert (body["type"], body["contacts"], len(body["errors"])) == ("error.list", [], 1)


def test_wrong_key_hides_the_leads(scroll: Callable[..., ScrollClient]) -> None:
    """They are all there, under another name."""
    client = scroll("wrong-key@1")
    body = client.ask().json()
    assert [lead["id"] for lead in body["data"]] == client.expected(1)
    assert "contacts" not in body


def test_a_byte_order_mark(scroll: Callable[..., ScrollClient]) -> None:
    """Before the page, which is right."""
    client = scroll("bom@1")
    body = client.ask().content
    assert body[:3] == b"\xef\xbb\xbf"
    leads = json.loads(body[3:])["contacts"]
    assert [lead["id"] for lead in leads] == client.expected(1)


@pytest.mark.parametrize(
    ("fault", "status", "next_page"),
    [("403@2", 403, 2), ("status@2:407", 407, 3), ("slow@2:0", 200, 3)],
)
def test_a_firewall(
    scroll: Callable[..., ScrollClient], fault: str, status: int, next_page: int
) -> None:
    """An HTML page under the status of another fault, which decides about the position."""
    client = scroll("html@2", fault)
    client.page()
    response = client.ask()
    assert (response.status_code, response.headers["Content-Type"]) == (status, "text/html")
    assert response.content.startswith(b"<html>")
    assert client.page() == client.expected(next_page)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("old-errors@*", {"type": "not_found", "message": "scroll parameter not found"}),
        ("spelled-out@*", {"code": "Not Found", "message": "scroll parameter not found"}),
    ],
)
def test_errors_of_another_form(
    scroll: Callable[..., ScrollClient], fault: str, error: dict[str, str]
) -> None:
    """Also those that no fault made; pages stay as they are."""
    client = scroll(fault)
    assert client.page() == client.expected(1)
    client.sandbox.workspace.expire()
    assert client.ask().json()["errors"] == [error]


def witness(client: ScrollClient, path: str) -> int:
    """Tell how many leads there are, according to a path."""
    if path == "counts":
        return int(client.get("/counts").json()["lead"]["count"])
    return int(client.get("/contacts?per_page=1").json()["total_count"])


@pytest.mark.parametrize("path", ["counts", "contacts"])
@pytest.mark.parametrize(
    ("fault", "counts"),
    [
        ("number@1:0", [0, 50]),
        ("number@2:7", [50, 7]),
        ("number@*:-1", [-1, -1]),
        ("off@1:-3", [47, 50]),
        ("off@*:120", [170, 170]),
        ("off@1:+1", [51, 50]),
        ("off@1:-99", [0, 50]),
        ("slow@1:0", [50, 50]),
    ],
)
def test_a_wrong_count(
    scroll: Callable[..., ScrollClient], path: str, fault: str, counts: list[int]
) -> None:
    """It comes from that path only, and the scroll has as many leads as before."""
    client = scroll(f"{path}/{fault}")
    assert [witness(client, path) for _ in counts] == counts
    assert witness(client, "contacts" if path == "counts" else "counts") == 50
    assert client.page() == client.expected(1)


def test_a_count_of_thousands_of_digits(scroll: Callable[..., ScrollClient]) -> None:
    """Digit by digit; a fault that shifts the count leaves it as it is."""
    digits = "9" * 5000
    client = scroll(f"counts/number@1:{digits}", "counts/off@1:1")
    assert f'"lead":{{"count":{digits}}}' in client.get("/counts").text


def test_a_limited_list(scroll: Callable[..., ScrollClient]) -> None:
    """With fewer than 10,000 leads too; other members are as they were."""
    client = scroll("contacts/limited@1")
    limited, usual = (client.get("/contacts?per_page=1").json() for _ in range(2))
    assert (limited, usual["limited"]) == ({**usual, "limited": True}, False)


@pytest.mark.parametrize("path", ["counts", "contacts"])
@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("429", 429),
        ("401", 401),
        ("403", 403),
        ("404", 404),
        ("302", 302),
        ("503", 503),
        ("status", 408),
        ("html502", 502),
        ("nojson", 200),
        ("empty-body", 200),
        ("body", 200),
    ],
)
def test_a_count_is_refused_or_unusable(
    scroll: Callable[..., ScrollClient], path: str, fault: str, status: int
) -> None:
    """Once; whatever else is wrong with the number of leads at the same request."""
    argument = {"status": ":408", "body": ":{}"}.get(fault, "")
    client = scroll(f"{path}/off@*:-3", f"{path}/{fault}@1{argument}")
    response = client.get("/counts" if path == "counts" else "/contacts?per_page=1")
    assert response.status_code == status
    assert b"count" not in response.content
    assert witness(client, path) == 47
