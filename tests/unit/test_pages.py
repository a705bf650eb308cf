"""A body is read as a page or refused; its leads come exact and free of what breaks loaders."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.records import leads_of

from tap_leads.records.pages import (
    LeadWithoutIdError,
    NotAPageError,
    Version,
    read_page,
)


def page(*leads: dict[str, Any], **members: Any) -> bytes:
    """The body of a page."""
    head = {"type": "contact.list", "scroll_param": "token-1"} | members
    return json.dumps(head | {"contacts": leads}).encode()


def page_with(value: str) -> bytes:
    """The body of a page with one lead, whose field `x` is written just so."""
    lead = f'{{"id": "1", "updated_at": 5, "x": {value}}}'
    return f'{{"contacts": [{lead}], "scroll_param": "token-1"}}'.encode(errors="surrogatepass")


def value_in(body: bytes) -> Any:
    """The field `x` of a page's one lead."""
    (lead,) = leads_of(body)
    return lead["x"]


SECOND = 1_000_000
ADA = {"id": "1", "updated_at": 1593702734, "name": "Ada"}
BOB = {"id": "2", "updated_at": 1593702735, "name": "Bob"}


def test_a_page_has_its_body_its_versions_and_the_token_of_the_next() -> None:
    body = page(ADA, BOB)
    read = read_page(body)
    assert read.body == body
    assert read.versions == [("1", 1593702734 * SECOND), ("2", 1593702735 * SECOND)]
    assert read.scroll_param == "token-1"


@pytest.mark.parametrize(
    ("members", "token"),
    [
        pytest.param({"scroll_param": "a-b=/+"}, "a-b=/+", id="text"),
        pytest.param({"scroll_param": ""}, None, id="empty"),
        pytest.param({"scroll_param": None}, None, id="null"),
        pytest.param({"scroll_param": 12}, None, id="number"),
        pytest.param({"scroll_param": ["a"]}, None, id="list"),
    ],
)
def test_only_text_is_a_token(members: dict[str, Any], token: str | None) -> None:
    assert read_page(page(ADA, **members)).scroll_param == token


def test_leads_without_a_token_are_a_page_that_names_no_next_one() -> None:
    read = read_page(json.dumps({"contacts": [ADA]}).encode())
    assert read.versions == [("1", 1593702734 * SECOND)]
    assert read.scroll_param is None


def test_an_empty_page_has_no_versions() -> None:
    assert read_page(page()).versions == []
    assert leads_of(page()) == []


NO_PAGES = [
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
    pytest.param(page_with("01"), id="no-number"),
    pytest.param(page_with("[" * 100_000), id="nested-and-cut-off"),
]


@pytest.mark.parametrize("body", NO_PAGES)
def test_what_is_no_page_is_refused(body: bytes) -> None:
    with pytest.raises(NotAPageError):
        read_page(body)


@pytest.mark.parametrize("body", NO_PAGES)
def test_what_is_no_page_gives_no_leads_either(body: bytes) -> None:
    with pytest.raises(NotAPageError):
        leads_of(body)


@pytest.mark.parametrize("length", range(0, len(page(ADA)), 7))
def test_a_cut_off_page_is_no_page_wherever_it_was_cut(length: int) -> None:
    with pytest.raises(NotAPageError):
        read_page(page(ADA)[:length])


def test_a_refusal_quotes_nothing_of_the_body() -> None:
    with pytest.raises(NotAPageError) as caught:
        read_page(b'{"contacts": [{"email": "ada@example.com"')
    assert "ada" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    "lead",
    [
        pytest.param({}, id="missing"),
        pytest.param({"id": None}, id="null"),
        pytest.param({"id": ""}, id="empty"),
        pytest.param({"id": 1.5}, id="decimal"),
        pytest.param({"id": False}, id="boolean"),
        pytest.param({"id": {}}, id="object"),
    ],
)
def test_a_lead_without_an_id_is_an_error_of_its_own(lead: dict[str, Any]) -> None:
    with pytest.raises(LeadWithoutIdError):
        read_page(page(ADA, lead))


def test_an_id_that_is_a_number_is_the_same_as_its_text() -> None:
    assert read_page(page({"id": 12, "updated_at": 1})).versions == [("12", SECOND)]


@pytest.mark.parametrize(
    ("updated_at", "version"),
    [
        pytest.param("1593702734", 1593702734 * SECOND, id="seconds"),
        pytest.param("1593702734000", 1593702734 * SECOND, id="milliseconds"),
        pytest.param('"1593702734"', 1593702734 * SECOND, id="text"),
        pytest.param('"2020-07-02T14:52:14.5Z"', 1593701534 * SECOND + 500_000, id="iso"),
        pytest.param("1593702734.50", 1593702734 * SECOND + 500_000, id="decimal"),
        pytest.param("0", 0, id="zero"),
        pytest.param("-5", -5 * SECOND, id="before-1970"),
    ],
)
def test_the_version_is_the_time_of_change_in_microseconds(updated_at: str, version: int) -> None:
    body = f'{{"contacts": [{{"id": "1", "updated_at": {updated_at}}}]}}'.encode()
    assert read_page(body).versions == [("1", version)]


