"""An HTTP session with limits that `requests` does not have.

`requests` limits each attempt to connect and the silence between two reads. It limits neither the
total time of a slow response nor the size of an unpacked body.
"""

from __future__ import annotations

import http.client
import io
import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from typing_extensions import Buffer, override
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

CONNECT_TIMEOUT = 10.0
"""Seconds to connect to one address of a host, and to set up TLS there."""

MAX_BODY = 64 * 1024 * 1024
"""Bytes that an unpacked body may have; a usual page has some hundred thousand."""

_CHUNK = 256 * 1024


class BodyTooLargeError(requests.RequestException):
    """A body has more than `MAX_BODY` bytes."""


class Response(NamedTuple):
    """A response, its body unpacked.

    Attributes:
        status: The HTTP status.
        headers: The headers; their names are compared without case.
        body: The body; empty for a redirect, which is not read.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class Session(requests.Session):
    """Sends one request at a time.

    Attributes:
        sent: Whether any part of the last request may have been sent.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sent = False
        self._socket: socket.socket | None = None
        self._silence = 0.0  # seconds that one read may wait
        self._left = 0.0  # seconds that all reads of the request may still wait
        adapter = _Adapter(self)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def fetch(
        self, url: str, params: dict[str, Any], timeout: float, total: float | None = None
    ) -> Response:
        """Sends a GET request and reads its response. Redirects are not followed.

        Args:
            url: The address.
            params: The query.
            timeout: Seconds that the server may stay silent.
            total: Seconds that the whole response may take; by default twice `timeout`.

        Raises:
            TimeoutError: The response took too long.
            BodyTooLargeError: The body has more than `MAX_BODY` bytes.
            OSError, urllib3.exceptions.HTTPError, http.client.HTTPException, ValueError: The
                request failed.
        """
        self.sent = False
        self.limit(timeout, total or 2 * timeout)
        response = self.get(
            url,
            params=params,
            timeout=(min(CONNECT_TIMEOUT, timeout), timeout),
            stream=True,
            allow_redirects=False,
        )
        chunks: list[bytes] = []
        left = MAX_BODY
        if response.is_redirect:
            response.close()
            return Response(response.status_code, response.headers, b"")
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            chunks.append(chunk)
            left -= len(chunk)
            if left < 0:
                response.close()
                raise BodyTooLargeError
        return Response(response.status_code, response.headers, b"".join(chunks))

    @override
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Returns None: otherwise `requests` would read the body of a redirect without a limit.

        Raises:
            ValueError: The address of the redirect is malformed.
        """
        urlsplit(super().get_redirect_target(resp) or "")

    def use_new_connections(self) -> None:
        """Closes the open connections: gateways drop idle ones without telling the client."""
        self.close()

    def abort(self) -> None:
        """Ends the current request with an error; for another thread."""
        with suppress(OSError, AttributeError):  # there is none, or it is closed
            # The file descriptor reaches the TCP socket under TLS, and under a proxy's TLS too.
            number = os.dup(cast("socket.socket", self._socket).fileno())
            with socket.socket(fileno=number) as same:
                same.shutdown(socket.SHUT_RDWR)

    def limit(self, silence: float, total: float) -> None:
        """Sets the limits of the next reads.

        Args:
            silence: Seconds that one read may wait.
            total: Seconds that all reads together may wait.
        """
        self._silence, self._left = silence, total

    def read_into(self, raw: io.RawIOBase, buffer: Buffer) -> int | None:
        """Reads within the limits of the request; for the connection.

        Raises:
            TimeoutError: No data arrived in time.
        """
        if self._left <= 0:
            raise TimeoutError
        cast("socket.socket", self._socket).settimeout(min(self._silence, self._left))
        started = time.monotonic()
        try:
            return raw.readinto(buffer)
        finally:
            # Not more than `_silence`: the process may have been suspended while it waited.
            self._left -= min(self._silence, time.monotonic() - started)

    def connected(self, connection_socket: socket.socket) -> None:
        """Notes which socket is in use; for the connection."""
        self._socket = connection_socket


class _Adapter(HTTPAdapter):
    """An adapter that gives each connection the session."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    @override
    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool = cast("HTTPConnectionPool", super().get_connection_with_tls_context(*args, **kwargs))
        if not issubclass(pool.ConnectionCls, _Connection):
            # Each kind of connection needs a class of its own: http, https, and each kind of proxy.
            bases = (_Connection, pool.ConnectionCls)
            pool.ConnectionCls = type("_Connection", bases, {"session": self._session})
        return pool


class _Connection(HTTPConnection):
    """A connection whose responses have the limits of its session."""

    session: Session
    _ready = False

    @override
    def connect(self) -> None:
        self._ready = False  # the request that opens a tunnel through a proxy does not count
        super().connect()
        self._ready = True

    @override
    def send(self, data: Any) -> None:
        if self.sock is None and self.auto_open:
            self.connect()
        self.session.connected(self.sock)
        self.session.sent = self.session.sent or self._ready
        super().send(data)

    def response_class(  # type: ignore[override]
        self, sock: Any, *args: Any, **kwargs: Any
    ) -> http.client.HTTPResponse:
        """Makes the response; `http.client` calls this for proxies' responses too."""
        self.session.connected(sock)
        response = http.client.HTTPResponse(sock, *args, **kwargs)
        response.fp = io.BufferedReader(_Limited(response.fp.detach(), self.session))
        return response


class _Limited(io.RawIOBase):
    """The bytes of a response, read within the limits of a session."""

    def __init__(self, raw: io.RawIOBase, session: Session) -> None:
        super().__init__()
        self._raw = raw
        self._session = session

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Buffer, /) -> int | None:
        return self._session.read_into(self._raw, buffer)

    @override
    def close(self) -> None:
        self._raw.close()
        super().close()
