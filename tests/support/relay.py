"""A server between the tap and the sandbox: a proxy, or one that speaks https."""

from __future__ import annotations

import json
import ssl
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import trustme

from tap_leads.sandbox import Sandbox


class Relay(BaseHTTPRequestHandler):
    """Answers with what the sandbox answers; as a proxy it is asked by whole addresses."""

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
            with urllib.request.urlopen(request) as answer:  # noqa: S310
                body = answer.read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def relay(
    sandbox: Sandbox, authority: trustme.CA | None = None, counts: object = None
) -> Iterator[tuple[str, list[str]]]:
    """A relay before the sandbox; its address, and what it was asked for.

    Args:
        sandbox: Who answers.
        authority: Signs the certificate for https; without one, it is http.
        counts: The answer to `/counts`, if not the sandbox's.
    """
    asked: list[str] = []
    handler = type(
        "OneRelay", (Relay,), {"upstream": sandbox.url, "asked": asked, "counts": counts}
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        scheme = "http"
        if authority:
            scheme, context = "https", ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            authority.issue_cert("127.0.0.1").configure_cert(context)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"{scheme}://127.0.0.1:{server.server_port}", asked
        server.shutdown()
