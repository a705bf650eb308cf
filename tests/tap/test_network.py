"""A network that fails: what was never sent is sent again, and the log says what is wrong."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from support.tap import Run, Workbench, command, environment, ids_of, run_tap

from demo.supervisor import free_port
from tap_leads.sandbox import Sandbox

NO_SUCH_HOST = "https://leads.invalid"


def sync(workbench: Workbench, *arguments: str, url: str, variables: dict[str, str] | None = None,
         **settings: object) -> Run:  # fmt: skip
    """Syncs from an address where there may be nothing."""
    base = {"access_token": "any", "api_url": url, "scroll_wait_timeout": 2}
    config = workbench.file("config.json", base | settings)
    return run_tap("--config", config, *arguments, **(variables or {}))


@pytest.mark.parametrize(
    ("url", "variables", "words"),
    [
        pytest.param(
            NO_SUCH_HOST, {}, ["at leads.invalid: the name was not found"], id="no-such-name"
        ),
        pytest.param(
            "http://127.0.0.1:{port}",
            {},
            ["at 127.0.0.1: the connection was refused"],
            id="refused",
        ),
        pytest.param(
            "https://api.intercom.io",
            {"HTTPS_PROXY": "http://127.0.0.1:{port}"},
            ["the proxy: the connection was refused", "HTTPS_PROXY"],
            id="proxy-down",
        ),
    ],
)
def test_an_api_that_cannot_be_reached_is_named_at_the_first_failure(
    workbench: Workbench, url: str, variables: dict[str, str], words: list[str]
) -> None:
    port = free_port()
    with Sandbox(leads=5) as sandbox:
        http = sandbox.url.rpartition(":")[2]
        run = sync(
            workbench,
            url=url.format(port=port, http=http),
            variables={name: value.format(port=port) for name, value in variables.items()},
        )
    assert run.code == 1
    first, (error,) = run.lines("WARNING")[0], run.lines("ERROR")
    for line in (first, error):
        assert line.startswith("Intercom could not be reached")
        assert all(word in line for word in words)
    assert "scroll broke" not in run.log
    assert "status page" not in run.log
    assert "'scroll_wait_timeout' allows 2 s" in error


@pytest.mark.parametrize("url", [NO_SUCH_HOST, "http://127.0.0.1:{port}"])
def test_a_test_says_the_same_and_ends_at_once(workbench: Workbench, url: str) -> None:
    run = sync(workbench, "--test", url=url.format(port=free_port()), scroll_wait_timeout=600)
    assert run.code == 1
    assert run.lines("ERROR")[0].startswith("Intercom could not be reached at ")


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        pytest.param({"REQUESTS_CA_BUNDLE": "/no/such/file"}, ["REQUESTS_CA_BUNDLE"], id="no-file"),
        pytest.param({"REQUESTS_CA_BUNDLE": "{text}"}, ["REQUESTS_CA_BUNDLE"], id="no-certificate"),
        pytest.param({"HTTPS_PROXY": "http://[::1"}, ["HTTPS_PROXY"], id="malformed-proxy"),
        pytest.param({"HTTPS_PROXY": "gopher://a:1"}, ["HTTPS_PROXY"], id="unknown-kind-of-proxy"),
        pytest.param({"HTTPS_PROXY": "socks5://a:1"}, ["SOCKS", "requests[socks]"], id="socks"),
        pytest.param({"HTTPS_PROXY": "http://Юля:x@a:1"}, ["user name", "HTTPS_PROXY"], id="user"),
    ],
)
def test_a_configuration_that_no_waiting_changes_fails_at_once(
    workbench: Workbench, variables: dict[str, str], words: list[str]
) -> None:
    text = workbench.file("text.txt", "no certificate")
    found = {name: value.format(text=text) for name, value in variables.items()}
    with Sandbox(leads=5) as sandbox:
        port = sandbox.url.rpartition(":")[2]
        run = sync(
            workbench,
            url=f"https://localhost:{port}",
            variables=found | {"NO_PROXY": ""},
            scroll_wait_timeout=600,
        )
    assert run.code == 1
    (error,) = run.lines("ERROR")
    assert all(word in error for word in words)
    assert not run.lines("WARNING")
    assert "Traceback" not in run.log
    assert "gopher" not in run.log


class Gate:
    """A TCP relay before the sandbox that can be closed, so that connections are refused."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._upstream = ("127.0.0.1", int(sandbox.url.rpartition(":")[2]))
        self.port = free_port()
        self._server: socket.socket | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def open(self) -> None:
        self._server = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._server,), daemon=True).start()

    def close(self) -> None:
        if self._server:
            with suppress(OSError):
                self._server.shutdown(socket.SHUT_RDWR)
            self._server.close()

    def _accept(self, server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = server.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._upstream) as upstream:
            back = threading.Thread(target=self._copy, args=(upstream, client), daemon=True)
            back.start()
            self._copy(client, upstream)
            back.join()

    @staticmethod
    def _copy(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_RDWR)


@contextmanager
def gate(sandbox: Sandbox) -> Iterator[Gate]:
    found = Gate(sandbox)
    try:
        yield found
    finally:
        found.close()


