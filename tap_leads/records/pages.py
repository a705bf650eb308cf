"""The bytes of a page: what the scroll needs to know of it, and the leads in it.

A page is decoded twice. The scroll reads only ids, versions and the token, as soon as the page
arrives. Its leads are decoded when they become records, which may be much later: in between, the
page waits in the spool, as bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar

import msgspec

from tap_leads.errors import TapLeadsError
from tap_leads.records.repair import LONG_NUMBER, NUL, repaired
from tap_leads.records.values import MILLISECONDS, MisfitError, time

_T = TypeVar("_T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class NotAPageError(ValueError):
    """The body is not JSON, or not a list of leads."""


class LeadWithoutIdError(TapLeadsError):
    """A lead without an id: it could be neither loaded nor counted."""

    WHAT = (
        "Intercom sent a lead without an id. No target can store it under its key, so the sync "
        "stops here instead of leaving it out"
    )
    ADVICE = "Please report this to Intercom"

    def __init__(self) -> None:
        super().__init__(f"{self.WHAT}. {self.ADVICE}.")


class _LeadKey(msgspec.Struct):
    id: Any = None
    updated_at: Any = None


class _Body(msgspec.Struct, Generic[_T], omit_defaults=True):
    contacts: list[_T]
    scroll_param: Any = None
    type: Any = None
    errors: Any = msgspec.UNSET


# Decimals keep every digit that was sent; encoders write them as numbers.
_KEYS = msgspec.json.Decoder(_Body[_LeadKey], float_hook=Decimal)
_RAW = msgspec.json.Decoder(_Body[msgspec.Raw])
_LEAD = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number", order="sorted")

Version = tuple[str, int | str]
"""A lead's id, and what tells this version of the lead from others.

It is `updated_at` in microseconds since 1970, so that versions have an order. If the lead has no
usable time, it is the digest of the lead's content.
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
        return _ENCODER.encode(_Body([leads[at] for at in positions], self.scroll_param))

    def digest(self, position: int) -> str:
        """A digest of the content of the lead at this position, without `updated_at`."""
        return _digest(raw_leads(self.body)[position])


def read_page(body: bytes) -> Page:
    """Reads a body as a page of the scroll.

    Raises:
        NotAPageError: It is not one.
        LeadWithoutIdError: A lead has no id.
    """
    page = _decode(_KEYS, body)
    kind = page.type if isinstance(page.type, str) else "list"
    if page.errors is not msgspec.UNSET or kind == "error.list" or not kind.endswith("list"):
        raise NotAPageError(kind)
    versions: list[Version] = []
    leads: list[msgspec.Raw] = []
    for position, lead in enumerate(page.contacts):
        version: int | str | None = _version(lead.updated_at)
        if version is None:
            leads = leads or raw_leads(body)
            version = _digest(leads[position])
        versions.append((lead_id(lead.id), version))
    return Page(body, versions, _token(page))


def raw_leads(body: bytes) -> list[msgspec.Raw]:
    """The leads of a page, each as JSON.

    Raises:
        NotAPageError: The body holds none.
    """
    return _decode(_RAW, body).contacts


def lead_of(raw: msgspec.Raw) -> dict[str, Any]:
    """A lead, without characters that databases refuse.

    Raises:
        NotAPageError: It is no object.
    """
    body = bytes(raw)
    return _decode(_LEAD, body, repair=NUL in body)


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


def scroll_param_of(body: bytes) -> str | None:
    """The token of the next page, if the page names one.

    Raises:
        NotAPageError: The body is not a page.
    """
    return _token(_decode(_RAW, body))


def _token(page: _Body[Any]) -> str | None:
    return (page.scroll_param or None) if isinstance(page.scroll_param, str) else None


def _version(updated_at: object) -> int | None:
    """A time of change in microseconds since 1970; None if it is no time."""
    if type(updated_at) is int and 0 <= updated_at < MILLISECONDS:  # nearly always
        return updated_at * 1_000_000
    try:
        return (datetime.fromisoformat(time(updated_at)) - _EPOCH) // _MICROSECOND
    except MisfitError:
        return None


def _digest(raw: msgspec.Raw) -> str:
    # Not of the bytes: they change when another lead of the page needs a repair.
    lead = lead_of(raw)
    lead.pop("updated_at", None)
    return hashlib.sha256(_ENCODER.encode(lead)).hexdigest()


def _decode(decoder: msgspec.json.Decoder[_T], body: bytes, *, repair: bool = False) -> _T:
    """Decodes JSON as it was sent if possible, and repaired otherwise."""
    try:
        if not repair:
            try:
                return decoder.decode(body)
            except msgspec.ValidationError:
                if not LONG_NUMBER.search(body):
                    raise
            except (ValueError, ArithmeticError, RecursionError):
                pass  # a repair may help, if it is JSON at all
        return decoder.decode(repaired(body))
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise NotAPageError(type(error).__name__) from None
