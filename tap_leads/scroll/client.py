"""Sends single requests to Intercom's API, and reads the responses.

`reactions` decides what the sync does after a response.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec

from tap_leads.records.pages import LeadWithoutIdError, NotAPageError, Page, read_page
from tap_leads.scroll import network, outcomes, responses
from tap_leads.scroll.ends import Count
from tap_leads.scroll.quiet import quiet_requests, unlogged_request
from tap_leads.scroll.responses import Subject
from tap_leads.scroll.transport import Response, Session

SCROLL = "/contacts/scroll"
LIST = "/contacts"
COUNTS = "/counts"
ATTRIBUTES = "/data_attributes"

_COUNT_TIMEOUT = 10.0
# Seconds that a request for a count may take in total.
_LIST_END = 10_000
# Intercom's lists end after this many leads (intercom-ruby issue 274).
_NONSENSE = 10**12
# A larger count cannot be right.


class Client:
    """Sends requests to Intercom's API, one at a time.

    Args:
        url: The address of the API.
        headers: The headers of each request; they contain the access token.
        timeout: Seconds that Intercom may stay silent in a request.
        region: The setting of the same name, for advice.
        api_version: The setting of the same name.
    """

    def __init__(
        self, url: str, headers: dict[str, str], timeout: float, *, region: str, api_version: str
    ) -> None:
        self._url = url
        self._timeout = timeout
        self._region = region
        self._api_version = api_version
        self._aborted = False
        quiet_requests()
        self._session = Session()
        self._session.headers.update(headers)
        # `requests` would look up the proxies three times per page. Here it does so once.
        found = self._session.merge_environment_settings(url, {}, None, None, None)
        self._session.verify, self._session.proxies = found["verify"], found["proxies"]
        self._session.trust_env = False

    def page(self, scroll_param: str | None) -> Page:
        """Requests the next page of a scroll. The page at the end has no leads.

        Args:
            scroll_param: The token for the next page; None opens a scroll.

        Raises:
            Outcome: The request did not return a page.
        """
        if scroll_param is None:
            # Gateways drop a connection that was idle during a wait.
            self._session.use_new_connections()
        response = self._get(SCROLL, {"scroll_param": scroll_param})
        page = self._read(response)
        if page.versions and page.scroll_param is None:
            raise responses.not_a_page(response)
        return page

    def some_leads(self, most: int) -> Page:
        """Requests leads from Intercom's list, because a scroll would block the next sync.

        Raises:
            Outcome: The request did not return a page.
        """
        return self._read(self._get(LIST, {"per_page": most}))

    def count(self) -> Count:
        """Requests Intercom's count of the leads, which Intercom may have cached.

        The app needs the permission *Read counts* (`GET /counts`, API 1.1 to 1.4).

        Raises:
            Outcome: The request did not return a count.
        """
        response = self._get(COUNTS, {}, responses.COUNTS, total=_COUNT_TIMEOUT)
        match _decoded(response):
            case {"lead": {"count": int(leads)}} if _is_count(leads):
                return Count(leads)
        raise responses.not_a_page(response, responses.COUNTS)

    def list_count(self) -> Count:
        """Requests the length of Intercom's list; a full list gives a lower bound.

        The app needs no other permission than for the scroll (`GET /contacts`, API 1.0 to 1.4).

        Raises:
            Outcome: The request did not return a count.
        """
        response = self._get(LIST, {"per_page": 1}, total=_COUNT_TIMEOUT)
        match _decoded(response):
            case {"total_count": int(leads), "contacts": list(found)} as envelope if _is_count(
                leads
            ) and leads >= len(found):
                return Count(leads, exact=not envelope.get("limited") and leads != _LIST_END)
        raise responses.not_a_page(response, responses.COUNTS)

    def attribute_definitions(self) -> object:
        """Requests the definitions of the workspace's attributes.

        Raises:
            Outcome: The request did not return definitions.
        """
        # Since 1.4, the model is a parameter (changelog of API 1.4).
        path, params = ATTRIBUTES, {"model": "customer"}
        if self._api_version != "1.4":
            path, params = f"{ATTRIBUTES}/customer", {}
        response = self._get(path, params, responses.ATTRIBUTES)
        match _decoded(response):
            case {"data_attributes": list()} as definitions:
                return definitions
        raise responses.not_a_page(response, responses.ATTRIBUTES)

    def abort(self) -> None:
        """Ends the current request; for another thread."""
        self._aborted = True
        self._session.abort()

    def close(self) -> None:
        """Closes all connections."""
        self._session.close()

    def _get(
        self,
        path: str,
        params: dict[str, Any],
        subject: Subject = responses.LEADS,
        total: float | None = None,
    ) -> Response:
        timeout = min(self._timeout, total or self._timeout)
        try:
            with unlogged_request():
                response = self._session.fetch(self._url + path, params, timeout, total)
        except network.ERRORS as error:
            if self._aborted:
                raise
            host = urlsplit(self._url).hostname or ""
            raise network.outcome_of(error, host, sent=self._session.sent) from None
        responses.check(response, self._region, subject)
        return response

    def _read(self, response: Response) -> Page:
        try:
            return read_page(response.body)
        except NotAPageError:
            raise responses.not_a_page(response) from None
        except LeadWithoutIdError:
            raise outcomes.lead_without_id() from None


def _decoded(response: Response) -> Any:
    """The decoded body of a response; None if it is not JSON."""
    try:
        return msgspec.json.decode(response.body)
    except (ValueError, RecursionError):
        return None


def _is_count(leads: int) -> bool:
    return type(leads) is int and 0 <= leads < _NONSENSE
