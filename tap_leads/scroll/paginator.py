"""The pagination: the `scroll_param` of a page is the token of the next request."""

from __future__ import annotations

from singer_sdk.pagination import BaseAPIPaginator
from typing_extensions import override

from tap_leads.records.pages import Page


class ScrollPaginator(BaseAPIPaginator[str | None]):
    """Follows one scroll. The first token is None, which opens the scroll.

    Intercom usually sends the same token with every page, but may change it. Neither means that
    the scroll has ended: only a page without leads does. The SDK's own `advance` raises an error
    when a token is repeated.

    The SDK passes responses to its paginators. This one takes decoded pages, so that no page is
    decoded twice.
    """

    def __init__(self) -> None:
        super().__init__(None)
        self._token: str | None = None
        self._pages = 0
        self._ended = False

    @property
    @override
    def current_value(self) -> str | None:
        return self._token

    @property
    @override
    def finished(self) -> bool:
        return self._ended

    @property
    @override
    def count(self) -> int:
        return self._pages

    @override
    def get_next(self, response: Page) -> str | None:  # type: ignore[override]
        return response.scroll_param

    @override
    def advance(self, response: Page) -> None:  # type: ignore[override]
        self._ended = not response.versions
        self._pages += not self._ended
        self._token = self.get_next(response)
