"""The requests to a workspace: how many there were, and what became of those to the scroll."""

import threading
from collections import Counter, deque
from typing import NamedTuple

_HISTORY = 100_000


class ScrollRequest(NamedTuple):
    """One request to `/contacts/scroll`, as the workspace remembers it."""

    ordinal: int  # from 1; refused requests count too
    at: float  # when it arrived, by the workspace's clock
    token: str | None  # the scroll parameter it sent; None opens a scroll
    status: int  # of the response; 0 when the connection was closed without one
    leads: int  # in the response; 0 when the client could not read them


class RequestLog:
    """Counts and remembers requests; its methods may be called from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[str] = Counter()  # by path
        self._requests_of_scroll = 0  # since the latest one that opens a scroll
        self._history: deque[ScrollRequest] = deque(maxlen=_HISTORY)

    @property
    def history(self) -> list[ScrollRequest]:
        """The requests to the scroll, oldest first; no more than the latest 100,000."""
        with self._lock:
            return sorted(self._history)  # as they arrived, not as they were responded to

    def arrive(self, path: str, *, opens: bool | None) -> tuple[int, int]:
        """Count a request.

        Args:
            path: Where it is counted.
            opens: Whether it opens a scroll or follows one; None if it does neither.

        Returns:
            Its ordinal number, from 1, among all requests to the path, and among the requests to
            the scroll since the latest one that opens it.
        """
        with self._lock:
            self._requests[path] += 1
            if opens is not None:
                self._requests_of_scroll = 1 if opens else self._requests_of_scroll + 1
            return self._requests[path], self._requests_of_scroll

    def remember(self, request: ScrollRequest) -> None:
        """Put a request into the history."""
        with self._lock:
            self._history.append(request)
