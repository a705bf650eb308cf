"""Malformed values are repaired and kept, nothing else changes, and a sync goes on."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.cases import cases
from support.records import leads_of

from tap_leads.records.convert import Converter
from tap_leads.records.pages import read_page
from tap_leads.records.repair import MAX_DIGITS
from tap_leads.records.schema import LEAD_SCHEMA


def page_with(value: str) -> bytes:
    """The body of a page with one lead, whose field `x` is written like this."""
    lead = f'{{"id": "1", "updated_at": 5, "x": {value}}}'
    return f'{{"contacts": [{lead}], "scroll_param": "token-1"}}'.encode(errors="surrogatepass")


def value_in(body: bytes) -> Any:
    """The field `x` of a page's one lead."""
    (lead,) = leads_of(body)
    return lead["x"]


@cases(
    nul=('"a\\u0000b"', "a\ufffdb"),
    high_surrogate=('"\\ud800"', "\ufffd"),
    low_surrogate=('"\\udfff!"', "\ufffd!"),
    surrogates_in_wrong_order=('"\\udc00\\ud800"', "\ufffd\ufffd"),
    pair=('"\\ud83d\\ude00"', "\U0001f600"),
    nul_and_pair=('"\\u0000\\ud83d\\ude00"', "\ufffd\U0001f600"),
    half_and_pair=('"\\ud83d\\ud83d\\ude00"', "\ufffd\U0001f600"),
    backslash_before_u0000=('"\\\\u0000"', "\\u0000"),
    backslash_before_nul=('"\\\\\\u0000"', "\\\ufffd"),
    both=('"\\\\u0000 \\u0000"', "\\u0000 \ufffd"),
    backslash_before_ud800=('"\\\\ud800"', "\\ud800"),
    both_surrogates=('"\\\\ud800 \\ud800"', "\\ud800 \ufffd"),
    the_replacement_itself=('"\\ufffd"', "\ufffd"),
    noncharacters=('"\\ufffe\\uffff"', "\ufffe\uffff"),
    byte_order_mark=('"\\ufeff"', "\ufeff"),
    byte_order_mark_in_a_repaired_page=('"\\u0000\\ufeff"', "\ufffd\ufeff"),
    other_control_characters=('"\\u0001\\u007f\\t"', "\x01\x7f\t"),
    bare_control_character=('"a\tb"', "a\tb"),
    not_a_number=("NaN", "NaN"),
    infinity=("Infinity", "Infinity"),
    minus_infinity=("-Infinity", "-Infinity"),
    not_a_number_in_a_list=('[NaN, "NaN"]', ["NaN", "NaN"]),
    in_lists=('["a\\u0000", ["\\ud800"]]', ["a\ufffd", ["\ufffd"]]),
    in_keys=('{"a\\u0000": {"\\ud800": 1}}', {"a\ufffd": {"\ufffd": 1}}),
)
def test_characters_that_databases_refuse_are_replaced_and_no_others(
    written: str, value: Any
) -> None:
    assert value_in(page_with(written)) == value


@cases(no_start=b"\xff", cut_off_character=b"\xc3", surrogate_as_utf_8=b"\xed\xa0\x80")
def test_bytes_that_are_no_utf_8_are_replaced(written: bytes) -> None:
    body = page_with('"a?b"').replace(b"?", written)
    assert read_page(body).versions == [("1", 5_000_000)]
    text = value_in(body)
    assert (text[0], text[-1], set(text[1:-1])) == ("a", "b", {"\ufffd"})


@pytest.mark.parametrize("malformed", ["", '"\\u0000", "y": ', '"\\ud800", "y": '])
@pytest.mark.parametrize(
    "number",
    [
        *(2**63, 2**64, -(2**70) - 1, int("1" * 100)),
        *map(Decimal, ["0.1", "1.0", "0.10000", "1." + "1" * 50, "1E+400", "-0.0"]),
    ],
    ids=str,
)
def test_numbers_keep_every_digit_also_where_the_page_is_repaired(
    malformed: str, number: int | Decimal
) -> None:
    (lead,) = leads_of(page_with(f"{malformed}{number}"))
    assert repr(lead["y" if malformed else "x"]) == repr(number)


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


DIGITS = "9" * 5_000
EXPONENT = "1e5000000000000000000"
DEEP = 1_000

PLACES = {
    "custom-attribute": '"custom_attributes": {"plan": %s}',
    "unknown-field": '"~unknown": [%s]',
    "number": '"session_count": %s',
    "time": '"created_at": %s',
    "version": '"updated_at": %s',
    "text": '"email": %s',
    "list": '"tags": {"type": "tag.list", "tags": [{"id": %s}]}',
    "part": '"location_data": {"latitude": %s}',
}
SLOW = {"fast": "", "slow": ', "name": "a\\u0000"'}


def record_of(lead: str, *, times: int = 1) -> dict[str, Any]:
    """The record of a lead between two others."""
    body = f'{{"contacts": [{{"id": "1"}}, {lead}, {{"id": "3"}}]}}'.encode()
    assert [identity for identity, _ in read_page(body).versions] == ["1", "2", "3"]
    converter = Converter(LEAD_SCHEMA)
    found = [converter.leads(body)[1] for _ in range(times)]
    encoded = [msgspec.json.Encoder(decimal_format="number").encode(one) for one in found]
    assert len(set(encoded)) == 1, "a field that was learned is converted as before"
    record: dict[str, Any] = json.loads(encoded[0], parse_float=str)
    return record


@pytest.mark.parametrize("rest", SLOW.values(), ids=SLOW)
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize(
    "number",
    [
        pytest.param(DIGITS, id="digits"),
        pytest.param(f"-{DIGITS}", id="negative"),
        pytest.param(EXPONENT, id="exponent"),
        pytest.param(EXPONENT.replace("e", "e-"), id="negative-exponent"),
    ],
)
def test_a_number_that_no_decoder_takes_is_kept_as_text(number: str, place: str, rest: str) -> None:
    record = record_of(f'{{"id": "2", {place % number}{rest}}}', times=2)
    assert f'"{number}"' in json.dumps(record)


@pytest.mark.parametrize("rest", SLOW.values(), ids=SLOW)
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("nested", ['{"a":', "["], ids=["objects", "lists"])
def test_what_is_nested_too_deeply_is_kept_as_text(nested: str, place: str, rest: str) -> None:
    end = "}" if nested[0] == "{" else "]"
    value = nested * DEEP + '"]}\\""' + end * DEEP
    record = record_of(f'{{"id": "2", {place % value}{rest}}}', times=2)
    text = json.dumps(record)
    assert text.count(nested[0]) >= DEEP, "nothing is lost"
    json.loads(text)


@cases("", "-")
def test_the_longest_number_that_python_takes_stays_a_number(sign: str) -> None:
    number = int(sign + "9" * (MAX_DIGITS - len(sign)))
    record = record_of(
        f'{{"id": "2", "custom_attributes": {{"plan": {number}}}, "name": "\\u0000"}}'
    )
    assert record["custom_attributes"]["plan"] == number
