"""An HTTP server for the API. It listens on the loopback interface only."""

import socket
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from email.message import Message
from http.client import responses
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any, TypeAlias, cast

from tap_leads.sandbox.http_response import Response

HOST = "127.0.0.1"
_LAST_WAIT = 0.2  # seconds that `stop` waits for the threads of connections

# Takes the path with its query and the headers of a GET request.
Responder: TypeAlias = Callable[[str, Message], Response]


class Handler(BaseHTTPRequestHandler):
    """Reads the requests of one connection and sends the responses."""

    protocol_version = "HTTP/1.1"  # keeps connections alive
    disable_nagle_algorithm = True  # sends small responses without delay

    def do_GET(self) -> None:
        """Respond to one request."""
        server = cast("Server", self.server)
        response = server.responder(self.path, self.headers)
        server.wait(response.delay)
        # Called before the response is sent: as soon as a test has it, the test moves its clock.
        if response.ready:
            response.ready()
        if response.then != "keep":
            self.close_connection = True
        if response.then == "reset":  # without lingering, closing sends RST
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        for piece in response.pieces(self._head(response), response.body):
            self.wfile.write(piece)
            server.wait(response.pause)

    def _head(self, response: Response) -> bytes:
        headers = {
            "Date": self.date_time_string(),
            "Content-Type": response.content_type,
            "Content-Length": str(len(response.body)),
            **response.headers,
        }
        lines = [f"HTTP/1.1 {response.status} {responses.get(response.status, 'Unknown Status')}"]
        lines += [f"{name}: {value}" for name, value in headers.items() if value is not None]
        return "\r\n".join((*lines, "", "")).encode("latin-1")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as inherited
        """Write no log. The history of a workspace tells more."""


class Server(ThreadingTCPServer):
    """Accepts connections, and closes the open ones when it stops."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, responder: Responder, port: int) -> None:
        self.responder = responder
        self.accepted = 0
        self._stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__((HOST, port), Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection and count it."""
        connection, address = super().get_request()
        with self._changed:
            self.accepted += 1
            self._open.add(connection)
        return connection, address

    def wait(self, seconds: float) -> None:
        """Wait, and end the connection if the server stops in the meantime."""
        if self._stopping.wait(seconds):
            raise ConnectionAbortedError

    def shutdown_request(self, request: Any) -> None:
        """Close a connection without a FIN, which would precede the RST of a `reset`."""
        with self._changed:
            self._open.discard(request)
            self.close_request(request)
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report errors of the sandbox itself, but not that a client hung up."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # pragma: no cover - a bug of its own

    def stop(self) -> None:
        """Stop accepting, end every wait, and close every connection."""
        self._stopping.set()
        self.shutdown()
        self.server_close()
        with self._changed:
            for connection in self._open:
                with suppress(OSError):  # the client has closed it already
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, timeout=_LAST_WAIT)
