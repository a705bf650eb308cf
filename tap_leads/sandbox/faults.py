"""What goes wrong at which request: `KIND@WHEN[:ARG]`, for example `restart@3` or `slow@5+:2`.

This module knows the language only; what a fault does to an answer stands in `scroll`.
"""

import re
from typing import NamedTuple


class Kind(NamedTuple):
    """A kind of fault."""

    help: str
    argument: str = ""  # what ARG means; empty when there is none
    default: float | None = None  # of ARG
    whole: bool = False  # whether ARG counts something


KINDS = {
    "restart": Kind("500 asks to restart the scroll; the page is gone"),
    "lost": Kind("the page is gone: connection closed without an answer"),
    "reset": Kind("connection reset before anything happened"),
    "hang": Kind("the page is gone: no answer for SECONDS, then closed", "SECONDS", 3600.0),
    "slow": Kind("answers well, but after SECONDS", "SECONDS", 1.0),
    "cut": Kind("the page is gone: half of the body is sent, then closed"),
    "429": Kind("rate limit exceeded; Reset is SECONDS ahead", "SECONDS", 1.0),
    "429-bare": Kind("429 without any X-RateLimit header"),
    "429-skewed": Kind("429 whose Reset lies an hour in the past"),
    "expire": Kind("the scroll is gone: 404 not_found"),
    "html502": Kind("502 with an HTML body; the page is gone"),
    "503": Kind("503 with an empty body; the page is gone"),
    "nojson": Kind("200 with text that is no JSON; the page is gone"),
    "empty-body": Kind("200 with zero bytes; the page is gone"),
    "nolist": Kind("200 without `contacts`; the page is gone"),
    "null-list": Kind("200 where `contacts` is null; the page is gone"),
    "exists": Kind(
        "400 scroll_exists; with SECONDS: somebody else scrolls for so long, from the first time",
        "SECONDS",
    ),
    "401": Kind("401 unauthorized"),
    "403": Kind("403 forbidden"),
    "404": Kind("404, as for a wrong path"),
    "version": Kind("400 intercom_version_invalid"),
    "302": Kind("redirects to another path"),
    "repeat": Kind("the page before is served once more"),
    "no-end": Kind("404 in place of the empty page at the end"),
    "types": Kind("some leads of the page carry wrong types and dirt"),
    "no-id": Kind("one lead of the page has no id"),
    "update": Kind("N leads were edited just before", "N", 10, whole=True),
    "delete": Kind("N leads vanished just before, from the end of the list", "N", 10, whole=True),
    "add": Kind("N leads appeared just before, at the end of the list", "N", 10, whole=True),
}

_SPAN = re.compile(r"(?P<first>[1-9]\d*)(?:(?P<open>\+)|-(?P<last>[1-9]\d*))?", re.ASCII)
_NUMBER = re.compile(r"\d+(\.\d+)?", re.ASCII)


class Fault(NamedTuple):
    """One thing that goes wrong, and at which requests to the scroll of a workspace."""

    kind: str
    spans: tuple[tuple[int, float], ...]  # first and last ordinal
    argument: float | None

    def fires(self, ordinal: int) -> bool:
        """Tell whether it goes wrong at this request (1 is the first)."""
        return any(first <= ordinal <= last for first, last in self.spans)

    @classmethod
    def parse(cls, text: str) -> "Fault":
        """Read `KIND@WHEN[:ARG]`.

        Raises:
            ValueError: It is not written like that; the message says what is wrong.
        """
        name, at, rest = text.partition("@")
        when, colon, argument = rest.partition(":")
        if not at or not when:
            raise ValueError(f"{text!r} is not of the form KIND@WHEN[:ARG]")
        kind = KINDS.get(name)
        if kind is None:
            raise ValueError(f"there is no fault {name!r}; choose from {', '.join(KINDS)}")
        if not colon:
            return cls(name, _spans(when), kind.default)
        if not kind.argument:
            raise ValueError(f"the fault {name} takes no argument")
        if not _NUMBER.fullmatch(argument) or (kind.whole and not argument.isdigit()):
            raise ValueError(f"{argument!r} is no {kind.argument} for the fault {name}")
        return cls(name, _spans(when), float(argument))


def _spans(when: str) -> tuple[tuple[int, float], ...]:
    if when == "*":
        return ((1, float("inf")),)
    spans: list[tuple[int, float]] = []
    for part in when.split(","):
        found = _SPAN.fullmatch(part)
        if not found:
            raise ValueError(f"{when!r} names no requests; write 3 or 3,5 or 3-7 or 3+ or *")
        first = int(found["first"])
        last = float("inf") if found["open"] else float(found["last"] or first)
        if last < first:
            raise ValueError(f"{part!r} ends before it begins")
        spans.append((first, last))
    return tuple(spans)