def test_an_opening_is_repeated_until_intercom_can_be_reached(workbench: Workbench) -> None:
    with Sandbox(leads=250) as sandbox, gate(sandbox) as entrance:
        config = workbench.config(sandbox, api_url=entrance.url)
        with subprocess.Popen(
            command("--config", config), env=environment(), stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        ) as tap:  # fmt: skip
            assert tap.stderr
            for line in tap.stderr:
                if "could not be reached" in line:
                    break
            entrance.open()
            output, log = tap.communicate(timeout=60)
    assert tap.returncode == 0, log
    assert output.count('"RECORD"') == 250
    assert ", 0 restarts," in log


def test_two_addresses_that_drop_packets_are_tried_again_within_the_limit(
    workbench: Workbench,
) -> None:
    """The limit to connect counts per address; no watchdog must come before the reaction."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for client in waiting:  # from here on, the system drops what would connect
            client.setblocking(False)
            with suppress(BlockingIOError):
                client.connect(("127.0.0.1", port))
        time.sleep(0.2)
        run = sync(workbench, url=f"http://127.0.0.1:{port}", request_timeout=1)
        for client in waiting:
            client.close()
    assert run.code == 1
    assert "no connection within the time limit" in run.lines("WARNING")[0]
    assert "'scroll_wait_timeout' allows 2 s" in run.lines("ERROR")[0]


def test_each_new_scroll_starts_on_a_new_connection(workbench: Workbench) -> None:
    """After minutes of waiting, a gateway may have forgotten the old one."""
    with Sandbox(leads=250, idle_limit=1.0, faults=["nojson@2", "expire@5"]) as sandbox:
        run = workbench.sync(sandbox)
        assert run.code == 0, run.log
        assert sandbox.workspace.scrolls_opened == 3
        assert sandbox.connections == 4  # and one before the first scroll


def test_time_in_which_the_process_is_suspended_does_not_end_the_sync(workbench: Workbench) -> None:
    faults = ["restart@2", "slow@5:2"]
    with Sandbox(leads=250, idle_limit=1.0, faults=faults) as sandbox:
        config = workbench.config(sandbox, request_timeout=1, scroll_wait_timeout=3)
        with subprocess.Popen(
            command("--config", config), env=environment(), stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        ) as tap:  # fmt: skip
            assert tap.stderr
            for line in tap.stderr:
                if "The scroll broke" in line:
                    os.kill(tap.pid, signal.SIGSTOP)
                    break
            time.sleep(5)  # more than any of its limits
            os.kill(tap.pid, signal.SIGCONT)
            output, log = tap.communicate(timeout=60)
        served = ids_of(sandbox)
    assert tap.returncode == 0, log
    assert output.count('"RECORD"') == len(served)


def test_no_library_logs_the_token_of_the_scroll_or_raw_headers(workbench: Workbench) -> None:
    with Sandbox(leads=250, faults=["malformed@*:header"]) as sandbox:
        run = workbench.sync(sandbox, environment={"LOGLEVEL": "DEBUG"})
        scroll_params = {request.token for request in sandbox.workspace.history}
    assert run.code == 0, run.log
    assert not [param for param in scroll_params if param and param in run.log]
    assert "urllib3" not in run.log


def test_a_token_is_never_in_the_log_of_a_failure(workbench: Workbench) -> None:
    proxy = f"http://user:proxy-password@127.0.0.1:{free_port()}"
    run = sync(workbench, url="https://api.intercom.io", variables={"HTTPS_PROXY": proxy},
               access_token="secret-token")  # fmt: skip
    assert run.code == 1
    assert "secret-token" not in run.log
    assert "proxy-password" not in run.log


@contextmanager
def proxy_that_refuses(status: str) -> Iterator[str]:
    """The address of a proxy that connects to nothing."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def refuse() -> None:
            with suppress(OSError):
                while True:
                    client, _ = proxy.accept()
                    client.recv(65536)
                    client.sendall(f"HTTP/1.1 {status}\r\n\r\n".encode())
                    client.close()

        threading.Thread(target=refuse, daemon=True).start()
        yield f"http://127.0.0.1:{proxy.getsockname()[1]}"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        pytest.param("407 Proxy Authentication Required", "user name and a password", id="407"),
        pytest.param("403 Forbidden", "api.intercom.io (HTTP 403)", id="403"),
    ],
)
def test_a_proxy_that_refuses_is_named_at_once(
    workbench: Workbench, status: str, words: str
) -> None:
    with proxy_that_refuses(status) as address:
        run = sync(workbench, url="https://api.intercom.io", variables={"HTTPS_PROXY": address})
    assert run.code == 1
    (error,) = run.lines("ERROR")
    assert words in error
    assert "HTTPS_PROXY" in error
    assert not run.lines("WARNING")


def test_a_proxy_that_cannot_reach_intercom_is_tried_again(workbench: Workbench) -> None:
    """That may pass, unlike a refusal."""
    with proxy_that_refuses("502 Bad Gateway") as address:
        run = sync(workbench, url="https://api.intercom.io", variables={"HTTPS_PROXY": address})
    assert run.code == 1
    for line in (run.lines("WARNING")[0], run.lines("ERROR")[0]):
        assert line.startswith("Intercom could not be reached at api.intercom.io: the proxy: ")
