"""The rate limit: a number of requests per window of ten seconds (page "Rate limiting")."""

import math
import threading
import time
from collections.abc import Callable


class RateLimit:
    """Counts the requests of one token.

    Args:
        limit: Requests per window.
        window: Seconds.
        clock: Seconds that never decrease; windows begin at multiples of `window`.
    """

    def __init__(self, limit: int, window: float, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._window = window
        self._clock = clock
        self._lock = threading.Lock()
        self._current = -math.inf  # ordinal of the window that `_used` counts
        self._used = 0

    def use(self) -> tuple[bool, dict[str, str]]:
        """Count one request.

        Returns:
            Whether the request is within the limit, and the headers about the limit.
            `X-RateLimit-Reset` is the end of the window in unix seconds, rounded up, so that a
            client that waits until then is never too early.
        """
        now = self._clock()
        with self._lock:
            current = now // self._window
            if current != self._current:
                self._current, self._used = current, 0
            self._used += 1
            remaining = self._limit - self._used
        ahead = (current + 1) * self._window - now
        return remaining >= 0, {
            "X-RateLimit-Limit": str(self._limit),
            "X-RateLimit-Remaining": str(max(0, remaining)),
            "X-RateLimit-Reset": str(math.ceil(time.time() + ahead)),
        }
