"""Faults of a response and of its way: each does what it says, and nothing else."""

from __future__ import annotations

import re
import time

import pytest
import requests
from support.cases import cases
from support.scroll_client import ScrollClient, Start


def test_rate_limit_headers_of_a_429(scroll: Start) -> None:
    """Reset is ahead, missing, or in the past, as if a clock is skewed."""
    client = scroll("429@1:7", "429-bare@2", "429-skewed@3")
    began = time.time()
    ahead, bare, skewed = (client.ask().headers for _ in range(3))
    elapsed = time.time() - began
    assert 7 <= int(ahead["X-RateLimit-Reset"]) - began <= 8 + elapsed
    assert not [name for name in bare if "ratelimit" in name.lower()]
    assert -3600 <= int(skewed["X-RateLimit-Reset"]) - began <= -3599 + elapsed


@cases(("302@1", 0), ("302@1:3", 3 << 20))
def test_redirect(fault: str, size: int, scroll: Start) -> None:
    """It leads to a path that does not exist. Its connection can be used again."""
    client = scroll(fault)
    response = client.ask()
    assert (response.status_code, response.headers["Location"]) == (302, "/moved")
    assert len(response.content) == size
    assert client.get("/moved").status_code == 404
    client.receives("1")
    assert client.sandbox.connections == 1


def test_every_status(scroll: Start) -> None:
    """A status from 101 to 599 has an error.list if it has a body, and keeps the connection."""
    without_body = (204, 205, 304, 101, 199)  # the last two close the connection
    numbers = (200, 299, 300, 305, 418, 505, 599, *without_body)
    client = scroll(*(f"status@{at}:{number}" for at, number in enumerate(numbers, 1)))
    for number in numbers:
        response = client.ask()
        if number in without_body:
            assert (response.status_code, response.content) == (number, b"")
        else:
            assert re.fullmatch(rf"{number} [a-z_]+", client.named(response))
    assert client.sandbox.connections == 2


@cases("counts", "contacts")
@cases(
    zero=("number@1:0", "0 50"),
    second=("number@2:7", "50 7"),
    negative=("number@*:-1", "-1 -1"),
    # Python refuses to convert such a number, so `off` leaves it unchanged.
    long=(f"number@1:{'9' * 5000} off@1:1", f"{'9' * 5000} 50"),
    fewer=("off@1:-3", "47 50"),
    more=("off@*:120", "170 170"),
    plus=("off@1:+1", "51 50"),
    none=("off@1:-99", "0 50"),
    slow=("slow@1:0", "50 50"),
    refused=("off@*:-3 401@1", "401 47"),
    redirected=("off@*:-3 302@1", "302 47"),
    failed=("off@*:-3 503@1", "503 47"),
    no_json=("off@*:-3 nojson@1", "200 47"),
    no_count=("off@*:-3 body@1:{}", "200 47"),
)
def test_a_wrong_count(faults: str, counts: str, path: str, scroll: Start) -> None:
    """Only that path is wrong. The scroll has as many leads as before."""
    client = scroll(*(f"{path}/{fault}" for fault in faults.split()))
    assert f"{counted(client, path)} {counted(client, path)}" == counts
    assert counted(client, "contacts" if path == "counts" else "counts") == "50"
    client.receives("1, 2, 3, 4, 5, end")


def counted(client: ScrollClient, path: str) -> str:
    """How many leads there are, according to a path; without a count, the status."""
    response = client.get(f"/{path}?per_page=1")
    found = re.search(r'(?:"lead":\{"count"|"total_count"):(-?\d+)', response.text)
    return found[1] if found else str(response.status_code)


def test_a_limited_list(scroll: Start) -> None:
    """The list may have fewer than 10,000 leads. Its other members are unchanged."""
    client = scroll("contacts/limited@1")
    limited, usual = (client.get("/contacts?per_page=1").json() for _ in range(2))
    assert (limited, usual["limited"]) == ({**usual, "limited": True}, False)


def test_cut_announces_the_whole_body(scroll: Start) -> None:
    """A client can tell by Content-Length."""
    head, _, body = scroll("cut@1").raw().partition(b"\r\n\r\n")
    length = re.search(rb"Content-Length: (\d+)", head)
    assert length
    assert len(body) == int(length[1]) // 2


@cases("hang@1", "drip-head@1:600")
def test_a_client_can_wait_for_headers_until_it_gives_up(fault: str, scroll: Start) -> None:
    client = scroll(fault)
    with pytest.raises(requests.ReadTimeout):
        client.ask(timeout=0.1)


@cases(
    ("slow@1:0.1", 0.1, "0:1"),
    ("slow@1:0.1 503@1", 0.1, "503 plain"),
    ("hang@1:0.1", 0.1, "lost"),
    ("drip@1:0.0003", 0.3, "0:1"),  # the body has more than 1,000 bytes
    ("drip-head@1:0.0005", 0.1, "0:1"),  # the head has more than 200
)
def test_a_response_takes_as_long_as_the_fault_says(
    faults: str, seconds: float, received: str, scroll: Start
) -> None:
    client = scroll(*faults.split(), leads=1)
    start = time.monotonic()
    client.receives(received)
    assert time.monotonic() - start >= seconds


def test_a_dripping_body_begins_at_once(scroll: Start) -> None:
    """Only the body drips: the head and the first byte arrive."""
    client = scroll("counts/drip@1:600")
    with client.session.get(f"{client.sandbox.url}/counts", stream=True, timeout=5) as response:
        assert int(response.headers["Content-Length"]) > 1
        assert next(response.iter_content(1)) == b"{"


def test_a_bomb_unpacks_to_the_page_and_many_blanks(scroll: Start) -> None:
    """It is a thousand times larger than what was sent, and all of it is JSON."""
    client = scroll("bomb@2:16")
    client.receives("1")
    response = client.ask()
    assert len(response.content) > 16 << 20
    assert int(response.headers["Content-Length"]) < len(response.content) // 500
    assert client.named(response) == "2"
    client.receives("3")


@cases(
    ("malformed@2:header", rb"200 OK\r\n.*\r\na header line without a colon\r\n\r\n\{.*", 3),
    ("malformed@2:location", rb"302 Found\r\n.*\r\nLocation: http://\[::1\r\n.*", 3),
    ("malformed@2:location-bytes", rb"302 .*\r\nLocation: http://127.0.0.1/\xff\xfe\r\n.*", 3),
    ("malformed@2:chunk", rb"200 .*\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n\{.*", 3),
    ("malformed@2:length", rb"200 .*\r\nContent-Length: many\r\n.*", 3),
    ("malformed@2:status-line", rb"2", 3),
    ("malformed@2:date", rb"200 .*\r\nDate: Fri, 31 Dec 99999 23:59:59 GMT\r\n.*", 3),
    ("bom@2", rb'200 .*\r\n\r\n\xef\xbb\xbf\{"type":"contact\.list",.*', 3),
    ("restart@2", rb"500 .*Please restart the scroll operation\..*", 3),
    ("429@2 malformed@2:reset", rb"429 .*\r\nX-RateLimit-Reset: 9{30}\r\n.*", 2),
)
def test_the_bytes_of_a_response(faults: str, received: bytes, page: int, scroll: Start) -> None:
    """Unless it is a 429, the page was served. The next response is well-formed."""
    client = scroll(*faults.split())
    client.receives("1")
    assert re.fullmatch(b"HTTP/1.1 " + received, client.raw(), re.DOTALL)
    client.receives(f"{page}")
