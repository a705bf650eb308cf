"""HTTP around the API: real sockets, on the loopback interface and nowhere else."""

import socket
import struct
import sys
import threading
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, cast

from tap_leads.sandbox.answers import Answer
from tap_leads.sandbox.api import Api

HOST = "127.0.0.1"
_FAREWELL = 0.2  # seconds that the end waits for the threads of connections


class Handler(BaseHTTPRequestHandler):
    """Reads the requests of one connection, and sends as much of each answer as it should."""

    protocol_version = "HTTP/1.1"  # connections are kept alive

    def do_GET(self) -> None:
        """Answer one request."""
        server = cast("Server", self.server)
        answer = server.api.get(self.path, self.headers)
        if answer.delay and server.stopping.wait(answer.delay):
            self.close_connection = True
            return
        # Before the answer is sent: a test whose clock moves on at once must find it done.
        if answer.ready:
            answer.ready()
        if answer.ending in {"none", "reset"}:
            self.close_connection = True
            if answer.ending == "reset":  # closing without lingering sends RST
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            return
        body = answer.body
        if answer.ending == "half":
            self.close_connection = True
            body = body[: len(body) // 2]
        self.wfile.write(self._head(answer) + body)  # one write, so mostly one segment

    def _head(self, answer: Answer) -> bytes:
        headers = {
            "Date": self.date_time_string(),
            "Content-Type": answer.content_type,
            "Content-Length": str(len(answer.body)),
            **answer.headers,
        }
        lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items() if value is not None]
        return "\r\n".join((*lines, "", "")).encode("latin-1")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as inherited
        """Stay quiet: the history of a workspace tells more."""


class Server(ThreadingHTTPServer):
    """Accepts connections and knows the open ones, so that it can close them in the end."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, api: Api, port: int) -> None:
        self.api = api
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
        """Accept a connection, count it, and send small answers without delay."""
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
        """Report an error of the sandbox itself; clients may hang up as they like."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """Stop accepting, release whoever sleeps, and close every connection."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        with self._changed:
            for connection in self._open:
                with suppress(OSError):  # the client was faster
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, timeout=_FAREWELL)
