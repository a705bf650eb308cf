"""Values that no decoder takes are kept, and a sync goes on."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from tap_leads.records.convert import Converter
from tap_leads.records.pages import read_page
from tap_leads.records.repair import MAX_DIGITS
from tap_leads.records.schema import LEAD_SCHEMA

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


@pytest.mark.parametrize("sign", ["", "-"])
def test_the_longest_number_that_python_takes_stays_a_number(sign: str) -> None:
    number = int(sign + "9" * (MAX_DIGITS - len(sign)))
    record = record_of(
        f'{{"id": "2", "custom_attributes": {{"plan": {number}}}, "name": "\\u0000"}}'
    )
    assert record["custom_attributes"]["plan"] == number


@pytest.mark.parametrize("name", ["ann@example.com", "+49 30 1234567", "a" * 65, "two words"])
def test_a_name_that_is_no_identifier_stays_out_of_the_log(name: str) -> None:
    converter = Converter(LEAD_SCHEMA)
    converter.leads(json.dumps({"contacts": [{"id": "1", name: 1}]}).encode())
    (sentence,) = converter.misfits.sentences({})
    assert name not in sentence
    assert "(hidden name)" in sentence
