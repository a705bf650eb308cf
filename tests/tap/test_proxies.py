"""What lies between the tap and Intercom: proxies that speak TLS, slow handshakes, local files."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import trustme
from support.relay import relay
from support.tap import Run, Workbench, ids_of, run_tap

from tap_leads.sandbox import Sandbox


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority that no program trusts by itself."""
    return trustme.CA()


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> str:
    """The file with its certificate."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@contextmanager
def listening(converse: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that does something with each connection; its port."""
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


def tls_proxy(authority: trustme.CA) -> Callable[[socket.socket], None]:
    """A proxy that speaks TLS itself, and opens tunnels."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def converse(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as client:
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(65536)
            host, _, port = head.split()[1].decode().partition(":")
            with socket.create_connection((host, int(port))) as upstream:
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

                def back() -> None:
                    with suppress(OSError):
                        while data := upstream.recv(65536):
                            client.sendall(data)

                threading.Thread(target=back, daemon=True).start()
                while data := client.recv(65536):
                    upstream.sendall(data)

    return converse


def test_a_proxy_that_speaks_tls_is_honoured(
    workbench: Workbench, authority: trustme.CA, bundle: str
) -> None:
    """Then the connection is no socket, but TLS inside of TLS."""
    with (
        Sandbox(leads=250) as sandbox,
        relay(sandbox, authority) as (url, _),
        listening(tls_proxy(authority)) as port,
    ):
        proxy = {"HTTPS_PROXY": f"https://127.0.0.1:{port}", "REQUESTS_CA_BUNDLE": bundle}
        run = workbench.sync(sandbox, api_url=url, environment={"NO_PROXY": "", **proxy})
        assert run.code == 0, run.log
        assert run.ids == ids_of(sandbox)
    assert "Traceback" not in run.log


def fails(workbench: Workbench, url: str = "https://127.0.0.1:9", **variables: str) -> Run:
    """Runs a sync that must fail without a second attempt; its only ERROR line."""
    config = {"access_token": "t", "api_url": url, "scroll_wait_timeout": 30}
    started = time.monotonic()
    run = run_tap("--config", workbench.file("config.json", config), NO_PROXY="", **variables)
    assert run.code == 1
    assert "Trying again" not in run.log
    assert "Traceback" not in run.log
    assert time.monotonic() - started < 15
    return run


def test_a_proxy_that_does_not_speak_tls_is_named_at_once(workbench: Workbench) -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with listening(refuse) as port:
        run = fails(workbench, HTTPS_PROXY=f"https://127.0.0.1:{port}")
    assert "The proxy does not speak TLS" in run.lines("ERROR")[0]


def test_an_api_that_does_not_speak_tls_is_named_at_once(workbench: Workbench) -> None:
    with Sandbox(leads=5) as sandbox:
        run = fails(workbench, sandbox.url.replace("http:", "https:"))
    assert "127.0.0.1 does not speak TLS" in run.lines("ERROR")[0]


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSLKEYLOGFILE"])
@pytest.mark.parametrize("kind", ["missing", "folder-missing", "folder", "garbage"])
def test_a_local_file_that_cannot_be_used_is_named_at_once(
    workbench: Workbench, authority: trustme.CA, variable: str, kind: str
) -> None:
    garbage = workbench.folder / "garbage"
    garbage.write_text("no certificate")
    path = {
        "missing": workbench.folder / "missing" / "x",
        "folder-missing": workbench.folder / "no" / "folder" / "x",
        "folder": workbench.folder,
        "garbage": garbage,
    }[kind]
    if variable == "SSLKEYLOGFILE" and kind == "garbage":
        path = Path("/proc/version")
    with Sandbox(leads=5) as sandbox, relay(sandbox, authority) as (url, _):
        run = fails(workbench, url, **{"REQUESTS_CA_BUNDLE": "", variable: str(path)})
    (error,) = run.lines("ERROR")
    is_trusted = variable != "SSLKEYLOGFILE" and kind == "folder"  # an empty folder trusts no one
    assert variable in error or (is_trusted and "certificate could not be verified" in error)
    assert "network" not in error


def test_a_handshake_that_takes_too_long_is_given_up(
    workbench: Workbench, authority: trustme.CA
) -> None:
    """And the limit of the next request holds as well: its response drips for ever."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    seen: list[float] = []

    def converse(connection: socket.socket) -> None:
        seen.append(time.monotonic())
        connection.recv(65536)
        for _ in range(600):
            connection.sendall(b"\x16")
            time.sleep(0.2)

    with listening(converse) as port:
        config = {"access_token": "t", "api_url": f"https://127.0.0.1:{port}"}
        limits = {"request_timeout": 1, "scroll_wait_timeout": 3}
        run = run_tap("--config", workbench.file("config.json", config | limits))
    assert run.code == 1
    assert len(seen) > 1
    assert "Traceback" not in run.log


def test_a_redirect_with_a_large_body_is_not_read(workbench: Workbench) -> None:
    with Sandbox(leads=5, faults=["302@1:300"]) as sandbox:
        started = time.monotonic()
        run = workbench.sync(sandbox)
    assert run.code == 1
    assert "is a redirect, which is not followed" in run.lines("ERROR")[0]
    assert time.monotonic() - started < 20
