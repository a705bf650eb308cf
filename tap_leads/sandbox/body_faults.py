"""Faults that change the body of a response, also of one that another fault gives."""

import json
import re
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from tap_leads.sandbox.fault_kind import LISTS, PATHS, Argument, FaultKind
from tap_leads.sandbox.http_response import Response

_BLOCKED = b"<html><head><title>Blocked</title></head><body>Ask your network team.</body></html>\n"
_COUNTING = ("counts", "contacts")  # the paths that tell how many leads there are
_COUNT = re.compile(rb'(?<="lead":\{"count":)-?\d+|(?<="total_count":)-?\d+')
_LONG = 1000  # digits


def _in_json(
    what: str, member: str, change: Callable[[dict[str, Any]], object], paths: Collection[str]
) -> FaultKind:
    """Make a kind that changes the JSON bodies that have a member."""

    def changed(response: Response, _: None) -> Response:
        try:
            body = json.loads(response.body)
        except ValueError:
            return response
        if not isinstance(body, dict) or member not in body:
            return response
        change(body)
        return replace(response, body=json.dumps(body, separators=(",", ":")).encode(), leads=0)

    return FaultKind(what, paths=paths, change=changed)


def _rename_code(body: dict[str, Any]) -> None:
    for error in body["errors"]:
        error["type"] = error.pop("code", None)


def _spell_out_code(body: dict[str, Any]) -> None:
    for error in body["errors"]:
        for key in {"code", "type"} & error.keys():
            error[key] = error[key].replace("_", " ").title()


def _shift_count(response: Response, by: int) -> Response:
    def shifted(count: re.Match[bytes]) -> bytes:
        # Python converts no number of thousands of digits, and `number` can make one.
        return b"%d" % max(0, int(count[0]) + by) if len(count[0]) < _LONG else count[0]

    return replace(response, body=_COUNT.sub(shifted, response.body))


BODY_FAULTS = {
    "number": FaultKind(
        "the response says that there are N leads; N may have thousands of digits",
        Argument("N", r"-?(0|[1-9]\d*)", str.encode, required=True),
        _COUNTING,
        change=lambda response, n: replace(response, body=_COUNT.sub(n, response.body)),
    ),
    "off": FaultKind(
        "the number of leads in the response differs by N from the truth; N may be negative",
        Argument("N", r"[+-]?\d{1,9}", int, required=True),
        _COUNTING,
        change=_shift_count,
    ),
    "limited": _in_json(
        "the list says that it is limited, whatever the number of leads",
        "limited",
        lambda body: body.update(limited=True),
        ("contacts",),
    ),
    "nolist": _in_json(
        "without `contacts`; the page is gone",
        "contacts",
        lambda body: body.pop("contacts"),
        LISTS,
    ),
    "null-list": _in_json(
        "`contacts` is null; the page is gone",
        "contacts",
        lambda body: body.update(contacts=None),
        LISTS,
    ),
    "wrong-key": _in_json(
        "the leads are under `data` in place of `contacts`; the page is gone",
        "contacts",
        lambda body: body.update(data=body.pop("contacts")),
        LISTS,
    ),
    "bom": FaultKind(
        "a byte order mark before the body",
        change=lambda response, _: replace(response, body=b"\xef\xbb\xbf" + response.body),
    ),
    "html": FaultKind(
        "a firewall's HTML page in place of the body, under the same status: combine it with "
        "status or 403, or use it alone; the page is gone",
        change=lambda response, _: replace(
            response, body=_BLOCKED, content_type="text/html", leads=0
        ),
    ),
    "old-errors": _in_json(
        "errors, if any, have a `type` in place of a `code`, as in older versions",
        "errors",
        _rename_code,
        PATHS,
    ),
    "spelled-out": _in_json(
        "error codes, if any, are spelled out: Request Timeout in place of request_timeout",
        "errors",
        _spell_out_code,
        PATHS,
    ),
}
