"""The bytes of a page: what the scroll needs of them, and the leads inside.

A page is decoded twice. The scroll reads only ids, versions and the token, right when the page
arrives; the leads are decoded where they become records, after the page has waited in the spool.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from tap_leads import TapLeadsError


class LeadWithoutIdError(TapLeadsError):
    """A lead without an id: it could be neither loaded nor counted."""

    def __init__(self) -> None:
        super().__init__(
            "Intercom sent a lead without an id. No target can store it under its key, so the sync "
            "stops here instead of leaving it out. Please report this to Intercom."
        )


_T = TypeVar("_T")

NUL = rb"\u0000"
"""The character that databases refuse, as JSON writes it."""

REPLACEMENT = "\ufffd"
"""Stands where a character was that databases refuse: NUL, or half of a surrogate pair."""


class NotAPageError(ValueError):
    """The body is no JSON, or holds no list of leads."""


class _LeadKey(msgspec.Struct):
    id: Any = None
    updated_at: Any = None


class _Keys(msgspec.Struct):
    contacts: list[_LeadKey]
    scroll_param: Any = None


class _Raw(msgspec.Struct):
    contacts: list[msgspec.Raw]


# Decimals keep every digit that was sent; encoders write them as numbers.
_KEYS = msgspec.json.Decoder(_Keys, float_hook=Decimal)
_LEAD = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_RAW = msgspec.json.Decoder(_Raw)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the scroll.

    Attributes:
        body: The page as Intercom sent it.
        versions: For each lead its id and what tells this version of it from others.
        scroll_param: The token of the next page, if the page names one.
    """

    body: bytes
    versions: list[tuple[str, str]]
    scroll_param: str | None

    def only(self, wanted: Collection[tuple[str, str]]) -> bytes:
        """The body with those leads alone whose versions are wanted, each once."""
        left = set(wanted)
        if len(left) == len(self.versions):
            return self.body
        kept = []
        for version, lead in zip(self.versions, raw_leads(self.body), strict=True):
            if version in left:
                left.remove(version)
                kept.append(lead)
        return _ENCODER.encode(_Raw(kept))


def read_page(body: bytes) -> Page:
    """Reads a body as a page of the scroll.

    Raises:
        NotAPageError: It is none.
        LeadWithoutIdError: A lead has no id.
    """
    keys = _decode(_KEYS, body)
    versions = [
        (lead_id(lead.id), "" if lead.updated_at is None else str(lead.updated_at))
        for lead in keys.contacts
    ]
    if any(not version for _, version in versions):
        # Without a time of change, only the content tells versions apart.
        versions = [
            (identity, version or hashlib.sha256(raw).hexdigest())
            for (identity, version), raw in zip(versions, raw_leads(body), strict=True)
        ]
    token = keys.scroll_param if isinstance(keys.scroll_param, str) else None
    return Page(body, versions, token or None)


def lead_id(value: object) -> str:
    """The id of a lead as a record holds it.

    Raises:
        LeadWithoutIdError: There is none.
    """
    if isinstance(value, str) and value:
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise LeadWithoutIdError


def raw_leads(body: bytes) -> list[msgspec.Raw]:
    """The leads of a page, each as the JSON that Intercom sent.

    Raises:
        NotAPageError: The body holds none.
    """
    return _decode(_RAW, body).contacts


def lead_of(raw: msgspec.Raw) -> dict[str, Any]:
    """A lead, free of characters that databases refuse.

    Raises:
        NotAPageError: It is no object.
    """
    body = bytes(raw)
    return _decode(_LEAD, body, mend=NUL in body)


def _decode(decoder: msgspec.json.Decoder[_T], body: bytes, *, mend: bool = False) -> _T:
    try:
        try:
            return decoder.decode(_mend(body) if mend else body)
        except msgspec.ValidationError:
            raise
        except (msgspec.DecodeError, UnicodeDecodeError):
            return decoder.decode(_mend(body))
    except (ValueError, ArithmeticError, RecursionError) as error:
        # An ArithmeticError: a number whose exponent no Decimal holds.
        raise NotAPageError(type(error).__name__) from None


def _mend(body: bytes) -> bytes:
    """The same JSON without what the strict decoder refuses, or databases do.

    Lone surrogates, NUL and bytes that are no UTF-8 become U+FFFD; the words NaN and Infinity,
    which JSON does not have, become strings.

    Raises:
        ValueError: The body is no JSON.
        RecursionError: It is nested too deeply.
    """
    text = body.decode("utf-8", errors="replace")
    value = json.loads(text, strict=False, parse_float=Decimal, parse_constant=str)
    return _ENCODER.encode(_clean(value))


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        result: dict[str, Any] = {}
        for key, item in value.items():
            clean = _clean_text(key)
            while clean in result:  # two keys may differ in nothing but what was replaced
                clean += REPLACEMENT
            result[clean] = _clean(item)
        return result
    return value


def _clean_text(text: str) -> str:
    # A lone surrogate has no UTF-16: "replace" would write "?" for it, so it is decoded instead.
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\0", REPLACEMENT)
