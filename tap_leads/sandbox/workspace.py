"""One workspace: its leads, and Intercom's rules for scrolling over them. No HTTP in here.

The rules are those of the page "Scroll over all leads" of API 1.0 to 1.4, and what Intercom's staff
and users reported where the page is silent. A comment next to the code names the source.
"""

import math
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from tap_leads.sandbox.population import Population
from tap_leads.sandbox.sample_leads import app_id

_HISTORY = 100_000


class Page(NamedTuple):
    """One page of a scroll. An empty page is the end."""

    indexes: list[int]  # of the leads
    scroll_param: str  # for the request for the next page


class Deviation(NamedTuple):
    """How one page of a scroll deviates from the rules."""

    repeat: bool = False  # the previous page is served again; the position stays
    limit: int | None = None  # most leads; with 0 the page is empty although it is not the end
    end: bool = False  # an empty page ends the scroll, although leads are left
    no_end: bool = False  # 404 in place of the empty page at the end
    twice: bool = False  # the request is served twice; the second response counts


_NO_DEVIATION = Deviation()


class ScrollRequest(NamedTuple):
    """One request to `/contacts/scroll`, as the workspace remembers it."""

    ordinal: int  # from 1; refused requests count too
    at: float  # when it arrived, by the workspace's clock
    token: str | None  # the scroll parameter it sent; None opens a scroll
    status: int  # of the response; 0 when the connection was closed without one
    leads: int  # in the response; 0 when the client could not read them


class ScrollError(Exception):
    """The request for a page is refused."""


class ScrollExistsError(ScrollError):
    """A scroll is open already: 400 `scroll_exists`."""


class ScrollNotFoundError(ScrollError):
    """The scroll parameter is unknown, used up or expired: 404 `not_found`."""


@dataclass(slots=True)
class _Scroll:
    param: str
    position: int  # of the next page
    previous: int  # position of the page served last
    used: float  # when it was used last, by the workspace's clock; infinite while it is in use
    over: bool = False


