"""The options of the command line."""

import argparse
import textwrap

from tap_leads.sandbox.fault_kind import PATHS
from tap_leads.sandbox.faults import FAMILIES, Fault

DEFAULT_PORT = 8642
_LAST_PORT = 65_535


def parser() -> argparse.ArgumentParser:
    """Make the parser of the options; the command after `--` is not among them."""
    options = argparse.ArgumentParser(
        prog="python -m tap_leads.sandbox",
        usage="%(prog)s [options] [-- COMMAND ...]",
        description=(
            "A simulated Intercom on this machine. With COMMAND: runs it with TAP_LEADS_API_URL "
            "and TAP_LEADS_ACCESS_TOKEN set, and ends with its exit code."
        ),
        epilog=_epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = options.add_argument
    add("--port", type=_port, help=f"0 finds a free one ({DEFAULT_PORT}; with COMMAND: 0)")
    add("--leads", type=_whole, default=1000, metavar="N", help="leads of the workspace (1000)")
    add("--seed", type=_whole, default=1, metavar="N", help="which sample leads (1)")
    add(
        "--latency",
        type=_seconds,
        default=0.0,
        metavar="SECONDS",
        help="delay of each response (0)",
    )
    add(
        "--idle-limit",
        type=_seconds,
        default=60.0,
        metavar="SECONDS",
        help="an unused scroll expires after so long (60)",
    )
    add(
        "--scroll-param",
        choices=("constant", "changing"),
        default="constant",
        help="same parameter on every page, as Intercom does, or another, as its documents show",
    )
    add("--token", default="sandbox", help="access token of the workspace (sandbox)")
    add(
        "--workspace",
        type=_workspace,
        action="append",
        default=[],
        metavar="TOKEN=LEADS",
        help="several workspaces, one per token; repeatable, replaces --token and --leads",
    )
    add(
        "--rate-limit", type=_positive, default=1000, metavar="N", help="requests per window (1000)"
    )
    add("--rate-window", type=_window, default=10.0, metavar="SECONDS", help="its length (10)")
    add(
        "--fault",
        type=_fault,
        action="append",
        default=[],
        metavar="[PATH/]KIND@WHEN[:ARG]",
        help="what goes wrong at which request; repeatable, see below",
    )
    add(
        "--cache",
        action="store_true",
        help="a proxy caches responses by address, unless a request forbids it",
    )
    add("--quiet", action="store_true", help="no summary at the end")
    return options


def _epilog() -> str:
    lines = [
        "faults:",
        "  WHEN counts the requests to a path of a workspace, refused ones too: 3 or 3,5 or 3-7,",
        "  3+ (from the third on), * (all). p3 is the third request of every scroll, counted from",
        "  its opening (p1); p2-4 and p3+ work too.",
        f"  PATH is {', '.join(PATHS)} (without PATH: scroll), as in counts/drip@1.",
        "  Faults at the same request add up; of several responses given instead, the first wins.",
        "  The page is gone: the scroll moved on, and a client that continues misses the page.",
    ]
    for title, kinds in FAMILIES.items():
        lines += ["", f"{title.lower()}:"]
        for name, kind in kinds.items():
            lines += textwrap.wrap(
                kind.help + kind.default,
                width=96,
                initial_indent=f"  {name + kind.usage:<20}",
                subsequent_indent=" " * 22,
                break_on_hyphens=False,
            )
    return "\n".join(lines)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0")
    return int(text)


def _port(text: str) -> int:
    port = _whole(text)
    if port > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"there is no port above {_LAST_PORT}")
    return port


def _positive(text: str) -> int:
    number = _whole(text)
    if not number:
        raise argparse.ArgumentTypeError("0 is too few")
    return number


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return seconds


def _window(text: str) -> float:
    seconds = _seconds(text)
    if not seconds:
        raise argparse.ArgumentTypeError("0 is too short")
    return seconds


def _workspace(text: str) -> tuple[str, int]:
    token, equals, leads = text.rpartition("=")
    if not equals or not token:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form TOKEN=LEADS")
    return token, _whole(leads)


def _fault(text: str) -> str:
    try:
        Fault.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text
