"""The sandbox behind a proxy that caches."""

from __future__ import annotations

from support.cases import cases
from support.scroll_client import Start


def test_the_same_address_gives_the_same_page(scroll: Start) -> None:
    """The requests for the second page and for each later page have one address."""
    client = scroll(cache=True)
    assert client.pages(4) == [client.expected(n) for n in (1, 2, 2, 2)]
    assert client.sandbox.requests == 2


@cases(
    ("Cache-Control", "no-cache", [1, 2, 3]),
    ("Cache-Control", "no-store", [1, 2, 3]),
    ("Cache-Control", "private, No-Cache", [1, 2, 3]),
    ("Cache-Control", "max-age=0", [1, 2, 3]),
    ("Pragma", "no-cache", [1, 2, 3]),
    ("Cache-Control", "max-age=60, no-transform", [1, 2, 2]),
)
def test_a_request_can_forbid_caching(
    header: str, value: str, pages: list[int], scroll: Start
) -> None:
    """Only the directives that HTTP defines for it do so."""
    client = scroll(cache=True)
    client.session.headers[header] = value
    assert client.pages(3) == [client.expected(n) for n in pages]


def test_errors_and_other_tokens_are_not_cached(scroll: Start) -> None:
    """The cache keeps responses of status 200, for each token."""
    client = scroll("503@1", cache=True)
    assert client.ask().status_code == 503
    client.workspace.expire()
    assert client.page() == client.expected(1)
    assert client.other("wrong").ask().status_code == 401


def test_a_scroll_whose_parameter_changes_is_complete(scroll: Start) -> None:
    client = scroll(cache=True, scroll_param="changing")
    assert client.rest() == client.ids


def test_the_cache_forgets_its_oldest_pages(scroll: Start) -> None:
    """It keeps 100 responses; the scroll moved on, so the address then gives another page."""
    client = scroll(cache=True)
    client.page()
    assert client.page() == client.page()
    for number in range(100):
        client.get(f"/contacts?per_page=1&page={number}")
    assert client.page() == client.expected(3)