class Workspace(Population):
    """The leads of one workspace, and the one scroll it can have.

    Its arguments are those of the sandbox, except for `number`, which decides only the `app_id`.
    Intercom's pages have 100 leads, and a scroll expires when it "isn't used for 1 minute". In
    practice a scroll keeps its parameter (intercom-ruby issue 452); in the documents it changes.
    """

    def __init__(  # noqa: PLR0913 - Sandbox fills them in
        self,
        leads: int,
        *,
        seed: int = 1,
        number: int = 0,
        page_size: int = 100,
        idle_limit: float = 60.0,
        scroll_param: Literal["constant", "changing"] = "constant",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(leads, seed=seed, workspace=app_id(seed, number))
        self.page_size = page_size
        self.idle_limit = idle_limit
        self.scrolls_opened = 0
        self.longest_idle = 0.0
        self.clock = clock
        self._changing = scroll_param == "changing"
        self._scroll: _Scroll | None = None
        self._foreign_until: float | None = None  # end of another client's scroll
        self._requests: Counter[str] = Counter()  # by path
        self._opening = 1  # ordinal of the latest request that opens a scroll
        self._history: deque[ScrollRequest] = deque(maxlen=_HISTORY)

    def scroll(
        self,
        scroll_param: str | None,
        deviation: Deviation = _NO_DEVIATION,
        *,
        deliver: bool = True,
    ) -> Page:
        """Open a scroll (no parameter), or serve its next page.

        The server holds the position: the same parameter gives successive pages, so a client
        cannot ask again for a page whose response is lost ("not possible to continue from a
        specific point").

        Args:
            scroll_param: What the request sent.
            deviation: From the rules.
            deliver: False if the page will not reach the client: the scroll moves on, but its
                parameter stays the same.

        Returns:
            The page. Unless it is lost, the scroll is in use until `touch`: preparing a page can
            take longer than the idle limit (intercom-java issue 260).

        Raises:
            ScrollExistsError: "Each workspace can only have 1 scroll open at a time".
            ScrollNotFoundError: The scroll has expired, is over, or never existed.
        """
        with self._lock:
            if deviation.twice:
                first = self.scroll(scroll_param, deviation._replace(twice=False))
                self.touch(first.scroll_param)
            now = self.clock()
            scroll = self._open(now) if scroll_param is None else self._find(scroll_param, now)
            start = scroll.previous if deviation.repeat else scroll.position
            limit = self.page_size if deviation.limit is None else deviation.limit
            indexes = self.indexes(start, 0 if deviation.end else min(limit, self.page_size))
            # "If the end of the scroll is reached, contacts will be empty and the scroll parameter
            # will expire": the empty page ends the scroll.
            scroll.over = not indexes and deviation.limit != 0
            if scroll.over and deviation.no_end:
                raise ScrollNotFoundError
            scroll.previous = start
            scroll.position = start + len(indexes)
            scroll.used = math.inf if deliver else now
            # The empty page has a parameter too, but a useless one (fixture of hull-connectors).
            if deliver and scroll_param is not None and (self._changing or scroll.over):
                scroll.param = str(uuid.uuid4())
            return Page(indexes, scroll.param)

    def _open(self, now: float) -> _Scroll:
        if self._foreign(now) or (self._scroll and self._is_alive(self._scroll, now)):
            # Whether a refused opening prolongs the open scroll is unknown; here it does not.
            raise ScrollExistsError
        self.scrolls_opened += 1
        self._scroll = _Scroll(str(uuid.uuid4()), position=0, previous=0, used=now)
        return self._scroll

    def _find(self, scroll_param: str, now: float) -> _Scroll:
        scroll = self._scroll
        if scroll is None or scroll.over or scroll.param != scroll_param:
            raise ScrollNotFoundError
        self.longest_idle = max(self.longest_idle, now - scroll.used)
        if self._foreign(now) or not self._is_alive(scroll, now):
            scroll.over = True
            raise ScrollNotFoundError
        return scroll

    def _is_alive(self, scroll: _Scroll, now: float) -> bool:
        return not scroll.over and now - scroll.used < self.idle_limit

    def _foreign(self, now: float) -> bool:
        return self._foreign_until is not None and now < self._foreign_until

    def _change(self, removed: Collection[int], added: Sequence[int] = ()) -> None:
        """Change the list; the scroll continues with the same lead as before."""
        super()._change(removed, added)
        scroll = self._scroll
        if scroll:
            scroll.position -= sum(at < scroll.position for at in removed)
            scroll.previous -= sum(at < scroll.previous for at in removed)

    def steal(self, pages: int) -> None:
        """Let another client, which has the same token, take pages of the open scroll."""
        with self._lock:
            if self._scroll:
                end = self._scroll.position + pages * self.page_size
                self._scroll.position = min(end, self.count())

    def touch(self, scroll_param: str) -> None:
        """Start the idle time of a scroll: its page is ready to be sent."""
        with self._lock:
            if self._scroll and self._scroll.param == scroll_param:
                self._scroll.used = self.clock()

    def expire(self) -> None:
        """Let the open scroll expire now."""
        with self._lock:
            if self._scroll:
                self._scroll.over = True

    def occupy(self, seconds: float) -> None:
        """Let another client have a scroll open for some time, counted from the first call."""
        with self._lock:
            if self._foreign_until is None:
                self._foreign_until = self.clock() + seconds

    def release(self) -> None:
        """End every open scroll now, also that of the other client."""
        with self._lock:
            self._scroll = None
            self._foreign_until = -math.inf

    def arrive(self, path: str, *, opens: bool) -> tuple[int, int]:
        """Count a request.

        Args:
            path: Where it is counted.
            opens: Whether it opens a scroll.

        Returns:
            Its ordinal number, from 1, among all requests to the path, and the same counted from
            the latest request that opens a scroll.
        """
        with self._lock:
            self._requests[path] += 1
            ordinal = self._requests[path]
            if opens:
                self._opening = ordinal
            return ordinal, ordinal - self._opening + 1

    def remember(self, request: ScrollRequest) -> None:
        """Put a request into the history."""
        with self._lock:
            self._history.append(request)

    @property
    def history(self) -> list[ScrollRequest]:
        """The latest 100,000 requests to the scroll, oldest first."""
        with self._lock:
            return sorted(self._history)  # by arrival, not by response
