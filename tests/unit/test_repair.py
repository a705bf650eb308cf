"""Malformed values are repaired and kept, nothing else changes, and a sync goes on."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from support.cases import cases
from support.records import leads_of

from tap_leads.records.convert import Converter
from tap_leads.records.pages import lead_of, read_page
from tap_leads.records.repair import MAX_DIGITS, repaired
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
    high_surrogate=('"\\ud800"', "\ufffd"),
    surrogates_in_wrong_order=('"\\udc00\\ud800"', "\ufffd\ufffd"),
    pair=('"\\ud83d\\ude00"', "\U0001f600"),
    nul_and_pair=('"\\u0000\\ud83d\\ude00"', "\ufffd\U0001f600"),
    half_and_pair=('"\\ud83d\\ud83d\\ude00"', "\ufffd\U0001f600"),
    backslash_before_u0000=('"\\\\u0000"', "\\u0000"),
    backslash_before_nul=('"\\\\\\u0000"', "\\\ufffd"),
    both=('"\\\\u0000 \\u0000"', "\\u0000 \ufffd"),
    both_surrogates=('"\\\\ud800 \\ud800"', "\\ud800 \ufffd"),
    the_replacement_itself=('"\\ufffd"', "\ufffd"),
    noncharacters=('"\\ufffe\\uffff"', "\ufffe\uffff"),
    byte_order_mark_in_a_repaired_page=('"\\u0000\\ufeff"', "\ufffd\ufeff"),
    other_control_characters=('"\\u0001\\u007f\\t"', "\x01\x7f\t"),
    bare_control_character=('"a\tb"', "a\tb"),
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


def test_a_nul_in_a_lead_is_replaced() -> None:
    assert lead_of(msgspec.Raw(b'{"id": "a", "name": "x\\u0000"}'))["name"] == "x\ufffd"


@cases(no_start=b"\xff", cut_off_character=b"\xc3", surrogate_as_utf_8=b"\xed\xa0\x80")
def test_bytes_that_are_no_utf_8_are_replaced(written: bytes) -> None:
    body = page_with('"a?b"').replace(b"?", written)
    assert read_page(body).versions == [("1", 5_000_000)]
    text = value_in(body)
    assert (text[0], text[-1], set(text[1:-1])) == ("a", "b", {"\ufffd"})


@cases("", '"\\u0000", "y": ', '"\\ud800", "y": ')
def test_numbers_keep_every_digit_also_where_the_page_is_repaired(malformed: str) -> None:
    fractions = map(Decimal, ["0.1", "1.0", "0.10000", "1." + "1" * 50, "1E+400", "-0.0"])
    for number in (2**63, 2**64, -(2**70) - 1, int("1" * 100), *fractions):
        (lead,) = leads_of(page_with(f"{malformed}{number}"))
        assert repr(lead["y" if malformed else "x"]) == repr(number)


def test_keys_that_become_alike_are_all_kept() -> None:
    value = value_in(page_with('{"a\\u0000": 1, "a\\ufffd": 2, "a\\ud800": 3, "a": 4}'))
    assert sorted(value.values()) == [1, 2, 3, 4]
    assert value["a"] == 4
    assert all(set(key) <= {"a", "\ufffd"} for key in value)


def test_a_page_nested_as_deeply_as_people_nest_is_read() -> None:
    value: Any = "bottom"
    for _ in range(100):
        value = {"down": [value]}
    assert value_in(page_with(json.dumps(value))) == value
    assert value_in(page_with(json.dumps([value, "\0"]))) == [value, "\ufffd"]


MALFORMED = st.sampled_from(["\ud800", "\udfff", "\0", "\\u0000", "\\ud800"])
TEXT = st.lists(MALFORMED | st.characters() | st.sampled_from('\\u"d8'), max_size=6).map("".join)


@given(texts=st.lists(TEXT, max_size=3))
def test_malformed_text_of_any_kind_is_replaced_one_for_one(texts: list[str]) -> None:
    joined = [  # two halves side by side are one character, as JSON cannot tell them apart
        text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass") for text in texts
    ]
    expected = [re.sub("[\0\ud800-\udfff]", "\ufffd", text) for text in joined]
    assert value_in(page_with(json.dumps(texts))) == expected


DIGITS = "9" * 5_000
EXPONENT = "1e5000000000000000000"
DEEP = 1_000


@cases("", ', "name": "a\\u0000"')
@cases(
    custom_attribute='"custom_attributes": {"plan": %s}',
    unknown_field='"~unknown": [%s]',
    number='"session_count": %s',
    time='"created_at": %s',
    version='"updated_at": %s',
    text='"email": %s',
    list='"tags": {"type": "tag.list", "tags": [{"id": %s}]}',
    part='"location_data": {"latitude": %s}',
)
def test_what_no_decoder_takes_is_kept_as_text(place: str, rest: str) -> None:
    def record_with(value: str) -> str:
        lead = f'{{"id": "2", {place % value}{rest}}}'
        body = f'{{"contacts": [{{"id": "1"}}, {lead}, {{"id": "3"}}]}}'.encode()
        assert [identity for identity, _ in read_page(body).versions] == ["1", "2", "3"]
        converter = Converter(LEAD_SCHEMA)
        encode = msgspec.json.Encoder(decimal_format="number").encode
        first, then = (encode(converter.leads(body)[1]).decode() for _ in range(2))
        assert first == then, "a field that was learned is converted as before"
        return first

    for number in (DIGITS, f"-{DIGITS}", EXPONENT, EXPONENT.replace("e", "e-")):
        assert f'"{number}"' in record_with(number)
    for start, end in (('{"a":', "}"), ("[", "]")):
        text = record_with(start * DEEP + '"]}\\""' + end * DEEP)
        assert text.count(start[0]) >= DEEP, "nothing is lost"
        json.loads(text, parse_float=str)


def test_each_of_several_values_that_are_too_deep_is_kept() -> None:
    deep = b"[" * 5000 + b"]" * 5000
    found = json.loads(repaired(b'{"a": %b, "b": %b, "c": 1}' % (deep, deep)))
    assert found["a"] == found["b"]
    assert found["c"] == 1


@cases("", "-")
def test_the_longest_number_that_python_takes_stays_a_number(sign: str) -> None:
    number = int(sign + "9" * (MAX_DIGITS - len(sign)))
    assert value_in(page_with(f'{number}, "name": "\\u0000"')) == number
