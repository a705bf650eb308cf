"""A client that scrolls through a sandbox."""

from __future__ import annotations

from contextlib import suppress

import requests

from tap_leads.sandbox import Sandbox

PAGE = 10


class ScrollClient:
    """A client of a sandbox of pages of ten leads.

    After each response, it goes on with the latest scroll parameter that it has.
    """

    def __init__(self, sandbox: Sandbox, session: requests.Session) -> None:
        self.sandbox = sandbox
        self.session = session
        self.ids = [lead["id"] for lead in sandbox.workspace.leads()]
        self.param: str | None = None

    def get(self, path: str, timeout: float = 5) -> requests.Response:
        """Send a request to any path."""
        return self.session.get(self.sandbox.url + path, timeout=timeout, allow_redirects=False)

    def ask(self, timeout: float = 5) -> requests.Response:
        """Send the next request of the scroll."""
        query = f"?scroll_param={self.param}" if self.param else ""
        response = self.get(f"/contacts/scroll{query}", timeout)
        if response.status_code == 200:
            with suppress(ValueError, TypeError, KeyError):
                self.param = response.json()["scroll_param"]
        return response

    def page(self) -> list[str]:
        """Ids of the next page."""
        response = self.ask()
        assert response.status_code == 200, response.text
        return [lead["id"] for lead in response.json()["contacts"]]

    def expected(self, *numbers: int) -> list[str]:
        """Ids of the pages of these numbers, counted from 1."""
        return [i for n in numbers for i in self.ids[(n - 1) * PAGE : n * PAGE]]


def code(response: requests.Response) -> tuple[int, str]:
    """Status and code of an error."""
    return response.status_code, response.json()["errors"][0]["code"]
