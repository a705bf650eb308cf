"""What lies between the tap and Intercom: proxies, certificates, password files."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import trustme
from support.cases import cases
from support.relay import listening, relay, tls_context
from support.runs import the_error
from support.tap import Workbench, ids_of, run_tap

from tap_leads.sandbox import Sandbox


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority that no program trusts by default."""
    return trustme.CA()


@cases(("", 6), ("127.0.0.1", 0))
def test_a_proxy_is_used_except_for_addresses_in_no_proxy(
    no_proxy: str, requests: int, workbench: Workbench
) -> None:
    with Sandbox(leads=250) as sandbox, relay(sandbox) as (proxy, asked):
        run = workbench.sync(sandbox, environment={"HTTP_PROXY": proxy, "NO_PROXY": no_proxy})
    assert (run.code, run.ids) == (0, ids_of(sandbox)), run.log
    assert len(asked) == requests
    assert all(address.startswith(sandbox.url) for address in asked)


def tls_proxy(authority: trustme.CA) -> Callable[[socket.socket], None]:
    """A proxy that speaks TLS itself, and opens tunnels."""
    context = tls_context(authority)

    def converse(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as client:
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(65536)
            host, _, port = head.split()[1].decode().partition(":")
            with socket.create_connection((host, int(port))) as upstream:
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                threading.Thread(target=copy, args=(upstream, client), daemon=True).start()
                copy(client, upstream)

    return converse


def copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)


def test_a_proxy_that_speaks_tls_is_used_with_the_certificates_in_requests_ca_bundle(
    workbench: Workbench, authority: trustme.CA
) -> None:
    """The connection is then no socket, but TLS inside TLS."""
    bundle = workbench.folder / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    with (
        Sandbox(leads=250) as sandbox,
        relay(sandbox, authority) as (url, _),
        listening(tls_proxy(authority)) as port,
    ):
        proxy = {"HTTPS_PROXY": f"https://127.0.0.1:{port}", "REQUESTS_CA_BUNDLE": str(bundle)}
        run = workbench.sync(sandbox, api_url=url, environment={"NO_PROXY": "", **proxy})
    assert (run.code, run.ids) == (0, ids_of(sandbox)), run.log
    assert "Traceback" not in run.log


def test_a_password_file_does_not_replace_the_access_token(workbench: Workbench) -> None:
    """The HTTP library would use the entry of `.netrc` for the host."""
    Path(workbench.folder, ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    with Sandbox(leads=5) as sandbox:
        run = workbench.sync(sandbox, environment={"HOME": str(workbench.folder)})
    assert run.code == 0, run.log


# What fails at once


def error_of(workbench: Workbench, url: str = "https://api.intercom.io", **variables: str) -> str:
    """The error of a sync that must fail without a second attempt."""
    config = {"access_token": "hush-token", "api_url": url, "scroll_wait_timeout": 600}
    run = run_tap("--config", workbench.file("config.json", config), **{"NO_PROXY": ""} | variables)
    assert not run.lines("WARNING")
    return the_error(run)


@cases(
    malformed=("http://[::1", "", "address of the request cannot be used"),
    unknown_kind=("gopher://hush:1", "", "address of the proxy cannot be used"),
    socks=("socks5://a:1", "", "pip install 'requests[socks]'"),
    user=("http://Юля:hush@a:1", "", "user name or password has characters"),
    refused=("http://127.0.0.1:{}", "407 Password", "wants a user name and a password"),
    no_tls=("https://127.0.0.1:{}", "400 Bad Request", "The proxy does not speak TLS"),
)
def test_a_proxy_that_cannot_be_used_is_named_at_once(
    proxy: str, status: str, words: str, workbench: Workbench
) -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())

    with listening(refuse) as port:
        error = error_of(workbench, HTTPS_PROXY=proxy.format(port))
    assert words in error
    assert "HTTPS_PROXY" in error


def test_an_api_without_tls_or_with_an_unknown_certificate_is_named_at_once(
    workbench: Workbench, authority: trustme.CA
) -> None:
    with Sandbox(leads=5) as sandbox, relay(sandbox, authority) as (url, asked):
        without_tls = error_of(workbench, sandbox.url.replace("http:", "https:"))
        assert "127.0.0.1 does not speak TLS" in without_tls
        assert "REQUESTS_CA_BUNDLE" in error_of(workbench, url)
    assert not asked


@cases(
    ("REQUESTS_CA_BUNDLE", "missing"),
    ("REQUESTS_CA_BUNDLE", "no_certificate"),
    ("CURL_CA_BUNDLE", "missing"),
    ("SSLKEYLOGFILE", "folder"),
)
def test_a_local_file_that_cannot_be_used_is_named_at_once(
    variable: str, path: str, workbench: Workbench, authority: trustme.CA
) -> None:
    (workbench.folder / "no_certificate").write_text("text")
    (workbench.folder / "folder").mkdir()
    given = {"REQUESTS_CA_BUNDLE": "", variable: str(workbench.folder / path)}
    with Sandbox(leads=5) as sandbox, relay(sandbox, authority) as (url, _):
        error = error_of(workbench, url, **given)
    assert variable in error
    assert "cannot be used" in error


def test_a_handshake_that_takes_too_long_is_given_up(workbench: Workbench) -> None:
    attempts = []

    def drip(connection: socket.socket) -> None:
        attempts.append(connection.recv(65536))
        connection.sendall(b"\x16\x03\x03\x40\x00")  # a record of TLS begins, with 16 KB
        for _ in range(600):
            connection.sendall(b"\x02")
            time.sleep(0.2)

    limits = {"request_timeout": 1, "scroll_wait_timeout": 1}
    with listening(drip) as port:
        config = {"access_token": "hush", "api_url": f"https://127.0.0.1:{port}"} | limits
        run = run_tap("--config", workbench.file("config.json", config))
    assert "127.0.0.1: no connection within the time limit" in the_error(run)
    assert len(attempts) == 2  # one of them for the count
