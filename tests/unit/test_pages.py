"""A body is read as a page or refused."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cases import cases
from support.records import leads_of

from tap_leads.records.convert import Converter
from tap_leads.records.pages import (
    LeadWithoutIdError,
    NotAPageError,
    Version,
    read_page,
    scroll_param_of,
)
from tap_leads.records.schema import LEAD_SCHEMA

SECOND = 1_000_000
ADA = {"id": "1", "updated_at": 1593702734, "name": "Ada"}
BOB = {"id": "2", "updated_at": 1593702735, "name": "Bob"}
ADAS, BOBS = ("1", 1593702734 * SECOND), ("2", 1593702735 * SECOND)


def page(*leads: dict[str, Any], **members: Any) -> bytes:
    """The body of a page."""
    return json.dumps({"type": "contact.list", "contacts": leads} | members).encode()


def versions(*leads: dict[str, Any]) -> list[Version]:
    """The versions on a page."""
    return read_page(page(*leads)).versions


@cases(b"", b"\xef\xbb\xbf")
@cases(
    text=({"scroll_param": "a-b=/+"}, "a-b=/+"),
    empty=({"scroll_param": ""}, None),
    null=({"scroll_param": None}, None),
    number=({"scroll_param": 12}, None),
    list=({"scroll_param": ["a"]}, None),
    missing=({}, None),
)
def test_a_page_has_its_body_its_versions_and_its_token_if_that_is_text(
    members: dict[str, Any], token: str | None, byte_order_mark: bytes
) -> None:
    body = byte_order_mark + page(ADA, BOB, **members)
    read = read_page(body)
    assert (read.body, read.versions, read.scroll_param) == (body, [ADAS, BOBS], token)
    assert scroll_param_of(body) == token


@cases(
    *(page(ADA)[:length] for length in range(0, len(page(ADA)), 7)),
    no_json=b"upstream connect error",
    null=b"null",
    list=b"[]",
    error_list=b'{"type": "error.list", "errors": []}',
    contacts_null=b'{"contacts": null, "scroll_param": "a"}',
    contacts_object=b'{"contacts": {}, "scroll_param": "a"}',
    lead_null=b'{"contacts": [null]}',
    lead_list=b'{"contacts": [["id"]]}',
    cut_off_at_the_last_byte=page(ADA)[:-1],
    cut_off_with_nul=page({"id": "\0"})[:-1],
    cut_off_with_surrogate=page({"id": "\ud800"})[:-1],
    more_after_the_end=page(ADA) + b"}",
    no_number=b'{"contacts": [{"id": "1", "x": 01}]}',
    nested_and_cut_off=b'{"contacts": [{"id": "1", "x": ' + b"[" * 100_000,
)
def test_what_is_no_page_is_refused_by_an_error_that_quotes_nothing(body: bytes) -> None:
    for read in (read_page, leads_of):
        with pytest.raises(NotAPageError, match=r"^\w+$") as caught:
            read(body)
        assert (caught.value.__cause__, caught.value.__suppress_context__) == (None, True)


@cases({"type": "error.list"}, {"type": "user"}, {"errors": []})
def test_errors_are_no_page_even_with_leads_beside_them(members: dict[str, Any]) -> None:
    with pytest.raises(NotAPageError):
        read_page(page(ADA, **members))


@cases({}, *({"id": value} for value in (None, False, True, "", 1.5, 1.0, {"$oid": "1"}, ["1"])))
def test_a_lead_without_an_id_is_an_error_that_names_no_value(lead: dict[str, Any]) -> None:
    body = page(ADA, lead | {"email": "ada@example.com"})
    for read in (read_page, Converter(LEAD_SCHEMA).leads):
        with pytest.raises(
            LeadWithoutIdError, match=r"without an id.*report this to Intercom\."
        ) as caught:
            read(body)
        assert "ada@example.com" not in str(caught.value)


@cases(12, 0, -1, 2**70)
def test_an_id_that_is_a_number_becomes_its_text(number: int) -> None:
    lead = {"id": number, "updated_at": 1}
    assert versions(lead) == [(str(number), SECOND)]
    (record,) = Converter(LEAD_SCHEMA).leads(page(lead))
    assert (record["id"], record["additional_fields"]) == (str(number), None)


@cases(
    seconds=("1593702734", 1593702734 * SECOND),
    last_seconds=("99999999999", 99999999999 * SECOND),
    first_milliseconds=("100000000000", 100000000 * SECOND),
    text=('"1593702734"', 1593702734 * SECOND),
    iso=('"2020-07-02T14:52:14.5Z"', 1593701534 * SECOND + 500_000),
    decimal=("1593702734.50", 1593702734 * SECOND + 500_000),
    zero=("0", 0),
    before_1970=("-5", -5 * SECOND),
)
def test_the_version_is_the_time_of_change_in_microseconds(updated_at: str, version: int) -> None:
    body = f'{{"contacts": [{{"id": "1", "updated_at": {updated_at}}}]}}'.encode()
    assert repr(read_page(body).versions) == f"[('1', {version})]"


@cases({}, *({"updated_at": value} for value in (None, "", "yesterday", False)))
def test_without_a_time_of_change_the_content_tells_versions_apart(time: dict[str, Any]) -> None:
    first, other = {"id": "1", "name": "Ada"} | time, {"id": "1", "name": "Eve"} | time
    assert versions(first) == versions(first)
    assert versions(first) != versions(other)
    assert versions(first, other) == versions(first) + versions(other)
    assert "Ada" not in str(versions(first))


@cases("plain", "\0", "\ud800", "\u00e9\ud83d")
def test_the_version_of_a_lead_is_the_same_whatever_else_is_on_the_page(text: str) -> None:
    lead = {"id": "1", "name": "Zoë \U0001f600", "x": [1.50, 2**70, {"b": 1, "a": None}]}
    first, other = {"id": "1", "x": text}, {"id": "2", "x": text}
    assert versions(lead, ADA, other) == [*versions(lead), ADAS, *versions(other)]
    assert versions({"x": lead["x"], **lead}) == versions(lead)
    assert versions(first)[0][1] != versions(other)[0][1]


@cases("plain", "Zoë \U0001f600", "\0", "\ud800", "\\u0000")
def test_only_the_wanted_leads_stay_in_the_body_and_are_as_they_were(text: str) -> None:
    leads = [{"id": str(number), "updated_at": number, "x": [text, "@"]} for number in range(4)]
    read = read_page(page(*leads, scroll_param="token-1").replace(b'"@"', b"0.10"))
    sent = leads_of(read.body)
    assert sent[0]["x"][1:] == [Decimal("0.10")]
    for wanted in ([0, 1, 2, 3], [1, 3], [2], []):
        only = read.only(wanted)
        assert repr(leads_of(only)) == repr([sent[position] for position in wanted])
        assert scroll_param_of(only) == "token-1"


@given(body=st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
def test_any_bytes_are_a_page_or_are_refused(body: bytes) -> None:
    for prefix in (b"", b'{"contacts": ', b'{"contacts": [{"id": "1", "x": '):
        with suppress(NotAPageError, LeadWithoutIdError):
            leads_of(prefix + body)
            read_page(prefix + body)
