"""Rewrites JSON that the strict decoder or databases refuse, without losing what it says."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import msgspec

NUL = rb"\u0000"
"""The character that databases refuse, as JSON writes it."""

REPLACEMENT = "\ufffd"
"""Replaces each character that databases refuse: NUL, or half of a surrogate pair."""

MAX_DIGITS = 4_300
"""Longer whole numbers become text: the decoder refuses them, and so do most targets.

The decoder counts the sign as a digit.
"""

LONG_NUMBER = re.compile(rb"\d{%d}" % MAX_DIGITS)
"""Finds numbers that are too long to decode."""

_MAX_DEPTH = 100
# Targets recurse too, so the limit is far below that of the decoder.

_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"|[][{}]', re.DOTALL)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def repaired(body: bytes) -> bytes:
    """The same JSON without what the strict decoder or databases refuse.

    Lone surrogates, NUL and bytes that are not UTF-8 become U+FFFD. NaN, Infinity and numbers that
    are too large to decode become strings. Values that are nested too deeply become JSON text.

    Raises:
        ValueError: The body is not JSON.
    """
    text = body.decode("utf-8-sig", errors="replace")
    try:
        return _rewritten(text)
    except RecursionError:
        return _rewritten(_shallow(text))


def _rewritten(text: str) -> bytes:
    value = json.loads(
        text, strict=False, parse_int=_integer, parse_float=_fraction, parse_constant=str
    )
    return _ENCODER.encode(_clean(value))


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= MAX_DIGITS else digits


def _fraction(digits: str) -> Decimal | str:
    try:
        return Decimal(digits)
    except ArithmeticError:  # no Decimal holds the exponent
        return digits


def _shallow(text: str) -> str:
    """The same JSON, with each value below the deepest allowed level as JSON text."""
    parts: list[str] = []
    depth = kept = start = 0
    for token in _STRING_OR_BRACKET.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth == _MAX_DEPTH:
                start = token.start()
        elif token[0] in "]}":
            if depth == _MAX_DEPTH:
                parts += text[kept:start], json.dumps(text[start : token.end()])
                kept = token.end()
            depth -= 1
    return "".join([*parts, text[kept:]])


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        result: dict[str, Any] = {}
        for key, item in value.items():
            clean = _clean_text(key)
            while clean in result:  # two keys may differ only in characters that were replaced
                clean += REPLACEMENT
            result[clean] = _clean(item)
        return result
    return value


def _clean_text(text: str) -> str:
    # UTF-16 joins the halves of a pair. "replace" while encoding would write "?" for a lone half.
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\0", REPLACEMENT)