WITHOUT_TIME = [
    pytest.param({}, id="missing"),
    pytest.param({"updated_at": None}, id="null"),
    pytest.param({"updated_at": ""}, id="empty"),
    pytest.param({"updated_at": "yesterday"}, id="garbage"),
    pytest.param({"updated_at": False}, id="boolean"),
]


@pytest.mark.parametrize("updated_at", WITHOUT_TIME)
def test_without_a_time_of_change_the_content_tells_versions_apart(
    updated_at: dict[str, Any],
) -> None:
    def versions(*leads: dict[str, Any]) -> list[Version]:
        return read_page(page(*(lead | updated_at for lead in leads))).versions

    first, other = {"id": "1", "name": "Ada"}, {"id": "1", "name": "Eve"}
    assert versions(first) == versions(first)
    assert versions(first) != versions(other)
    assert versions(first, other) == versions(first) + versions(other)
    assert "Ada" not in str(versions(first))


def test_one_lead_without_a_time_of_change_leaves_the_others_versions_alone() -> None:
    (first, second, third) = read_page(page(ADA, {"id": "3"}, BOB)).versions
    assert first == ("1", 1593702734 * SECOND)
    assert third == ("2", 1593702735 * SECOND)
    assert len(str(second[1])) == 64


@pytest.mark.parametrize("text", ["\0", "\ud800", "\u00e9\ud83d"])
def test_versions_are_told_apart_where_the_page_must_be_repaired(text: str) -> None:
    first, other = {"id": "1", "x": text}, {"id": "2", "x": text}
    versions = read_page(page(first, other, ADA)).versions
    assert [identity for identity, _ in versions] == ["1", "2", "1"]
    assert versions[0][1] != versions[1][1]
    assert versions[2] == ("1", 1593702734 * SECOND)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("plain", id="plain"),
        pytest.param("Zoë \U0001f600", id="unicode"),
        pytest.param("\0", id="nul"),
        pytest.param("\ud800", id="surrogate"),
        pytest.param("\\u0000", id="escaped-nul"),
    ],
)
def test_only_what_is_wanted_stays_in_the_body_and_as_it_was(text: str) -> None:
    leads = [{"id": str(number), "updated_at": number, "x": text} for number in range(4)]
    read = read_page(page(*leads))
    assert leads_of(read.only([1, 3])) == leads_of(page(leads[1], leads[3]))
    assert leads_of(read.only([0, 1, 2, 3])) == leads_of(read.body)
    assert leads_of(read.only([])) == []
    assert read_page(read.only([1])).scroll_param == read.scroll_param


@pytest.mark.parametrize("other", ["plain", "\ud800", "\0", "\u00e9\ud83d"])
def test_the_content_of_a_lead_is_the_same_whatever_else_is_on_the_page(other: str) -> None:
    lead = {"id": "1", "name": "Zoë \U0001f600", "x": [1.50, 2**70, {"b": 1, "a": None}]}
    alone = read_page(page(lead)).versions
    assert read_page(page(lead, {"id": "2", "name": other})).versions[:1] == alone
    assert read_page(page({"x": lead["x"], **lead})).versions == alone


def test_only_keeps_every_digit() -> None:
    body = f'{{"contacts": [{{"id": "1"}}, {{"id": "2", "x": 0.10, "y": {2**70}}}]}}'.encode()
    read = read_page(body)
    (lead,) = leads_of(read.only([1]))
    assert repr(lead) == repr({"id": "2", "x": Decimal("0.10"), "y": 2**70})


