"""The sandbox behind a proxy that caches."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.scroll_client import ScrollClient


def test_the_same_address_gives_the_same_page(scroll: Callable[..., ScrollClient]) -> None:
    """The first request for the second page and for each page after it have one address."""
    client = scroll(cache=True)
    pages = [client.page() for _ in range(4)]
    assert pages == [client.expected(n) for n in (1, 2, 2, 2)]
    assert client.sandbox.requests == 2


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Cache-Control", "no-cache"),
        ("Cache-Control", "no-store"),
        ("Cache-Control", "private, No-Cache"),
        ("Cache-Control", "max-age=0"),
        ("Pragma", "no-cache"),
    ],
)
def test_a_request_can_forbid_caching(
    scroll: Callable[..., ScrollClient], header: str, value: str
) -> None:
    """Then the proxy is as if it were not there."""
    client = scroll(cache=True)
    client.session.headers[header] = value
    assert [client.page() for _ in range(6)] == [client.expected(n) for n in range(1, 7)]


def test_other_directives_do_not_forbid_it(scroll: Callable[..., ScrollClient]) -> None:
    """Only those that HTTP defines for it."""
    client = scroll(cache=True)
    client.session.headers["Cache-Control"] = "max-age=60, no-transform"
    assert [client.page() for _ in range(3)] == [client.expected(n) for n in (1, 2, 2)]


def test_errors_and_other_tokens_are_not_cached(scroll: Callable[..., ScrollClient]) -> None:
    """Only responses of status 200 are, for each token."""
    client = scroll("503@1", cache=True)
    assert client.ask().status_code == 503
    client.sandbox.workspace.expire()
    assert client.page() == client.expected(1)
    client.session.headers["Authorization"] = "Bearer wrong"
    client.param = None
    assert client.ask().status_code == 401


def test_pages_of_changing_addresses(scroll: Callable[..., ScrollClient]) -> None:
    """A cache does no harm to a scroll whose parameter is new on each page."""
    client = scroll(cache=True, scroll_param="changing")
    assert [client.page() for _ in range(6)] == [client.expected(n) for n in range(1, 7)]


def test_the_cache_forgets_its_oldest_pages(scroll: Callable[..., ScrollClient]) -> None:
    """It has a limit; the scroll has gone on meanwhile, so the address brings another page."""
    client = scroll(cache=True)
    client.page()
    assert client.page() == client.page()
    for number in range(100):
        client.get(f"/contacts?per_page=1&page={number}")
    assert client.page() == client.expected(3)
