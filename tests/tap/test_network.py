"""What lies between the tap and Intercom: networks that fail, proxies, certificates."""

from __future__ import annotations

import re
import signal
import socket
import time
from contextlib import ExitStack, suppress

import pytest
import trustme
from support.cases import cases
from support.relay import listening, tunnel
from support.tap import Run, Workbench, result, run_tap, start_tap

from demo.supervisor import free_port
from tap_leads.sandbox import Sandbox

API = "https://api.intercom.io"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority that no program trusts by default."""
    return trustme.CA()


def sync(workbench: Workbench, url: str, *arguments: str, limit: int = 1, **variables: str) -> Run:
    """Syncs from an address that has no API of Intercom."""
    limits = {"request_timeout": 1, "scroll_wait_timeout": limit}
    config = workbench.file("config.json", {"access_token": "hush", "api_url": url} | limits)
    return run_tap("--config", config, *arguments, **{"NO_PROXY": ""} | variables)


def error_at_once(workbench: Workbench, url: str, **variables: str) -> str:
    """The error of a sync that must fail without a second attempt."""
    run = sync(workbench, url, limit=600, **variables)
    assert not run.lines("WARNING")
    return run.error


# An API that cannot be reached


@cases(
    name=("https://leads.invalid", "", "at leads.invalid: the name was not found"),
    port=("http://127.0.0.1:{}", "", "at 127.0.0.1: the connection was refused"),
    proxy=(API, "http://u:hush@127.0.0.1:{}", "the proxy: the connection was refused.*HTTPS_PROXY"),
)
def test_what_cannot_be_reached_is_named_at_the_first_failure(
    url: str, proxy: str, words: str, workbench: Workbench
) -> None:
    port = free_port()
    run = sync(workbench, url.format(port), HTTPS_PROXY=proxy.format(port))
    for line in (run.lines("WARNING")[0], run.error):
        assert re.match(f"Intercom could not be reached.*{words}", line)
    assert not re.search("scroll broke|status page", run.log)
    assert "'scroll_wait_timeout' allows 1 s" in run.error


def test_an_opening_is_repeated_until_intercom_can_be_reached(workbench: Workbench) -> None:
    sandbox = Sandbox(leads=250, port=free_port())
    with start_tap("--config", workbench.config(sandbox)) as tap:
        next(line for line in tap.stderr if b"could not be reached" in line)
        with sandbox:
            run = result(tap)
    assert ", 0 restarts," in run.complete(sandbox).log


def test_a_test_says_at_once_that_an_address_drops_packets(workbench: Workbench) -> None:
    with ExitStack() as sockets:
        full = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):  # once these wait, the system drops what else would connect
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            with suppress(BlockingIOError):
                waiting.connect(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        run = sync(workbench, url, "--test", limit=600)
    reason = "at 127.0.0.1: no connection within the time limit"
    assert run.error.startswith(f"Intercom could not be reached {reason}")


@cases(([], 1, 6), (["expire@2"], 2, 9))
def test_each_scroll_has_a_new_connection_and_one_request_per_page(
    faults: list[str], scrolls: int, requests: int, workbench: Workbench
) -> None:
    """After minutes of waiting, a gateway may have forgotten the old connection."""
    with Sandbox(leads=250, faults=faults) as sandbox:
        run = workbench.sync(sandbox)
    assert (run.code, sandbox.workspace.scrolls_opened) == (0, scrolls), run.log
    assert sandbox.requests == requests  # with the counts before, between and after the scrolls
    assert sandbox.connections == 1 + scrolls  # and one before the first scroll


def test_time_in_which_the_process_is_suspended_does_not_end_the_sync(workbench: Workbench) -> None:
    limits = {"request_timeout": 1, "scroll_wait_timeout": 2}
    with (
        Sandbox(leads=250, idle_limit=1.0, faults=["restart@2"]) as sandbox,
        start_tap("--config", workbench.config(sandbox, **limits)) as tap,
    ):
        next(line for line in tap.stderr if b"The scroll broke" in line)
        tap.send_signal(signal.SIGSTOP)
        time.sleep(2.5)  # more than any of its limits
        tap.send_signal(signal.SIGCONT)
        result(tap).complete(sandbox)


def test_no_library_logs_the_token_of_the_scroll_or_raw_headers(workbench: Workbench) -> None:
    with Sandbox(leads=250, faults=["malformed@*:header"]) as sandbox:
        run = workbench.sync(sandbox, environment={"LOGLEVEL": "DEBUG"})
    scroll_params = {request.token for request in sandbox.workspace.history}
    assert run.code == 0, run.log
    assert not [param for param in scroll_params if param and param in run.log]
    assert "urllib3" not in run.log


# Proxies and certificates


@cases(("", [6, 0]), ("127.0.0.1", [0, 6]))
def test_a_proxy_is_used_except_for_addresses_in_no_proxy(
    no_proxy: str, requests: list[int], workbench: Workbench
) -> None:
    """Each of two sandboxes can be the proxy, or the API."""
    with Sandbox(leads=250) as proxy, Sandbox(leads=250) as api:
        variables = {"HTTP_PROXY": proxy.url, "NO_PROXY": no_proxy}
        workbench.sync(api, environment=variables).complete(api)
    assert [proxy.requests, api.requests] == requests


def test_a_proxy_that_speaks_tls_is_used(workbench: Workbench, authority: trustme.CA) -> None:
    """The connection is then no socket, but TLS inside TLS."""
    bundle = workbench.folder / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    with (
        Sandbox(leads=250) as sandbox,
        tunnel(authority, sandbox) as url,
        tunnel(authority) as proxy_url,
    ):
        proxy = {"HTTPS_PROXY": proxy_url, "REQUESTS_CA_BUNDLE": str(bundle)}
        run = workbench.sync(sandbox, api_url=url, environment={"NO_PROXY": "", **proxy})
    assert "Traceback" not in run.complete(sandbox).log


def test_a_password_file_does_not_replace_the_access_token(workbench: Workbench) -> None:
    """The HTTP library would use the entry of `.netrc` for the host."""
    (workbench.folder / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    with Sandbox(leads=5) as sandbox:
        run = workbench.sync(sandbox, environment={"HOME": str(workbench.folder)})
    assert run.code == 0, run.log


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
        error = error_at_once(workbench, API, HTTPS_PROXY=proxy.format(port))
    assert words in error
    assert "HTTPS_PROXY" in error


def test_an_api_that_is_not_trusted_is_named(workbench: Workbench, authority: trustme.CA) -> None:
    with Sandbox(leads=5) as sandbox, tunnel(authority, sandbox) as url:
        no_tls = error_at_once(workbench, sandbox.url.replace("http:", "https:"))
        assert "127.0.0.1 does not speak TLS" in no_tls
        assert "REQUESTS_CA_BUNDLE" in error_at_once(workbench, url)
    assert sandbox.requests == 0


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
    with Sandbox(leads=5) as sandbox, tunnel(authority, sandbox) as url:
        error = error_at_once(workbench, url, **given)
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

    with listening(drip) as port:
        run = sync(workbench, f"https://127.0.0.1:{port}")
    assert "127.0.0.1: no connection within the time limit" in run.error
    assert len(attempts) == 2  # one of them for the count
