"""A network that fails: a request that was never sent is repeated, and the log names the cause."""

from __future__ import annotations

import signal
import socket
import time
from contextlib import ExitStack, suppress

from support.cases import cases
from support.tap import Run, Workbench, ids_of, result, run_tap, start_tap

from demo.supervisor import free_port
from tap_leads.sandbox import Sandbox

NO_SUCH_HOST = "https://leads.invalid"


def sync(workbench: Workbench, *arguments: str, url: str, variables: dict[str, str] | None = None,
         **settings: object) -> Run:  # fmt: skip
    """Syncs from an address that may have no server."""
    base = {"access_token": "secret-token", "api_url": url, "scroll_wait_timeout": 2}
    config = workbench.file("config.json", base | settings)
    run = run_tap("--config", config, *arguments, **(variables or {}))
    assert run.code == 1
    assert "secret-token" not in run.log
    return run


@cases(
    name=(NO_SUCH_HOST, "", ["at leads.invalid: the name was not found"]),
    port=("http://127.0.0.1:{port}", "", ["at 127.0.0.1: the connection was refused"]),
    proxy=(
        "https://api.intercom.io",
        "http://user:proxy-password@127.0.0.1:{port}",
        ["the proxy: the connection was refused", "HTTPS_PROXY"],
    ),
)
def test_an_api_that_cannot_be_reached_is_named_at_the_first_failure(
    url: str, proxy: str, words: list[str], workbench: Workbench
) -> None:
    port = free_port()
    variables = {"HTTPS_PROXY": proxy.format(port=port)} if proxy else {}
    run = sync(workbench, url=url.format(port=port), variables=variables)
    first, (error,) = run.lines("WARNING")[0], run.lines("ERROR")
    for line in (first, error):
        assert line.startswith("Intercom could not be reached")
        assert all(word in line for word in words)
    assert "scroll broke" not in run.log
    assert "status page" not in run.log
    assert "proxy-password" not in run.log
    assert "'scroll_wait_timeout' allows 2 s" in error


@cases(NO_SUCH_HOST, "http://127.0.0.1:{port}")
def test_a_test_says_the_same_and_ends_at_once(url: str, workbench: Workbench) -> None:
    run = sync(workbench, "--test", url=url.format(port=free_port()), scroll_wait_timeout=600)
    assert run.lines("ERROR")[0].startswith("Intercom could not be reached at ")


def test_an_opening_is_repeated_until_intercom_can_be_reached(workbench: Workbench) -> None:
    sandbox = Sandbox(leads=250, port=free_port())
    with start_tap("--config", workbench.config(sandbox)) as tap:
        for line in tap.stderr:
            if b"could not be reached" in line:
                break
        with sandbox:
            run = result(tap)
    assert run.code == 0, run.log
    assert run.ids == ids_of(sandbox)
    assert ", 0 restarts," in run.log


def test_an_address_that_drops_packets_is_tried_again_within_the_limit(
    workbench: Workbench,
) -> None:
    """No other limit may end the attempts before this one."""
    with ExitStack() as sockets:
        full = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):  # once these wait, the system drops what else would connect
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            with suppress(BlockingIOError):
                waiting.connect(full.getsockname())
        run = sync(workbench, url=f"http://127.0.0.1:{full.getsockname()[1]}", request_timeout=1)
    assert "no connection within the time limit" in run.lines("WARNING")[0]
    assert "'scroll_wait_timeout' allows 2 s" in run.lines("ERROR")[0]


def test_a_scroll_is_one_connection_and_one_request_per_page(workbench: Workbench) -> None:
    with Sandbox(leads=950) as sandbox:
        assert workbench.sync(sandbox).code == 0
    assert len(sandbox.workspace.history) == 11
    assert sandbox.requests == 13  # and two for the counts
    assert sandbox.connections == 2  # and one before the scroll


def test_each_new_scroll_starts_on_a_new_connection(workbench: Workbench) -> None:
    """After minutes of waiting, a gateway may have forgotten the old one."""
    with Sandbox(leads=250, idle_limit=2.0, faults=["nojson@2", "expire@5"]) as sandbox:
        run = workbench.sync(sandbox, scroll_expiry=2)
    assert run.code == 0, run.log
    assert sandbox.workspace.scrolls_opened == 3
    assert sandbox.connections == 4  # and one before the first scroll


def test_time_in_which_the_process_is_suspended_does_not_end_the_sync(workbench: Workbench) -> None:
    faults = ["restart@2", "slow@5:2"]
    with Sandbox(leads=250, idle_limit=1.0, faults=faults) as sandbox:
        config = workbench.config(sandbox, request_timeout=1, scroll_wait_timeout=3)
        with start_tap("--config", config) as tap:
            for line in tap.stderr:
                if b"The scroll broke" in line:
                    break
            tap.send_signal(signal.SIGSTOP)
            time.sleep(5)  # more than any of its limits
            tap.send_signal(signal.SIGCONT)
            run = result(tap)
    assert run.code == 0, run.log
    assert run.ids == ids_of(sandbox)


def test_no_library_logs_the_token_of_the_scroll_or_raw_headers(workbench: Workbench) -> None:
    with Sandbox(leads=250, faults=["malformed@*:header"]) as sandbox:
        run = workbench.sync(sandbox, environment={"LOGLEVEL": "DEBUG"})
    scroll_params = {request.token for request in sandbox.workspace.history}
    assert run.code == 0, run.log
    assert not [param for param in scroll_params if param and param in run.log]
    assert "urllib3" not in run.log
