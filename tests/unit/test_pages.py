"""A body is read as a page or refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
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


@cases(
    text=({"scroll_param": "a-b=/+"}, "a-b=/+"),
    empty=({"scroll_param": ""}, None),
    null=({"scroll_param": None}, None),
    number=({"scroll_param": 12}, None),
    list=({"scroll_param": ["a"]}, None),
    missing=({}, None),
)
def test_a_page_has_its_body_its_versions_and_its_token_if_that_is_text(
    members: dict[str, Any], token: str | None
) -> None:
    body = page(ADA, BOB, **members)
    read = read_page(body)
    assert (read.body, read.versions, read.scroll_param) == (body, [ADAS, BOBS], token)
    assert scroll_param_of(body) == token


def test_an_empty_page_has_no_versions() -> None:
    assert versions() == []
    assert leads_of(page()) == []


@pytest.mark.parametrize("read", [read_page, leads_of])
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"upstream connect error", id="no-json"),
        pytest.param(b"<html><body>502</body></html>", id="html"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="list"),
        pytest.param(b'"contacts"', id="text"),
        pytest.param(b"{}", id="contacts-missing"),
        pytest.param(b'{"type": "error.list", "errors": []}', id="error-list"),
        pytest.param(b'{"contacts": null, "scroll_param": "a"}', id="contacts-null"),
        pytest.param(b'{"contacts": {}, "scroll_param": "a"}', id="contacts-object"),
        pytest.param(b'{"contacts": "", "scroll_param": "a"}', id="contacts-text"),
        pytest.param(b'{"contacts": [null]}', id="lead-null"),
        pytest.param(b'{"contacts": [["id"]]}', id="lead-list"),
        pytest.param(b'{"contacts": ["1"]}', id="lead-text"),
        pytest.param(page(ADA)[:-1], id="cut-off-at-the-last-byte"),
        pytest.param(page(ADA, BOB)[:60], id="cut-off-midway"),
        pytest.param(page({"id": "\0"})[:-1], id="cut-off-with-nul"),
        pytest.param(page({"id": "\ud800"})[:-1], id="cut-off-with-surrogate"),
        pytest.param(page(ADA) + b"}", id="more-after-the-end"),
        pytest.param(b'{"contacts": [{"id": "1", "x": 01}]}', id="no-number"),
        pytest.param(b'{"contacts": [{"id": "1", "x": ' + b"[" * 100_000, id="nested-and-cut-off"),
        *(page(ADA)[:length] for length in range(0, len(page(ADA)), 7)),
    ],
)
def test_what_is_no_page_is_refused(read: Callable[[bytes], Any], body: bytes) -> None:
    with pytest.raises(NotAPageError):
        read(body)


@cases({"type": "error.list"}, {"type": "user"}, {"errors": []})
def test_errors_are_no_page_even_with_leads_beside_them(members: dict[str, Any]) -> None:
    with pytest.raises(NotAPageError):
        read_page(page(ADA, **members))


def test_a_refusal_quotes_nothing_of_the_body() -> None:
    with pytest.raises(NotAPageError) as caught:
        read_page(b'{"contacts": [{"email": "ada@example.com"')
    assert "ada" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("read", [read_page, Converter(LEAD_SCHEMA).leads])
@pytest.mark.parametrize(
    "lead",
    [
        {},
        *({"id": value} for value in (None, False, True, "", 1.5, 1.0)),
        {"id": {"$oid": "1"}},
        {"id": ["1"]},
    ],
    ids=str,
)
def test_a_lead_without_an_id_is_an_error_that_names_no_value(
    read: Callable[[bytes], Any], lead: dict[str, Any]
) -> None:
    with pytest.raises(LeadWithoutIdError, match="without an id") as caught:
        read(page(ADA, lead | {"email": "ada@example.com"}))
    assert "ada@example.com" not in str(caught.value)


@cases(12, 0, -1, 2**70)
def test_an_id_that_is_a_number_becomes_its_text(number: int) -> None:
    lead = {"id": number, "updated_at": 1}
    assert versions(lead) == [(str(number), SECOND)]
    (record,) = Converter(LEAD_SCHEMA).leads(page(lead))
    assert record["id"] == str(number)
    assert record["additional_fields"] is None


@cases(
    seconds=(1, 10**6),
    last_seconds=(10**11 - 1, 10**17 - 10**6),
    first_milliseconds=(10**11, 10**14),
    text=("2020-07-02T14:52:14.5Z", 1593701534_500_000),
)
def test_a_version_is_a_whole_number(updated_at: object, version: int) -> None:
    body = {"contacts": [{"id": "a", "updated_at": updated_at}], "scroll_param": "s"}
    assert repr(read_page(json.dumps(body).encode()).versions) == f"[('a', {version})]"


def test_a_page_may_begin_with_a_byte_order_mark() -> None:
    body = b'\xef\xbb\xbf{"contacts": [{"id": "a", "updated_at": 1}], "scroll_param": "s"}'
    assert read_page(body).versions == [("a", 10**6)]


@cases(
    seconds=("1593702734", 1593702734 * SECOND),
    milliseconds=("1593702734000", 1593702734 * SECOND),
    text=('"1593702734"', 1593702734 * SECOND),
    iso=('"2020-07-02T14:52:14.5Z"', 1593701534 * SECOND + 500_000),
    decimal=("1593702734.50", 1593702734 * SECOND + 500_000),
    zero=("0", 0),
    before_1970=("-5", -5 * SECOND),
)
def test_the_version_is_the_time_of_change_in_microseconds(updated_at: str, version: int) -> None:
    body = f'{{"contacts": [{{"id": "1", "updated_at": {updated_at}}}]}}'.encode()
    assert read_page(body).versions == [("1", version)]


@pytest.mark.parametrize(
    "time", [{}, *({"updated_at": value} for value in (None, "", "yesterday", False))], ids=str
)
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


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
LEADS = st.lists(st.dictionaries(TEXT, VALUES, max_size=4), max_size=4)


@given(leads=LEADS, ascii_only=st.booleans())
@example(leads=[{"x": "\\u0000"}], ascii_only=True)
@settings(deadline=None)
def test_any_leads_come_out_as_they_were_sent(
    leads: list[dict[str, Any]], *, ascii_only: bool
) -> None:
    body = json.dumps({"contacts": leads}, ensure_ascii=ascii_only).encode()
    assert repr(leads_of(body)) == repr(leads)


@given(body=st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
@settings(deadline=None)
def test_any_bytes_are_a_page_or_are_refused(body: bytes) -> None:
    for prefix in (b"", b'{"contacts": ', b'{"contacts": [{"id": "1", "x": '):
        try:
            leads_of(prefix + body)
            read_page(prefix + body)
        except (NotAPageError, LeadWithoutIdError):
            continue
