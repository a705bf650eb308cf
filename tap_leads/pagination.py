"""From one page to the next: the `scroll_param` of a response is the token of the next request."""

from __future__ import annotations

from typing import cast

import requests
from singer_sdk.pagination import BaseAPIPaginator
from typing_extensions import override

from tap_leads.records.pages import Page, read_page


class ScrollPaginator(BaseAPIPaginator[str | None]):
    """Follows a scroll: the next page's token is the `scroll_param` of the last response.

    The token is usually the same on every page, but it may change: neither means anything. The end
    is a page without leads, and nothing else.

    Args:
        start: The token to go on with; None opens a new scroll.
    """

    def __init__(self, start: str | None = None) -> None:
        super().__init__(start)

    @override
    def has_more(self, response: requests.Response) -> bool:
        return bool(page_of(response).versions)

    @override
    def get_next(self, response: requests.Response) -> str | None:
        return page_of(response).scroll_param

    @override
    def advance(self, response: requests.Response) -> None:
        # The SDK's own refuses a token that is the same twice.
        self._page_count += 1
        self._value = self.get_next(response)
        self._finished = not self.has_more(response)


class _PageResponse(requests.Response):
    """A response of the scroll together with the page that was read from it, once."""

    page: Page


def page_of(response: requests.Response) -> Page:
    """The page of a response.

    Raises:
        NotAPageError: It is not one.
        LeadWithoutIdError: A lead has no id.
    """
    response = cast("_PageResponse", response)
    if not hasattr(response, "page"):
        response.page = read_page(response.content)
    return response.page
