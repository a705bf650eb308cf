"""Servers between the tap and the sandbox: tunnels, and any other that a test describes."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

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


@contextmanager
def tunnel(authority: trustme.CA, sandbox: Sandbox | None = None) -> Iterator[str]:
    """A server that speaks TLS, and sends what the sandbox sends; its address.

    Without a sandbox it is a proxy, which opens tunnels. The authority signs its certificate.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def converse(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as client:
            address = sandbox.url.removeprefix("http://") if sandbox else asked_for(client)
            host, _, port = address.partition(":")
            with socket.create_connection((host, int(port))) as upstream:
                if not sandbox:
                    client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                threading.Thread(target=copy, args=(upstream, client), daemon=True).start()
                copy(client, upstream)

    def asked_for(client: socket.socket) -> str:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(65536)
        return head.split()[1].decode()

    def copy(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)

    with listening(converse) as port:
        yield f"https://127.0.0.1:{port}"
