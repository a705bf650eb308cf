"""A page is read whatever its encoding; the version of a lead is whole microseconds."""

from __future__ import annotations

import json

import pytest

from tap_leads.records.pages import read_page


@pytest.mark.parametrize(
    ("updated_at", "version"),
    [
        pytest.param(1, 10**6, id="seconds"),
        pytest.param(10**11 - 1, 10**17 - 10**6, id="last-seconds"),
        pytest.param(10**11, 10**14, id="first-milliseconds"),
        pytest.param("2020-07-02T14:52:14.5Z", 1593701534_500_000, id="text"),
    ],
)
def test_a_version_is_a_whole_number(updated_at: object, version: int) -> None:
    body = {"contacts": [{"id": "a", "updated_at": updated_at}], "scroll_param": "s"}
    assert repr(read_page(json.dumps(body).encode()).versions) == f"[('a', {version})]"


def test_a_page_may_begin_with_a_byte_order_mark() -> None:
    body = b'\xef\xbb\xbf{"contacts": [{"id": "a", "updated_at": 1}], "scroll_param": "s"}'
    assert read_page(body).versions == [("a", 10**6)]
