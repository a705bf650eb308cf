"""Faults of a body: another one under the same status, whatever the response says.

They apply to what other faults respond with at the same request, too.
"""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tap_leads.sandbox.fault_kind import SCROLL, Argument, FaultKind
from tap_leads.sandbox.http_response import Response

_BLOCKED = b"<html><head><title>Blocked</title></head><body>Ask your network team.</body></html>\n"
_LISTS = (SCROLL, "contacts")
_COUNTING = ("counts", "contacts")  # the paths that tell how many leads there are
_COUNT = re.compile(rb'(?<="lead":\{"count":)-?\d+|(?<="total_count":)-?\d+')
_LONG = 1000  # digits


def _html(response: Response, _: None) -> Response:
    return replace(response, body=_BLOCKED, content_type="text/html", leads=0)


def _in_json(
    member: str, change: Callable[[dict[str, Any]], None]
) -> Callable[[Response, None], Response]:
    """Change the JSON bodies that have a member; others stay as they are."""

    def changed(response: Response, _: None) -> Response:
        try:
            body = json.loads(response.body)
        except ValueError:
            return response
        if not isinstance(body, dict) or member not in body:
            return response
        change(body)
        return replace(response, body=json.dumps(body, separators=(",", ":")).encode(), leads=0)

    return changed


def _remove_list(body: dict[str, Any]) -> None:
    del body["contacts"]


def _null_list(body: dict[str, Any]) -> None:
    body["contacts"] = None


def _rename_list(body: dict[str, Any]) -> None:
    body["data"] = body.pop("contacts")


def _rename_code(body: dict[str, Any]) -> None:
    for error in body["errors"]:
        error["type"] = error.pop("code", None)


def _spell_out_code(body: dict[str, Any]) -> None:
    for error in body["errors"]:
        for key in {"code", "type"} & error.keys():
            error[key] = error[key].replace("_", " ").title()


def _set_count(response: Response, digits: str) -> Response:
    return replace(response, body=_COUNT.sub(digits.encode(), response.body))


def _shift_count(response: Response, by: int) -> Response:
    def shifted(count: re.Match[bytes]) -> bytes:
        # Python converts no number of thousands of digits, and `number` can make one.
        return b"%d" % max(0, int(count[0]) + by) if len(count[0]) < _LONG else count[0]

    return replace(response, body=_COUNT.sub(shifted, response.body))


def _limit(response: Response, _: None) -> Response:
    return replace(response, body=response.body.replace(b'"limited":false', b'"limited":true'))


BODY_FAULTS = {
    "number": FaultKind(
        "the response says that there are N leads; N may have thousands of digits",
        Argument("N", r"-?(0|[1-9]\d*)", required=True),
        _COUNTING,
        change=_set_count,
    ),
    "off": FaultKind(
        "the number of leads in the response differs by N from the truth; N may be negative",
        Argument("N", r"[+-]?\d{1,9}", int, required=True),
        _COUNTING,
        change=_shift_count,
    ),
    "limited": FaultKind(
        "the list says that it is limited, whatever the number of leads",
        paths=("contacts",),
        change=_limit,
    ),
    "nolist": FaultKind(
        "without `contacts`; the page is gone",
        paths=_LISTS,
        change=_in_json("contacts", _remove_list),
    ),
    "null-list": FaultKind(
        "`contacts` is null; the page is gone",
        paths=_LISTS,
        change=_in_json("contacts", _null_list),
    ),
    "wrong-key": FaultKind(
        "the leads are under `data` in place of `contacts`; the page is gone",
        paths=_LISTS,
        change=_in_json("contacts", _rename_list),
    ),
    "bom": FaultKind(
        "a byte order mark before the body",
        change=lambda response, _: replace(response, body=b"\xef\xbb\xbf" + response.body),
    ),
    "html": FaultKind(
        "a firewall's HTML page in place of the body, under the same status: combine it with "
        "status or 403, or use it alone; the page is gone",
        change=_html,
    ),
    "old-errors": FaultKind(
        "errors, if any, have a `type` in place of a `code`, as in older versions",
        change=_in_json("errors", _rename_code),
    ),
    "spelled-out": FaultKind(
        "error codes, if any, are spelled out: Request Timeout in place of request_timeout",
        change=_in_json("errors", _spell_out_code),
    ),
}
