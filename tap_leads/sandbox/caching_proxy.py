"""A proxy in front of the API that caches more than it should."""

from collections import OrderedDict
from dataclasses import replace
from email.message import Message

from tap_leads.sandbox.http_response import Response
from tap_leads.sandbox.http_server import Responder

_FORBIDDING = frozenset({"no-cache", "no-store", "max-age=0"})
_MOST_CACHED = 100  # responses


def caching(origin: Responder) -> Responder:
    """Cache responses by address and token, unless the request forbids caching.

    The cache keeps every response of status 200 without a limit of age, like a proxy that is set
    up to override the API's headers.
    """
    cached: OrderedDict[tuple[str, str | None], Response] = OrderedDict()

    def respond(target: str, headers: Message) -> Response:
        values = (*headers.get_all("Cache-Control", ()), *headers.get_all("Pragma", ()))
        directives = {part.strip().lower() for value in values for part in value.split(",")}
        if not _FORBIDDING.isdisjoint(directives):
            return origin(target, headers)
        key = target, headers.get("Authorization")
        known = cached.get(key)
        if known:
            return replace(known, delay=0.0, ready=None)
        response = origin(target, headers)
        if response.status == 200:  # noqa: PLR2004 - OK
            cached[key] = response
            while len(cached) > _MOST_CACHED:
                cached.popitem(last=False)
        return response

    return respond
