"""Runs another extractor, inside that one's environment, against a simulated API of Intercom.

    python redirect.py ADDRESS PACE MODULE:FUNCTION [ARGUMENT ...]

The other extractors have Intercom's address fixed in their code. Only this is changed for them:

- Requests go to ADDRESS, with the version of the API that has leads.
- A scroll over companies gets the pages of leads, with `contacts` renamed to `data`. Extractors
  that scroll companies only then read leads under that name.
- The list of tags, which some request first to try the token, is empty.
- Pauses last PACE times as long, so that they keep their proportion where a simulated API's idle
  limit is a fraction of Intercom's.
"""

from __future__ import annotations

import importlib
import sys
import time
from typing import Any
from urllib.parse import urlsplit

import requests

LEADS = "/contacts/scroll"
COMPANIES = "/companies/scroll"


def send_to(address: str) -> None:
    """Sends the requests of every session to an address."""
    send = requests.Session.send

    def redirected(
        session: requests.Session, request: requests.PreparedRequest, **options: Any
    ) -> requests.Response:
        target = urlsplit(str(request.url))
        if target.path == "/tags":
            return no_tags(request)
        path = LEADS if target.path == COMPANIES else target.path
        sent = request.copy()  # a request that is repeated must be as it was
        sent.url = f"{address}{path}?{target.query}".rstrip("?")
        sent.headers["Intercom-Version"] = "1.4"
        response = send(session, sent, **options | {"proxies": {}})
        if target.path == COMPANIES:
            renamed = response.content.replace(b'"contacts":', b'"data":', 1)
            response._content = renamed  # noqa: SLF001 - there is no other way
        return response

    requests.Session.send = redirected  # type: ignore[method-assign,assignment]


def no_tags(request: requests.PreparedRequest) -> requests.Response:
    """The response for tags."""
    response = requests.Response()
    response.status_code = 200
    response._content = b'{"type":"tag.list","tags":[]}'  # noqa: SLF001 - there is no other way
    response.url = str(request.url)
    response.request = request
    return response


def pause_by(pace: float) -> None:
    """Multiplies the length of every pause."""
    sleep = time.sleep
    time.sleep = lambda seconds: sleep(float(seconds) * pace)


def main(address: str, pace: str, entry: str, *arguments: str) -> None:
    """Runs the extractor."""
    module, _, function = entry.partition(":")
    send_to(address)
    pause_by(float(pace))
    sys.argv = [module, *arguments]
    getattr(importlib.import_module(module), function)()


if __name__ == "__main__":
    main(*sys.argv[1:])
