"""The leads in Python, as an iterator."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Required, TypedDict, Unpack

from tap_leads.errors import TapLeadsError

if TYPE_CHECKING:
    from tap_leads.stream import ContactsStream


class Settings(TypedDict, total=False):
    """The tap's settings; `tap-leads --about` says what they mean and what the defaults are."""

    access_token: Required[str]
    region: Literal["us", "eu", "au"]
    api_url: str
    api_version: str
    user_agent: str
    request_timeout: int
    scroll_expiry: int
    scroll_wait_timeout: int
    max_restarts: int
    count_mismatch: Literal["fail", "warn", "ignore"]
    typed_custom_attributes: bool
    emit_activate_version_messages: bool
    stream_maps: dict[str, Any]
    stream_map_config: dict[str, Any]
    flattening_enabled: bool
    flattening_max_depth: int
    flattening_max_key_length: int
    flattening_separator: str


class LeadsPage(NamedTuple):
    """A page of the scroll.

    Attributes:
        leads: Up to a hundred leads, in the form of the tap's records.
        scroll_param: The token with which Intercom names the next page.
    """

    leads: list[dict[str, Any]]
    scroll_param: str | None


def leads(**settings: Unpack[Settings]) -> Generator[dict[str, Any], None, None]:
    """Every lead of the workspace, in the form of the tap's records.

    A broken scroll is restarted, and leads that were already yielded are not yielded again. A
    thread reads pages ahead; it ends when the generator ends or is closed.

    Args:
        settings: The settings of the tap.

    Raises:
        TapLeadsError: A setting is wrong (when called), or not all leads can be read.
        TypeError: There is no such setting (when called).
    """
    return _each(pages(**settings))


def pages(**settings: Unpack[Settings]) -> Generator[LeadsPage, None, None]:
    """The same page by page, for programs that load in batches.

    After a restart, a page contains only the leads that were not yielded before.

    Args:
        settings: The settings of the tap.

    Raises:
        TapLeadsError: A setting is wrong (when called), or not all leads can be read.
        TypeError: There is no such setting (when called).
    """
    if unknown := sorted(settings.keys() - Settings.__annotations__.keys()):
        raise TypeError(f"There is no setting {', '.join(map(repr, unknown))}.")
    if not settings.get("access_token"):
        raise TapLeadsError(
            "Setting 'access_token' is missing. leads() and pages() do not read the environment: "
            "call leads(access_token=...)."
        )
    from tap_leads.tap import TapLeads  # noqa: PLC0415 - the SDK takes a while to import

    return _read(TapLeads(config=dict(settings)).contacts)


def _each(pages: Generator[LeadsPage, None, None]) -> Generator[dict[str, Any], None, None]:
    with closing(pages):
        for page in pages:
            yield from page.leads


def _read(stream: ContactsStream) -> Generator[LeadsPage, None, None]:
    from tap_leads.records.pages import scroll_param_of  # noqa: PLC0415 - it takes a while, too

    with closing(stream.read_pages()) as read:
        for body, records in read:
            leads = [lead for record in records for lead in stream.mapped(record)]
            yield LeadsPage(leads, scroll_param_of(body))
