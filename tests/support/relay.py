"""Servers between the tap and the sandbox: proxies, and any other that a test describes."""

from __future__ import annotations

import json
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


class Relay(BaseHTTPRequestHandler):
    """Sends what the sandbox sends. A proxy is asked for whole addresses."""

    upstream: str
    asked: list[str]
    counts: object

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.counts and self.path == "/counts":
            body = json.dumps(self.counts).encode()
        else:
            address = self.path if self.path.startswith("http") else self.upstream + self.path
            request = urllib.request.Request(address, headers=dict(self.headers))  # noqa: S310
            with urllib.request.urlopen(request) as response:  # noqa: S310
                body = response.read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Logs nothing."""


@contextmanager
def relay(
    sandbox: Sandbox, authority: trustme.CA | None = None, counts: object = None
) -> Iterator[tuple[str, list[str]]]:
    """A relay before the sandbox; its address, and what it was asked for.

    Args:
        sandbox: Sends the responses.
        authority: Signs the certificate for https; without one, the relay speaks http.
        counts: The response to `/counts`, if not the sandbox's.
    """
    asked: list[str] = []
    handler = type(
        "OneRelay", (Relay,), {"upstream": sandbox.url, "asked": asked, "counts": counts}
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        scheme = "http"
        if authority:
            scheme = "https"
            server.socket = tls_context(authority).wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"{scheme}://127.0.0.1:{server.server_port}", asked
        server.shutdown()
