"""HTTP around the API: real sockets, on the loopback interface only."""

import socket
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, TypeAlias, cast

from tap_leads.sandbox.http_response import Response, phrase

HOST = "127.0.0.1"
_LAST_WAIT = 0.2  # seconds that `stop` waits for the threads of connections

# Responds to one GET: a path with its query, and the headers of the request.
Responder: TypeAlias = Callable[[str, Message], Response]


class Handler(BaseHTTPRequestHandler):
    """Reads the requests of one connection, and sends as much of each response as it should."""

    protocol_version = "HTTP/1.1"  # connections are kept alive

    def do_GET(self) -> None:
        """Respond to one request."""
        server = cast("Server", self.server)
        response = server.responder(self.path, self.headers)
        if response.delay and server.stopping.wait(response.delay):
            self.close_connection = True
            return
        # Before the response is sent: a test whose clock moves on at once must find it done.
        if response.ready:
            response.ready()
        if response.then != "keep":
            self.close_connection = True
        if response.then == "reset":  # closing without lingering sends RST
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        for piece in response.pieces(self._head(response), response.body):
            self.wfile.write(piece)
            if response.pause and server.stopping.wait(response.pause):
                self.close_connection = True
                return

    def _head(self, response: Response) -> bytes:
        headers = {
            "Date": self.date_time_string(),
            "Content-Type": response.content_type,
            "Content-Length": str(len(response.body)),
            **response.headers,
        }
        lines = [f"HTTP/1.1 {response.status} {phrase(response.status)}"]
        lines += [f"{name}: {value}" for name, value in headers.items() if value is not None]
        return "\r\n".join((*lines, "", "")).encode("latin-1")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as inherited
        """Stay quiet: the history of a workspace tells more."""


class Server(ThreadingHTTPServer):
    """Accepts connections and knows the open ones, so that it can close them in the end."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, responder: Responder, port: int) -> None:
        self.responder = responder
        self.accepted = 0
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__((HOST, port), Handler)

    def server_bind(self) -> None:
        """Bind, without asking the name service who 127.0.0.1 is, as HTTPServer would."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.socket.getsockname()[1]

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection, count it, and send small responses without delay."""
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._changed:
            self.accepted += 1
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Close a connection, without the FIN that would come before the RST of a `reset`."""
        with self._changed:
            self._open.discard(request)
            self.close_request(request)
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report errors of the sandbox itself. A client that hangs up is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # pragma: no cover - a bug of its own

    def stop(self) -> None:
        """Stop accepting, end every wait, and close every connection."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        with self._changed:
            for connection in self._open:
                with suppress(OSError):  # the client was faster
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, timeout=_LAST_WAIT)
