"""The options of the command line."""

import argparse
import math
import textwrap
from collections.abc import Callable
from typing import Any

from tap_leads.sandbox.fault_kind import PATHS
from tap_leads.sandbox.faults import FAMILIES

DEFAULT_PORT = 8642
_LAST_PORT = 65_535
_FAULTS = f"""faults:
  WHEN counts the requests to a path of a workspace, refused ones too: 3 or 3,5 or 3-7, 3+ (from
  the third on), * (all). p3 is the third request of every scroll, counted from its opening (p1);
  p2-4 and p3+ work too.
  PATH is {", ".join(PATHS)} (without PATH: scroll), as in counts/drip@1.
  Faults of the same request add up. If several replace the response, the first one wins.
  Leads change just before the request is served.
  "The page is gone" means: the scroll moves on, and a client that continues misses the page."""


def parser() -> argparse.ArgumentParser:
    """Make the parser of the options. The command after `--` is not one of them."""
    options = argparse.ArgumentParser(
        prog="python -m tap_leads.sandbox",
        usage="%(prog)s [options] [-- COMMAND ...]",
        description=(
            "A simulated Intercom on this machine. With COMMAND: runs it with TAP_LEADS_API_URL "
            "and TAP_LEADS_ACCESS_TOKEN set, and exits with its exit code."
        ),
        epilog="\n".join((_FAULTS, *map(_family, FAMILIES))),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = options.add_argument
    number: dict[str, Any] = {"type": _whole, "metavar": "N"}
    time: dict[str, Any] = {"type": _seconds, "metavar": "SECONDS"}
    repeated: dict[str, Any] = {"action": "append", "default": []}
    add("--port", type=_port, help=f"port; 0 finds a free one ({DEFAULT_PORT}; with COMMAND: 0)")
    add("--leads", **number, default=1000, help="number of leads in the workspace (1000)")
    add("--seed", **number, default=1, help="another seed makes other leads (1)")
    add("--latency", **time, default=0.0, help="delay of each response (0)")
    add("--idle-limit", **time, default=60.0, help="an unused scroll expires after this time (60)")
    add(
        "--scroll-param",
        choices=("constant", "changing"),
        default="constant",
        help="the same parameter on every page, as Intercom does, or a new one, as it documents",
    )
    add("--token", default="sandbox", help="access token of the workspace (sandbox)")
    add(
        "--workspace",
        type=_workspace,
        dest="workspaces",
        metavar="TOKEN=LEADS",
        help="one of several workspaces; repeatable, replaces --token and --leads",
        **repeated,
    )
    add(
        "--rate-limit", type=_positive, default=1000, metavar="N", help="requests per window (1000)"
    )
    add("--rate-window", type=_window, default=10.0, metavar="SECONDS", help="its length (10)")
    add(
        "--fault",
        dest="faults",
        metavar="[PATH/]KIND@WHEN[:ARG]",
        help="what goes wrong at which request; repeatable, see below",
        **repeated,
    )
    add("--cache", action="store_true", help="cache responses, unless the request forbids it")
    add("--quiet", action="store_true", help="no summary at the end")
    return options


def _family(title: str) -> str:
    """Describe the faults of one family, with their arguments: `:TEXT` or `[:SECONDS]`."""
    lines = ["", f"{title.lower()}:"]
    for name, kind in FAMILIES[title].items():
        usage = default = ""
        if kind.argument:
            usage = f":{kind.argument.name}"
            usage = usage if kind.argument.required else f"[{usage}]"
            default = "" if kind.argument.default is None else f" ({kind.argument.default:g})"
        lines += textwrap.wrap(
            kind.help + default,
            width=96,
            initial_indent=f"  {name + usage:<20}",
            subsequent_indent=" " * 22,
            break_on_hyphens=False,
        )
    return "\n".join(lines)


def _checked(
    convert: Callable[[str], float], what: str, allowed: Callable[[float], bool]
) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = convert(text)
        except ValueError:
            value = math.nan
        if not allowed(value):
            raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
        return value

    return read


_whole = _checked(int, "a whole number from 0", lambda number: number >= 0)
_positive = _checked(int, "a whole number from 1", lambda number: number >= 1)
_port = _checked(int, f"a port from 0 to {_LAST_PORT}", lambda port: 0 <= port <= _LAST_PORT)
_seconds = _checked(float, "a number of seconds", lambda time: 0 <= time < math.inf)
_window = _checked(float, "a positive number of seconds", lambda time: 0 < time < math.inf)


def _workspace(text: str) -> tuple[str, float]:
    token, equals, leads = text.rpartition("=")
    if not equals or not token:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form TOKEN=LEADS")
    return token, _whole(leads)
