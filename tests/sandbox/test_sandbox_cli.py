"""The command line of the sandbox, as a real process."""

import errno
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from tap_leads.sandbox import KINDS
from tap_leads.sandbox.__main__ import main

SANDBOX = (sys.executable, "-m", "tap_leads.sandbox")
PYTHON = (sys.executable, "-c")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the sandbox to its end."""
    return subprocess.run(
        [*SANDBOX, *arguments], capture_output=True, text=True, timeout=20, check=False
    )


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run the sandbox, and end it whatever happens."""
    with subprocess.Popen(
        [*SANDBOX, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    """Wait for the next line of output."""
    assert process.stdout
    return process.stdout.readline()


def test_a_command_gets_url_and_token() -> None:
    """And reaches the sandbox with them; its output is its own."""
    done = run(
        *("--leads", "3", "--token", "secret", "--"),
        *PYTHON,
        "import os, requests\n"
        "url, token = os.environ['TAP_LEADS_API_URL'], os.environ['TAP_LEADS_ACCESS_TOKEN']\n"
        "headers = {'Authorization': 'Bearer ' + token}\n"
        "page = requests.get(url + '/contacts/scroll', headers=headers, timeout=5).json()\n"
        "print(token, len(page['contacts']))",
    )
    assert (done.returncode, done.stdout) == (0, "secret 3\n")
    assert done.stderr == "sandbox: 1 requests, 1 scrolls opened, longest idle 0.0 s\n"


def test_the_options_reach_the_sandbox() -> None:
    """All of them at once, seen from the command."""
    done = run(
        *("--port", "0", "--leads", "250", "--seed", "2", "--latency", "0.01", "--quiet"),
        *("--idle-limit", "0.2", "--scroll-param", "changing", "--rate-limit", "4"),
        *("--rate-window", "3600.0", "--fault", "restart@3", "--fault", "types@2", "--"),
        *PYTHON,
        "import os, requests, time\n"
        "url = os.environ['TAP_LEADS_API_URL'] + '/contacts/scroll'\n"
        "headers = {'Authorization': 'Bearer sandbox'}\n"
        "param = None\n"
        "for pause in (0, 0, 0, 0.3, 0):\n"
        "    time.sleep(pause)\n"
        "    got = requests.get(url, {'scroll_param': param}, headers=headers, timeout=5)\n"
        "    print(got.status_code, got.headers['X-RateLimit-Remaining'])\n"
        "    changed, param = param, got.json().get('scroll_param', param)\n"
        "    print(changed == param, len(got.json().get('contacts', ())))\n",
    )
    assert done.stdout.split("\n")[:-1] == [
        *("200 3", "False 100", "200 2", "False 100", "500 1", "True 0"),
        *("404 0", "True 0", "429 0", "True 0"),
    ]


def test_cache() -> None:
    """A proxy that caches what a request does not forbid to cache."""
    done = run(
        *("--cache", "--fault", "counts/number@1:7", "--quiet", "--"),
        *PYTHON,
        "import os, requests\n"
        "url = os.environ['TAP_LEADS_API_URL'] + '/counts'\n"
        "for control in ('max-age=9', 'max-age=9', 'no-cache'):\n"
        "    headers = {'Authorization': 'Bearer sandbox', 'Cache-Control': control}\n"
        "    print(requests.get(url, headers=headers, timeout=5).json()['lead']['count'])",
    )
    assert done.stdout == "7\n7\n1000\n"


def test_several_workspaces_give_the_first_token() -> None:
    """The others are there, too."""
    done = run(
        *("--workspace", "red=5", "--workspace", "blue=6", "--quiet", "--"),
        *PYTHON,
        "import os, requests\n"
        "print(os.environ['TAP_LEADS_ACCESS_TOKEN'])\n"
        "url = os.environ['TAP_LEADS_API_URL'] + '/counts'\n"
        "for token in ('red', 'blue'):\n"
        "    headers = {'Authorization': 'Bearer ' + token}\n"
        "    print(requests.get(url, headers=headers, timeout=5).json()['lead']['count'])",
    )
    assert (done.stdout, done.stderr) == ("red\n5\n6\n", "")


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("raise SystemExit(7)", 7),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 128 + signal.SIGKILL),
    ],
)
def test_the_command_decides_the_exit_code(script: str, code: int) -> None:
    """As a shell would give it."""
    assert run("--", *PYTHON, script).returncode == code


def test_a_command_that_is_not_there() -> None:
    """127 and one line."""
    done = run("--quiet", "--", "no-such-tap", "--discover")
    assert (done.returncode, done.stdout) == (127, "")
    assert done.stderr == "sandbox: command not found: no-such-tap\n"


def test_a_command_that_is_no_program() -> None:
    """126, as a shell would say."""
    assert run("--quiet", "--", "/").returncode == 126


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_go_on_to_the_command(number: signal.Signals) -> None:
    """Which ends as it likes; the sandbox waits for it."""
    script = (
        # Not by print, which the signal may find still at work, and which cannot be entered twice.
        "import os, signal, sys\n"
        "def end(number, _): os.write(1, b'got %d\\n' % number); sys.exit(9)\n"
        f"signal.signal({int(number)}, end)\n"
        "os.write(1, b'ready\\n')\n"
        "signal.pause()"
    )
    with running("--", *PYTHON, script) as process:
        assert line(process) == "ready\n"
        process.send_signal(number)
        assert line(process) == f"got {int(number)}\n"
        assert process.wait(5) == 9


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_stopped(number: signal.Signals) -> None:
    """Tells where it is and how to point the tap at it; ends with code 0."""
    with running("--port", "0", "--leads", "12") as process:
        assert "The sandbox serves 12 leads" in line(process)
        text = "".join(line(process) for _ in range(5))
        found = re.search(r"TAP_LEADS_API_URL=(\S+) TAP_LEADS_ACCESS_TOKEN=sandbox tap-leads", text)
        assert found
        with requests.Session() as session:
            session.headers["Authorization"] = "Bearer sandbox"
            response = session.get(f"{found[1]}/contacts/scroll", timeout=5)
            assert len(response.json()["contacts"]) == 12
            process.send_signal(number)
            assert process.wait(5) == 0
        assert process.stderr
        assert process.stderr.read().startswith("sandbox: 1 requests, 1 scrolls opened")


def test_a_busy_port() -> None:
    """One line, exit code 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("--port", str(port))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"sandbox: port {port}: {os.strerror(errno.EADDRINUSE)}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--fault", "boom@3"), "there is no fault 'boom'"),
        (("--leads", "-1"), "not a whole number from 0"),
        (("--leads", "many"), "not a whole number from 0"),
        (("--port", "70000"), "not a port from 0 to 65535"),
        (("--latency", "soon"), "not a number of seconds"),
        (("--latency", "nan"), "not a number of seconds"),
        (("--rate-limit", "0"), "not a whole number from 1"),
        (("--rate-window", "0"), "not a positive number of seconds"),
        (("--workspace", "red"), "not of the form TOKEN=LEADS"),
        (("--workspace", "=5"), "not of the form TOKEN=LEADS"),
        (("--scroll-param", "odd"), "invalid choice"),
        (("--fault", "nowhere/lost@3"), "there are no faults of 'nowhere'"),
        (("tap-leads",), "unrecognized arguments"),
    ],
)
def test_wrong_options(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Said clearly, exit code 2, nothing started."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_help_explains_every_fault() -> None:
    """And how to write it."""
    text = run("--help").stdout
    for kind in KINDS:
        assert re.search(rf"^  {kind}[ \[:]", text, re.MULTILINE), kind
    assert max(map(len, text.splitlines())) < 160