@pytest.mark.parametrize(
    ("written", "value"),
    [
        pytest.param('"a\\u0000b"', "a\ufffdb", id="nul"),
        pytest.param('"\\ud800"', "\ufffd", id="high-surrogate"),
        pytest.param('"\\udfff!"', "\ufffd!", id="low-surrogate"),
        pytest.param('"\\udc00\\ud800"', "\ufffd\ufffd", id="surrogates-in-wrong-order"),
        pytest.param('"\\ud83d\\ude00"', "\U0001f600", id="pair"),
        pytest.param('"\\u0000\\ud83d\\ude00"', "\ufffd\U0001f600", id="nul-and-pair"),
        pytest.param('"\\ud83d\\ud83d\\ude00"', "\ufffd\U0001f600", id="half-and-pair"),
        pytest.param('"\\\\u0000"', "\\u0000", id="backslash-before-u0000"),
        pytest.param('"\\\\\\u0000"', "\\\ufffd", id="backslash-before-nul"),
        pytest.param('"\\\\u0000 \\u0000"', "\\u0000 \ufffd", id="both"),
        pytest.param('"\\\\ud800"', "\\ud800", id="backslash-before-ud800"),
        pytest.param('"\\\\ud800 \\ud800"', "\\ud800 \ufffd", id="both-surrogates"),
        pytest.param('"\\ufffd"', "\ufffd", id="the-replacement-itself"),
        pytest.param('"\\ufffe\\uffff"', "\ufffe\uffff", id="noncharacters"),
        pytest.param('"\\ufeff"', "\ufeff", id="byte-order-mark"),
        pytest.param('"\\u0000\\ufeff"', "\ufffd\ufeff", id="byte-order-mark-in-a-repaired-page"),
        pytest.param('"\\u0001\\u007f\\t"', "\x01\x7f\t", id="other-control-characters"),
        pytest.param('"a\tb"', "a\tb", id="bare-control-character"),
        pytest.param("NaN", "NaN", id="not-a-number"),
        pytest.param("Infinity", "Infinity", id="infinity"),
        pytest.param("-Infinity", "-Infinity", id="minus-infinity"),
        pytest.param('[NaN, "NaN"]', ["NaN", "NaN"], id="not-a-number-in-a-list"),
        pytest.param('["a\\u0000", ["\\ud800"]]', ["a\ufffd", ["\ufffd"]], id="in-lists"),
        pytest.param('{"a\\u0000": {"\\ud800": 1}}', {"a\ufffd": {"\ufffd": 1}}, id="in-keys"),
    ],
)
def test_characters_that_databases_refuse_are_replaced_and_no_others(
    written: str, value: Any
) -> None:
    assert value_in(page_with(written)) == value


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(b"\xff", id="no-start"),
        pytest.param(b"\xc3", id="cut-off-character"),
        pytest.param(b"\xed\xa0\x80", id="surrogate-as-utf-8"),
    ],
)
def test_bytes_that_are_no_utf_8_are_replaced(written: bytes) -> None:
    body = page_with('"a?b"').replace(b"?", written)
    assert read_page(body).versions == [("1", 5 * SECOND)]
    text = value_in(body)
    assert (text[0], text[-1], set(text[1:-1])) == ("a", "b", {"\ufffd"})


@pytest.mark.parametrize("malformed", ["", '"\\u0000", "y": ', '"\\ud800", "y": '])
@pytest.mark.parametrize(
    ("written", "value"),
    [
        pytest.param(str(2**63), 2**63, id="2**63"),
        pytest.param(str(2**64), 2**64, id="2**64"),
        pytest.param(str(-(2**70) - 1), -(2**70) - 1, id="negative"),
        pytest.param("1" * 100, int("1" * 100), id="100-digits"),
        pytest.param("0.1", Decimal("0.1"), id="decimal"),
        pytest.param("1.0", Decimal("1.0"), id="whole"),
        pytest.param("0.10000", Decimal("0.10000"), id="zeros-at-the-end"),
        pytest.param("1." + "1" * 50, Decimal("1." + "1" * 50), id="51-digits"),
        pytest.param("1E400", Decimal("1E400"), id="beyond-floats"),
        pytest.param("-0.0", Decimal("-0.0"), id="minus-zero"),
    ],
)
def test_numbers_keep_every_digit_also_where_the_page_is_mended(
    malformed: str, written: str, value: Any
) -> None:
    (lead,) = leads_of(page_with(malformed + written))
    assert repr(lead["y" if malformed else "x"]) == repr(value)


def test_keys_that_become_alike_are_all_kept() -> None:
    body = page_with('{"a\\u0000": 1, "a\\ufffd": 2, "a\\ud800": 3, "a": 4}')
    value = value_in(body)
    assert sorted(value.values()) == [1, 2, 3, 4]
    assert value["a"] == 4
    assert all(set(key) <= {"a", "\ufffd"} for key in value)


def test_a_page_nested_as_deeply_as_people_nest_is_read() -> None:
    value: Any = "bottom"
    for _ in range(100):
        value = {"down": [value]}
    assert value_in(page_with(json.dumps(value))) == value
    repaired = value_in(page_with(json.dumps([value, "\0"])))
    assert repaired == [value, "\ufffd"]


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


def cleaned(value: Any) -> Any:
    """What a repaired value must be, said another way: character by character."""
    if isinstance(value, str):
        return "".join(
            "\ufffd" if char == "\0" or "\ud800" <= char <= "\udfff" else char for char in value
        )
    if isinstance(value, list):
        return [cleaned(item) for item in value]
    return value


ANY_TEXT = st.text(st.characters() | st.sampled_from('\0\\u"d8'), max_size=12)
HALF = st.sampled_from(["\ud800", "\udfff", "\0", "\\u0000", "\\ud800"])
MALFORMED = st.recursive(ANY_TEXT | HALF, lambda inner: st.lists(inner, max_size=3), max_leaves=8)


def join_pairs(value: Any) -> Any:
    """Two halves side by side are one character, as JSON cannot tell them apart."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    return [join_pairs(item) for item in value]


@given(value=MALFORMED)
@settings(deadline=None)
def test_malformed_text_of_any_kind_is_replaced_one_for_one(value: Any) -> None:
    assert value_in(page_with(json.dumps(value))) == cleaned(join_pairs(value))


@given(body=st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
@settings(deadline=None)
def test_any_bytes_are_a_page_or_are_refused(body: bytes) -> None:
    for prefix in (b"", b'{"contacts": ', b'{"contacts": [{"id": "1", "x": '):
        try:
            leads_of(prefix + body)
            read_page(prefix + body)
        except (NotAPageError, LeadWithoutIdError):
            continue
