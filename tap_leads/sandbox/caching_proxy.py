"""A proxy before the API that caches what it should not."""

from collections import OrderedDict
from dataclasses import replace
from email.message import Message

from tap_leads.sandbox.http_response import Response
from tap_leads.sandbox.http_server import Responder

_FORBIDDING = frozenset({"no-cache", "no-store", "max-age=0"})
_KEPT = 100  # responses


class CachingProxy:
    """Gives the same response for the same address and token, unless the request forbids it.

    It caches every response of status 200, without a limit of age, as proxies do that are set up
    to override the API's headers.

    Args:
        origin: The API.
    """

    def __init__(self, origin: Responder) -> None:
        self._origin = origin
        self._kept: OrderedDict[tuple[str, str | None], Response] = OrderedDict()

    def get(self, target: str, headers: Message) -> Response:
        """Respond to one GET, from the cache if possible."""
        key = target, headers.get("Authorization")
        if _is_forbidden(headers):
            return self._origin(target, headers)
        kept = self._kept.get(key)
        if kept:
            return replace(kept, delay=0.0, ready=None)
        response = self._origin(target, headers)
        if response.status == 200:  # noqa: PLR2004 - OK
            self._kept[key] = response
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return response


def _is_forbidden(headers: Message) -> bool:
    values = (*headers.get_all("Cache-Control", ()), *headers.get_all("Pragma", ()))
    directives = {part.strip().lower() for value in values for part in value.split(",")}
    return not _FORBIDDING.isdisjoint(directives)
