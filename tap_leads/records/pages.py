"""The bytes of a page: what the scroll needs of them, and the leads inside.

A page is decoded twice. The scroll reads only ids, versions and the token, right when the page
arrives; the leads are decoded where they become records, after the page has waited in the spool.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from tap_leads.errors import TapLeadsError
from tap_leads.records.repair import NUL, has_long_number, repaired
from tap_leads.records.values import MILLISECONDS, MisfitError, time


class LeadWithoutIdError(TapLeadsError):
    """A lead without an id: it could be neither loaded nor counted."""

    WHAT = (
        "Intercom sent a lead without an id. No target can store it under its key, so the sync "
        "stops here instead of leaving it out"
    )
    ADVICE = "Please report this to Intercom"

    def __init__(self) -> None:
        super().__init__(f"{self.WHAT}. {self.ADVICE}.")


_T = TypeVar("_T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class NotAPageError(ValueError):
    """The body is not JSON, or not a list of leads."""


class _LeadKey(msgspec.Struct):
    id: Any = None
    updated_at: Any = None


class _Keys(msgspec.Struct):
    contacts: list[_LeadKey]
    scroll_param: Any = None
    type: Any = None
    errors: msgspec.UnsetType | Any = msgspec.UNSET


class _Token(msgspec.Struct):
    scroll_param: Any = None


class _Raw(msgspec.Struct):
    contacts: list[msgspec.Raw]
    scroll_param: str | None = None


# Decimals keep every digit that was sent; encoders write them as numbers.
_KEYS = msgspec.json.Decoder(_Keys, float_hook=Decimal)
_LEAD = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_RAW = msgspec.json.Decoder(_Raw)
_TOKEN = msgspec.json.Decoder(_Token)
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_CONTENT = msgspec.json.Encoder(decimal_format="number", order="sorted")

Version = tuple[str, int | str]
"""A lead's id, and what tells this version of the lead from others.

It is `updated_at` in microseconds since 1970, so that versions have an order; for a lead without a
usable time, the digest of its content.
"""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the scroll.

    Attributes:
        body: The page as Intercom sent it.
        versions: The version of each lead.
        scroll_param: The token of the next page, if the page names one.
    """

    body: bytes
    versions: list[Version]
    scroll_param: str | None

    def only(self, positions: Sequence[int]) -> bytes:
        """The body with the leads at these positions alone."""
        if len(positions) == len(self.versions):
            return self.body
        leads = raw_leads(self.body)
        return _ENCODER.encode(_Raw([leads[position] for position in positions], self.scroll_param))

    def digest(self, position: int) -> str:
        """A digest of the content of the lead at this position, without `updated_at`."""
        return _digest(raw_leads(self.body)[position])


def read_page(body: bytes) -> Page:
    """Reads a body as a page of the scroll.

    Raises:
        NotAPageError: It is not one.
        LeadWithoutIdError: A lead has no id.
    """
    keys = _decode(_KEYS, body)
    kind = keys.type if isinstance(keys.type, str) else "list"
    if keys.errors is not msgspec.UNSET or kind == "error.list" or not kind.endswith("list"):
        raise NotAPageError(kind)
    versions: list[Version] = []
    leads: list[msgspec.Raw] = []
    for position, lead in enumerate(keys.contacts):
        version: int | str | None = _version(lead.updated_at)
        if version is None:
            leads = leads or raw_leads(body)
            version = _digest(leads[position])
        versions.append((lead_id(lead.id), version))
    return Page(body, versions, _token(keys))


def _digest(raw: msgspec.Raw) -> str:
    # Of the decoded lead: the bytes of a page depend on what its other leads contain.
    lead = lead_of(raw)
    lead.pop("updated_at", None)
    return hashlib.sha256(_CONTENT.encode(lead)).hexdigest()


def scroll_param_of(body: bytes) -> str | None:
    """The token of the next page, if the page names one.

    Raises:
        NotAPageError: The body is not JSON.
    """
    return _token(_decode(_TOKEN, body))


def _token(page: _Keys | _Token) -> str | None:
    return (page.scroll_param or None) if isinstance(page.scroll_param, str) else None


def _version(updated_at: object) -> int | None:
    """A time of change in microseconds since 1970; None if it is no time."""
    if type(updated_at) is int and 0 <= updated_at < MILLISECONDS:  # as nearly always
        return updated_at * 1_000_000
    try:
        return (datetime.fromisoformat(time(updated_at)) - _EPOCH) // _MICROSECOND
    except MisfitError:
        return None


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
    return _decode(_LEAD, body, repair=NUL in body)


def _decode(decoder: msgspec.json.Decoder[_T], body: bytes, *, repair: bool = False) -> _T:
    try:
        try:
            return decoder.decode(repaired(body) if repair else body)
        except msgspec.ValidationError:
            if not has_long_number(body):
                raise
        except (ValueError, ArithmeticError, RecursionError):
            pass  # malformed in a way that can be repaired, or no JSON at all
        return decoder.decode(repaired(body))
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise NotAPageError(type(error).__name__) from None
