"""A network that fails: a request that was never sent is repeated, and the log names the cause."""

from __future__ import annotations

import signal
import socket
import time
from contextlib import ExitStack, suppress

from support.cases import cases
from support.runs import the_error
from support.tap import Run, Workbench, ids_of, result, run_tap, start_tap

from demo.supervisor import free_port
from tap_leads.sandbox import Sandbox


def sync(workbench: Workbench, url: str, *arguments: str, limit: int = 1, **variables: str) -> Run:
    """Syncs from an address that has no server."""
    limits = {"request_timeout": 1, "scroll_wait_timeout": limit}
    config = workbench.file("config.json", {"access_token": "hush", "api_url": url} | limits)
    return run_tap("--config", config, *arguments, **variables)


@cases(
    name=("https://leads.invalid", "", ["at leads.invalid: the name was not found"]),
    port=("http://127.0.0.1:{}", "", ["at 127.0.0.1: the connection was refused"]),
    proxy=(
        "https://api.intercom.io",
        "http://user:hush@127.0.0.1:{}",
        ["the proxy: the connection was refused", "HTTPS_PROXY"],
    ),
)
def test_an_api_that_cannot_be_reached_is_named_at_the_first_failure(
    url: str, proxy: str, words: list[str], workbench: Workbench
) -> None:
    port = free_port()
    run = sync(workbench, url.format(port), HTTPS_PROXY=proxy.format(port))
    error = the_error(run)
    for line in (run.lines("WARNING")[0], error):
        assert line.startswith("Intercom could not be reached")
        assert all(word in line for word in words)
    assert "scroll broke" not in run.log
    assert "status page" not in run.log
    assert "'scroll_wait_timeout' allows 1 s" in error


def test_an_opening_is_repeated_until_intercom_can_be_reached(workbench: Workbench) -> None:
    sandbox = Sandbox(leads=250, port=free_port())
    with start_tap("--config", workbench.config(sandbox)) as tap:
        for line in tap.stderr:
            if b"could not be reached" in line:
                break
        with sandbox:
            run = result(tap)
    assert (run.code, run.ids) == (0, ids_of(sandbox)), run.log
    assert ", 0 restarts," in run.log


def test_a_test_says_at_once_that_an_address_drops_packets(workbench: Workbench) -> None:
    with ExitStack() as sockets:
        full = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):  # once these wait, the system drops what else would connect
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            with suppress(BlockingIOError):
                waiting.connect(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        error = the_error(sync(workbench, url, "--test", limit=600))
    reason = "at 127.0.0.1: no connection within the time limit"
    assert error.startswith(f"Intercom could not be reached {reason}")


@cases(([], 1, 6), (["expire@2"], 2, 9))
def test_each_scroll_has_a_new_connection_and_one_request_per_page(
    faults: list[str], scrolls: int, requests: int, workbench: Workbench
) -> None:
    """After minutes of waiting, a gateway may have forgotten the old connection."""
    with Sandbox(leads=250, faults=faults) as sandbox:
        run = workbench.sync(sandbox)
    assert run.code == 0, run.log
    assert sandbox.workspace.scrolls_opened == scrolls
    assert sandbox.requests == requests  # with the counts before, between and after the scrolls
    assert sandbox.connections == 1 + scrolls  # and one before the first scroll


def test_time_in_which_the_process_is_suspended_does_not_end_the_sync(workbench: Workbench) -> None:
    limits = {"request_timeout": 1, "scroll_wait_timeout": 2}
    with (
        Sandbox(leads=250, idle_limit=1.0, faults=["restart@2"]) as sandbox,
        start_tap("--config", workbench.config(sandbox, **limits)) as tap,
    ):
        for line in tap.stderr:
            if b"The scroll broke" in line:
                break
        tap.send_signal(signal.SIGSTOP)
        time.sleep(2.5)  # more than any of its limits
        tap.send_signal(signal.SIGCONT)
        run = result(tap)
    assert (run.code, run.ids) == (0, ids_of(sandbox)), run.log


def test_no_library_logs_the_token_of_the_scroll_or_raw_headers(workbench: Workbench) -> None:
    with Sandbox(leads=250, faults=["malformed@*:header"]) as sandbox:
        run = workbench.sync(sandbox, environment={"LOGLEVEL": "DEBUG"})
    scroll_params = {request.token for request in sandbox.workspace.history}
    assert run.code == 0, run.log
    assert not [param for param in scroll_params if param and param in run.log]
    assert "urllib3" not in run.log
