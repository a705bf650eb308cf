"""Servers between the tap and the sandbox: proxies, and any other that a test describes."""

from __future__ import annotations

import socket
import ssl
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import trustme

from tap_leads.sandbox import Sandbox


@contextmanager
def listening(converse: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that calls a function with each connection; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    threading.Thread(target=serve, args=(connection,), daemon=True).start()

        def serve(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                converse(connection)

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def tls_context(authority: trustme.CA) -> ssl.SSLContext:
    """The context of a server for https."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@contextmanager
def relay(sandbox: Sandbox, authority: trustme.CA | None = None) -> Iterator[tuple[str, list[str]]]:
    """A server that sends what the sandbox sends; its address, and what it was asked for.

    With an authority, which signs its certificate, it speaks https. A proxy is asked for whole
    addresses.
    """
    asked: list[str] = []

    class Relay(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            address = self.path if self.path.startswith("http") else sandbox.url + self.path
            request = urllib.request.Request(address, headers=dict(self.headers))  # noqa: S310
            with urllib.request.urlopen(request) as response:  # noqa: S310
                body = response.read()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Logs nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Relay) as server:
        if authority:
            server.socket = tls_context(authority).wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        scheme = "https" if authority else "http"
        yield f"{scheme}://127.0.0.1:{server.server_port}", asked
        server.shutdown()
