"""From one page to the next: the `scroll_param` of a page is the token of the next request."""

from __future__ import annotations

from singer_sdk.pagination import BaseAPIPaginator
from typing_extensions import override

from tap_leads.records.pages import Page


class ScrollPaginator(BaseAPIPaginator[str | None]):
    """Follows one scroll. The first token is None, which opens the scroll.

    Intercom usually sends the same token with every page, but may change it: neither means
    anything. Only a page without leads is the end.

    The SDK advances paginators with responses. This one takes the page that was decoded from a
    response, so that no page is decoded twice.
    """

    def __init__(self) -> None:
        super().__init__(None)

    @override
    def has_more(self, response: Page) -> bool:  # type: ignore[override]
        return bool(response.versions)

    @override
    def get_next(self, response: Page) -> str | None:  # type: ignore[override]
        return response.scroll_param

    @override
    def advance(self, response: Page) -> None:  # type: ignore[override]
        # The SDK's own method refuses a token that is the same twice.
        self._page_count += 1
        self._value = self.get_next(response)
        self._finished = not self.has_more(response)
