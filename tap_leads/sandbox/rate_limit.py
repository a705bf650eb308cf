"""The rate limit: so many requests in each window of ten seconds (Intercom, "Rate limiting")."""

import math
import threading
import time
from collections.abc import Callable


class RateLimit:
    """Counts the requests of one token.

    Args:
        limit: Requests per window.
        window: Seconds.
        clock: Seconds that only ever grow; windows begin at its multiples of `window`.
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
            Whether it is within the limit, and the headers that tell. `X-RateLimit-Reset` is the
            end of the window in whole unix seconds, rounded up: a client that waits until then
            is never too early.
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
