"""The command line of the sandbox, as a real process."""

from __future__ import annotations

import errno
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import requests
from support.cases import cases
from support.programs import finish

from tap_leads.sandbox import KINDS
from tap_leads.sandbox.__main__ import main

SANDBOX = (sys.executable, "-m", "tap_leads.sandbox")
PYTHON = (sys.executable, "-c")
# What the commands of these tests begin with.
CLIENT = """
import json, os, time
from http.client import HTTPConnection
url, token = os.environ['TAP_LEADS_API_URL'], os.environ['TAP_LEADS_ACCESS_TOKEN']
connection = HTTPConnection(url.removeprefix('http://'), timeout=5)
def get(path, token=token, **headers):
    connection.request('GET', path, headers={'Authorization': f'Bearer {token}', **headers})
    got = connection.getresponse()
    return got, json.load(got)
"""


@cases(
    scroll=(
        (
            "--port 0 --leads 250 --seed 2 --latency 0.01 --idle-limit 0.5 --rate-limit 4 "
            "--rate-window 3600.0 --scroll-param changing --fault restart@3 --fault types@2 "
            "--token secret --quiet"
        ),
        (
            "param = ''\n"
            "for pause in (0, 0, 0, 0.6, 0):\n"
            "    time.sleep(pause)\n"
            "    got, body = get('/contacts/scroll' + param)\n"
            "    print(got.status, got.headers['X-RateLimit-Remaining'], end=' ')\n"
            "    old, given = param, body.get('scroll_param')\n"
            "    param = f'?scroll_param={given}' if given else param\n"
            "    print(old == param, len(body.get('contacts', ())), end=' ')\n"
            "print(token)"
        ),
        "200 3 False 100 200 2 False 100 500 1 True 0 404 0 True 0 429 0 True 0 secret",
        "",
    ),
    workspaces=(
        "--cache --fault counts/number@1:7 --workspace red=5 --workspace blue=6",
        (
            "for each in ('red', 'blue'):\n"
            "    for control in ('max-age=9', 'max-age=9', 'no-cache'):\n"
            "        got, body = get('/counts', each, **{'Cache-Control': control})\n"
            "        print(token, body['lead']['count'], end=' ')"
        ),
        "red 7 red 7 red 5 red 7 red 7 red 6",
        "sandbox: 4 requests, 0 scrolls opened, longest idle 0.0 s\n",
    ),
)
def test_a_command_uses_the_sandbox_as_the_options_say(
    options: str, script: str, output: str, summary: str
) -> None:
    """The environment has URL and token. The output is the command's; a summary may follow."""
    done = finish(*SANDBOX, *options.split(), "--", *PYTHON, CLIENT + script)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, output, summary)


@cases(
    ((*PYTHON, "raise SystemExit(7)"), 7, ""),
    ((*PYTHON, "import os; os.kill(os.getpid(), 9)"), 128 + signal.SIGKILL, ""),
    (("no-such-tap", "--discover"), 127, "sandbox: command not found: no-such-tap\n"),
    (("/",), 126, "sandbox: cannot run /: Permission denied\n"),
)
def test_the_exit_code_is_that_of_the_command_in_a_shell(
    command: tuple[str, ...], code: int, message: str
) -> None:
    done = finish(*SANDBOX, "--quiet", "--", *command)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", message)


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], Callable[[], str]]]:
    """Runs the sandbox, and ends it whatever happens; the process, and its next line of output."""
    pipe = subprocess.PIPE
    with subprocess.Popen([*SANDBOX, *arguments], stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline
        finally:
            process.kill()


@cases(signal.SIGTERM, signal.SIGINT)
def test_signals_are_forwarded_to_the_command(number: signal.Signals) -> None:
    """The command decides how it ends. The sandbox waits for it."""
    script = (
        # Without print: the signal may interrupt it, and it cannot be called again meanwhile.
        "import os, signal, sys\n"
        "def end(number, _): os.write(1, b'got %d\\n' % number); sys.exit(9)\n"
        f"signal.signal({int(number)}, end)\n"
        "os.write(1, b'ready\\n')\n"
        "signal.pause()"
    )
    with running("--", *PYTHON, script) as (process, line):
        assert line() == "ready\n"
        process.send_signal(number)
        assert line() == f"got {int(number)}\n"
        assert process.wait(5) == 9


@cases(signal.SIGTERM, signal.SIGINT)
def test_it_serves_until_stopped(number: signal.Signals) -> None:
    """It prints how to point the tap at it, and ends with code 0."""
    with running("--port", "0", "--leads", "12") as (process, line):
        text = "".join(line() for _ in range(6))
        assert "The sandbox serves 12 leads" in text
        found = re.search(r"TAP_LEADS_API_URL=(\S+) TAP_LEADS_ACCESS_TOKEN=sandbox tap-leads", text)
        assert found
        headers = {"Authorization": "Bearer sandbox"}
        response = requests.get(f"{found[1]}/contacts/scroll", headers=headers, timeout=5)
        assert len(response.json()["contacts"]) == 12
        process.send_signal(number)
        assert process.wait(5) == 0
        assert process.stderr
        assert process.stderr.read().startswith("sandbox: 1 requests, 1 scrolls opened")


def test_a_busy_port() -> None:
    """The message is one line, and the exit code is 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = finish(*SANDBOX, "--port", str(port))
    message = f"sandbox: port {port}: {os.strerror(errno.EADDRINUSE)}\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", message)


@cases(
    ("--fault boom@3", "argument --fault: there is no fault 'boom'"),
    ("--fault nowhere/lost@3", "argument --fault: there are no faults of 'nowhere'"),
    ("--leads -1", "argument --leads: '-1' is not a whole number from 0"),
    ("--leads many", "argument --leads: 'many' is not a whole number from 0"),
    ("--port 70000", "argument --port: '70000' is not a port from 0 to 65535"),
    ("--latency soon", "argument --latency: 'soon' is not a number of seconds"),
    ("--latency nan", "argument --latency: 'nan' is not a number of seconds"),
    ("--rate-limit 0", "argument --rate-limit: '0' is not a whole number from 1"),
    ("--rate-window 0", "argument --rate-window: '0' is not a positive number of seconds"),
    ("--workspace red", "argument --workspace: 'red' is not of the form TOKEN=LEADS"),
    ("--workspace =5", "argument --workspace: '=5' is not of the form TOKEN=LEADS"),
)
def test_wrong_options(arguments: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the option, the exit code is 2, and nothing starts."""
    with pytest.raises(SystemExit, match="2"):
        main(arguments.split())
    assert message in capsys.readouterr().err


def test_help_explains_every_fault() -> None:
    """And its argument."""
    text = finish(*SANDBOX, "--help").stdout
    for kind in KINDS:
        assert re.search(rf"^  {kind}[ \[:]", text, re.MULTILINE), kind
    assert max(map(len, text.splitlines())) < 160
