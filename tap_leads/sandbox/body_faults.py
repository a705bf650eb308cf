"""Faults of a body: another one under the same status, whatever the response says.

They apply to what other faults respond with at the same request, too.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tap_leads.sandbox.fault_kind import SCROLL, Argument, Kind
from tap_leads.sandbox.http_response import Response

_BLOCKED = b"<html><head><title>Blocked</title></head><body>Ask your network team.</body></html>\n"
_LISTS = (SCROLL, "contacts")


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


def _miscount(response: Response, leads: int) -> Response:
    def change(body: dict[str, Any]) -> None:
        if "lead" in body:
            body["lead"]["count"] += leads
        else:
            body["total_count"] += leads

    changed = _in_json("lead", change)(response, None)
    return _in_json("total_count", change)(changed, None)


def _limit(body: dict[str, Any]) -> None:
    body["limited"] = True


BODY_FAULTS = {
    "off": Kind(
        "the count of leads is N too high, or too low if N is negative",
        Argument("N", r"-?\d{1,9}", int, required=True),
        ("counts", "contacts"),
        change=_miscount,
    ),
    "limited": Kind(
        "the list says that it is limited, so its count is a lower bound",
        paths=("contacts",),
        change=_in_json("total_count", _limit),
    ),
    "nolist": Kind(
        "without `contacts`; the page is gone",
        paths=_LISTS,
        change=_in_json("contacts", _remove_list),
    ),
    "null-list": Kind(
        "`contacts` is null; the page is gone",
        paths=_LISTS,
        change=_in_json("contacts", _null_list),
    ),
    "wrong-key": Kind(
        "the leads are under `data` in place of `contacts`; the page is gone",
        paths=_LISTS,
        change=_in_json("contacts", _rename_list),
    ),
    "bom": Kind(
        "a byte order mark before the body",
        change=lambda response, _: replace(response, body=b"\xef\xbb\xbf" + response.body),
    ),
    "html": Kind(
        "a firewall's HTML page in place of the body, under the same status: combine it with "
        "status or 403, or use it alone; the page is gone",
        change=_html,
    ),
    "old-errors": Kind(
        "errors, if any, have a `type` in place of a `code`, as in older versions",
        change=_in_json("errors", _rename_code),
    ),
    "spelled-out": Kind(
        "error codes, if any, are spelled out: Request Timeout in place of request_timeout",
        change=_in_json("errors", _spell_out_code),
    ),
}
