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
from support.tap import Run, Workbench, ids_of, run_tap

from tap_leads import pages
from tap_leads.sandbox import Sandbox


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority that no program trusts by default."""
    return trustme.CA()


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> str:
    """The file with its certificate."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


# What is used


@cases(("", 6), ("127.0.0.1", 0))
def test_a_proxy_is_used_except_for_addresses_in_no_proxy(
    no_proxy: str, requests: int, workbench: Workbench
) -> None:
    with Sandbox(leads=250) as sandbox, relay(sandbox) as (proxy, asked):
        run = workbench.sync(sandbox, environment={"HTTP_PROXY": proxy, "NO_PROXY": no_proxy})
    assert run.code == 0, run.log
    assert run.ids == ids_of(sandbox)
    assert len(asked) == requests
    assert all(address.startswith(sandbox.url) for address in asked)


def test_proxies_are_looked_up_once_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not three times for each page, as the HTTP library would."""
    monkeypatch.setenv("NO_PROXY", "")
    with Sandbox(leads=500, faults=["slow@2+:0.05"]) as sandbox, relay(sandbox) as (proxy, asked):
        found = pages(access_token=sandbox.token, api_url=sandbox.url)
        ids = [lead["id"] for lead in next(found).leads]
        monkeypatch.setenv("HTTP_PROXY", proxy)
        ids += [lead["id"] for page in found for lead in page.leads]
    assert ids == ids_of(sandbox)
    assert not asked


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


def test_a_proxy_that_speaks_tls_is_used(
    workbench: Workbench, authority: trustme.CA, bundle: str
) -> None:
    """The connection is then no socket, but TLS inside TLS."""
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


def test_certificates_named_in_requests_ca_bundle_are_trusted(
    workbench: Workbench, authority: trustme.CA, bundle: str
) -> None:
    with Sandbox(leads=250) as sandbox, relay(sandbox, authority) as (url, _):
        environment = {"REQUESTS_CA_BUNDLE": bundle, "NO_PROXY": "127.0.0.1"}
        run = workbench.sync(sandbox, environment=environment, api_url=url)
    assert run.code == 0, run.log
    assert run.ids == ids_of(sandbox)


def test_a_password_file_does_not_replace_the_access_token(workbench: Workbench) -> None:
    """The HTTP library would use the entry of `.netrc` for the host."""
    Path(workbench.folder, ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    with Sandbox(leads=5) as sandbox:
        run = workbench.sync(sandbox, environment={"HOME": str(workbench.folder)})
    assert run.code == 0, run.log


# What fails at once


def error_of(workbench: Workbench, url: str = "https://127.0.0.1:9", **variables: str) -> str:
    """The only ERROR line of a sync that must fail without a second attempt."""
    config = {"access_token": "secret-token", "api_url": url, "scroll_wait_timeout": 600}
    environment = {"NO_PROXY": ""} | variables
    run: Run = run_tap("--config", workbench.file("config.json", config), **environment)
    assert run.code == 1
    assert not run.lines("WARNING")
    assert "Traceback" not in run.log
    assert "secret" not in run.log
    (error,) = run.lines("ERROR")
    return error


@cases(
    malformed=("http://[::1", ["HTTPS_PROXY"]),
    unknown_kind=("gopher://secret:1", ["HTTPS_PROXY"]),
    socks=("socks5://a:1", ["SOCKS", "requests[socks]"]),
    user=("http://Юля:secret@a:1", ["user name", "HTTPS_PROXY"]),
)
def test_a_proxy_that_cannot_be_used_is_named_at_once(
    proxy: str, words: list[str], workbench: Workbench
) -> None:
    error = error_of(workbench, HTTPS_PROXY=proxy)
    assert all(word in error for word in words)


@cases(
    ("http", "407 Proxy Authentication Required", "user name and a password"),
    ("http", "403 Forbidden", "api.intercom.io (HTTP 403)"),
    ("https", "400 Bad Request", "The proxy does not speak TLS"),
)
def test_a_proxy_that_refuses_is_named_at_once(
    scheme: str, status: str, words: str, workbench: Workbench
) -> None:
    with listening(refusing(status)) as port:
        error = error_of(
            workbench, "https://api.intercom.io", HTTPS_PROXY=f"{scheme}://127.0.0.1:{port}"
        )
    assert words in error
    assert "HTTPS_PROXY" in error


def refusing(status: str) -> Callable[[socket.socket], None]:
    """A proxy that connects to nothing."""

    def converse(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())

    return converse


def test_a_proxy_that_cannot_reach_intercom_is_tried_again(workbench: Workbench) -> None:
    """Unlike a refusal, that may pass."""
    config = {"access_token": "any", "scroll_wait_timeout": 2}
    with listening(refusing("502 Bad Gateway")) as port:
        run = run_tap(
            "--config",
            workbench.file("config.json", config),
            HTTPS_PROXY=f"http://127.0.0.1:{port}",
            NO_PROXY="",
        )
    assert run.code == 1
    for line in (run.lines("WARNING")[0], run.lines("ERROR")[0]):
        assert line.startswith("Intercom could not be reached at api.intercom.io: the proxy: ")


def test_an_api_that_does_not_speak_tls_is_named_at_once(workbench: Workbench) -> None:
    with Sandbox(leads=5) as sandbox:
        error = error_of(workbench, sandbox.url.replace("http:", "https:"))
    assert "127.0.0.1 does not speak TLS" in error


def test_an_unknown_certificate_fails_at_once(workbench: Workbench, authority: trustme.CA) -> None:
    with Sandbox(leads=5) as sandbox, relay(sandbox, authority) as (url, asked):
        assert "REQUESTS_CA_BUNDLE" in error_of(workbench, url)
    assert not asked


@cases("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSLKEYLOGFILE")
@cases("missing", "folder-missing", "folder", "garbage")
def test_a_local_file_that_cannot_be_used_is_named_at_once(
    kind: str, variable: str, workbench: Workbench, authority: trustme.CA
) -> None:
    garbage = workbench.folder / "garbage"
    garbage.write_text("no certificate")
    path = {
        "missing": workbench.folder / "missing",
        "folder-missing": workbench.folder / "no" / "folder" / "x",
        "folder": workbench.folder,
        "garbage": garbage,
    }[kind]
    if variable == "SSLKEYLOGFILE":
        path = {"missing": path / "x", "garbage": Path("/proc/version")}.get(kind, path)
    with Sandbox(leads=5) as sandbox, relay(sandbox, authority) as (url, _):
        error = error_of(workbench, url, **{"REQUESTS_CA_BUNDLE": "", variable: str(path)})
    is_trusted = variable != "SSLKEYLOGFILE" and kind == "folder"  # an empty folder trusts no one
    assert variable in error or (is_trusted and "certificate could not be verified" in error)
    assert "network" not in error


def test_a_handshake_that_takes_too_long_is_given_up_and_tried_again(workbench: Workbench) -> None:
    seen: list[float] = []

    def drip(connection: socket.socket) -> None:
        seen.append(time.monotonic())
        connection.recv(65536)
        for _ in range(600):
            connection.sendall(b"\x16")
            time.sleep(0.2)

    with listening(drip) as port:
        config = {"access_token": "t", "api_url": f"https://127.0.0.1:{port}"}
        limits = {"request_timeout": 1, "scroll_wait_timeout": 3}
        run = run_tap("--config", workbench.file("config.json", config | limits))
    assert run.code == 1
    assert len(seen) > 1
    assert "Traceback" not in run.log
