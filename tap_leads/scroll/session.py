"""An HTTP session that lets no request take too long, or bring too much, and knows what was sent.

`requests` limits the silence between two reads and each attempt to connect; a response that drips,
in its headers or its body, has no limit there. Neither has the size of an unpacked body.
"""

from __future__ import annotations

import io
import math
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

import requests
from requests.adapters import HTTPAdapter
from typing_extensions import override
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

CONNECT_TIMEOUT = 10.0
"""Seconds to connect to one address of a host."""

MAX_BODY = 64 * 1024 * 1024
"""Bytes that a body may have, unpacked; a page has some hundred thousand."""

_TICK = 0.25
_JOIN = 1.0
# Seconds that closing waits for a thread, which ends within a tick.


class BodyTooLargeError(requests.RequestException):
    """A body has more than `MAX_BODY` bytes."""


class Session(requests.Session):
    """Sends one request at a time.

    Attributes:
        sent: Whether any part of the last request may have been sent.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sent = False
        self._socket: socket.socket | None = None
        self._left: list[int] = []  # ticks that the request under way has left
        self._closing = threading.Event()
        self._watch: threading.Thread | None = None
        adapter = _Adapter(self)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    @override
    def send(  # type: ignore[override]
        self,
        request: requests.PreparedRequest,
        *,
        timeout: float,
        total: float | None = None,
        **options: Any,
    ) -> requests.Response:
        """Sends a request and reads its response.

        Args:
            request: The request.
            timeout: Seconds of silence after which it is given up.
            total: Seconds that it may take in all; by default, twice as many.
            options: Those of `requests.Session.send`.

        Raises:
            requests.ReadTimeout: It took too long.
            BodyTooLargeError: Its body has more than `MAX_BODY` bytes.
            Exception: Whatever the HTTP libraries raise.
        """
        self.sent = False
        limits = (min(CONNECT_TIMEOUT, timeout), timeout)
        with self._limit(total or 2 * timeout):
            response = super().send(request, timeout=limits, stream=True, **options)
            body = response.raw.read(MAX_BODY + 1, decode_content=True)
        if len(body) > MAX_BODY:
            response.close()
            raise BodyTooLargeError
        response.raw = io.BytesIO(body)
        return response

    def use_new_connections(self) -> None:
        """Forgets the open connections: after minutes without use, they may lead nowhere."""
        super().close()

    def abort(self) -> None:
        """For another thread: ends the request under way with an error."""
        if self._socket is not None:
            with suppress(OSError):  # it may be closed already
                # By its base class: that of TLS would do more than unblock a reader.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    @override
    def close(self) -> None:
        """Closes all connections and ends the session's own thread."""
        self._closing.set()
        if self._watch is not None:
            self._watch.join(_JOIN)
            self._watch = None
        super().close()

    @contextmanager
    def _limit(self, seconds: float) -> Iterator[None]:
        """Ends what happens inside after so many seconds of this process being awake.

        Ticks are counted, as a clock goes on while the process is suspended.
        """
        self._left = left = [math.ceil(seconds / _TICK)]
        if self._watch is None:
            self._closing.clear()
            self._watch = threading.Thread(target=self._count_down, name="time-limit", daemon=True)
            self._watch.start()
        try:
            yield
        finally:
            self._left = []
            if left == [0]:
                # What was read so far could look complete, and an error would name no cause.
                raise requests.ReadTimeout from None

    def _count_down(self) -> None:
        while not self._closing.wait(_TICK):
            left = self._left
            if left and left[0]:
                left[0] -= 1
                if not left[0]:
                    self.abort()


class _Adapter(HTTPAdapter):
    """Has each connection tell its session what it does."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    @override
    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool = cast("HTTPConnectionPool", super().get_connection_with_tls_context(*args, **kwargs))
        if not issubclass(pool.ConnectionCls, _Connection):
            # Whatever kind it is: http, https, through any kind of proxy.
            bases = (_Connection, pool.ConnectionCls)
            pool.ConnectionCls = type("_Connection", bases, {"session": self._session})
        return pool


class _Connection(HTTPConnection):
    """A connection that notes whether a request was sent, for whichever kind it is mixed into."""

    session: Session
    _ready = False

    @override
    def connect(self) -> None:
        self._ready = False  # what is sent to a proxy, so that it connects, is not the request
        super().connect()
        self._ready = True

    @override
    def send(self, data: Any) -> None:
        if self.sock is None and self.auto_open:
            self.connect()
        self.session._socket = self.sock  # noqa: SLF001 - two halves of one thing
        self.session.sent = self.session.sent or self._ready
        super().send(data)
