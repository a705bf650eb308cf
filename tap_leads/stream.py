"""The stream `contacts`: pages in, messages out."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, cast

import requests
from singer_sdk import RESTStream
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.helpers.types import Context
from singer_sdk.singerlib import ActivateVersionMessage, Catalog, RecordMessage
from singer_sdk.tap_base import Tap
from typing_extensions import override

from tap_leads.errors import TapLeadsError
from tap_leads.records.convert import Converter
from tap_leads.records.lead_record import LeadRecord, as_record
from tap_leads.records.schema import LEAD_SCHEMA, with_attributes
from tap_leads.scroll.client import SCROLL, Client
from tap_leads.scroll.counts import Counts
from tap_leads.scroll.limits import Limits, Pauses
from tap_leads.scroll.outcomes import Outcome
from tap_leads.scroll.paginator import ScrollPaginator
from tap_leads.scroll.reader import Reader, attribute_definitions
from tap_leads.singer.catalog import guard
from tap_leads.singer.messages import MessageWriter
from tap_leads.singer.outputs import Output, is_flattened
from tap_leads.singer.progress import Progress
from tap_leads.singer.settings import HOSTS

_LIST_SIZE = 50  # leads that one request without a scroll may ask for


class ContactsStream(RESTStream[str | None]):
    """Every lead of the workspace, from the first one, in each sync."""

    name = "contacts"
    path = SCROLL
    primary_keys = ("id",)
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE  # the converter does it without loss
    STATE_MSG_FREQUENCY = 2**63  # never before the end: it would look like success
    emit_activate_version_messages = False  # the SDK sends them before the first record

    def __init__(self, tap: Tap, writer: MessageWriter) -> None:
        super().__init__(tap)
        self._state_writer = tap.state_writer
        self._writer = writer
        self._has_versions = False
        self._obstacle_to_deletes = ""
        self._extracted_at = datetime.now(UTC)
        self._version = 0

    @property
    @override
    def url_base(self) -> str:
        address = self.config.get("api_url") or HOSTS[self.config["region"]]
        return str(address).rstrip("/")

    @cached_property
    @override
    def authenticator(self) -> BearerTokenAuthenticator:
        return BearerTokenAuthenticator(token=self.config["access_token"])

    @property
    @override
    def http_headers(self) -> dict[str, str]:
        return {
            "Accept": "application/json",
            "User-Agent": self.config["user_agent"],
            # Without it, the version of the token's app applies, and later ones have no scroll.
            "Intercom-Version": self.config["api_version"],
            # Successive pages have the same address, so a cached response would repeat a page.
            "Cache-Control": "no-cache, no-store",
            "Pragma": "no-cache",
        }

    @override
    def get_new_paginator(self) -> ScrollPaginator:
        return ScrollPaginator()

    @property
    def limits(self) -> Limits:
        """The limits of the scroll, in seconds and restarts."""
        return Limits(
            self.config["scroll_expiry"],
            self.config["scroll_wait_timeout"],
            self.config["max_restarts"],
        )

    def new_client(self) -> Client:
        """A client with the stream's address, headers and settings."""
        return Client(
            self.url_base,
            {**self.http_headers, **self.authenticator.auth_headers},
            self.config["request_timeout"],
            region=self.config["region"],
            api_version=self.config["api_version"],
        )

    @cached_property
    @override
    def schema(self) -> dict[str, Any]:
        if not self.config.get("typed_custom_attributes"):
            return LEAD_SCHEMA
        if not self.config.get("access_token"):  # discovery does not need one otherwise
            raise TapLeadsError(
                "Setting 'access_token' is missing. The types of custom attributes need it: set "
                "it, or turn 'typed_custom_attributes' off."
            )
        with closing(self.new_client()) as client:
            return with_attributes(attribute_definitions(client, self.limits, self.logger))

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        guard(catalog, self.name, self.schema, self.primary_keys)
        super().apply_catalog(catalog)

    @override
    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        # The SDK logs each error as unhandled, but the command explains it.
        if not message.startswith("An unhandled error"):
            super().log(message, *args, level=level, **kwargs)

    @override
    def get_batch_config(self, config: Mapping[str, Any]) -> None:
        """None: BATCH would bypass the selection and the stream maps."""

    @override
    def generate_child_contexts(
        self, record: dict[str, Any], context: Context | None
    ) -> Iterator[Context | None]:
        return iter(())  # there are no child streams to sync

    @override
    def _generate_record_messages(self, record: Any) -> Generator[RecordMessage, None, None]:
        # Private: the SDK applies the selection to each value of each record, which takes as long
        # as everything else together.
        for output in self._outputs:
            mapped = output.transform(record)
            if mapped is not None:
                version = self._version if self._has_versions else None
                yield RecordMessage(output.stream_alias, mapped, version, self._extracted_at)

    @cached_property
    def _outputs(self) -> list[Output]:
        return cast("list[Output]", self.stream_maps)

    def mapped(self, lead: LeadRecord) -> Iterator[dict[str, Any]]:
        """What RECORD messages contain of a lead, after selection, stream maps and flattening."""
        for message in self._generate_record_messages(lead):
            record: Any = message.record
            yield record if type(record) is dict else as_record(record)

    @override
    def request_records(self, context: Context | None) -> Iterator[Any]:
        if self.ABORT_AT_RECORD_COUNT is not None:  # --test
            yield from self._some_leads(self.ABORT_AT_RECORD_COUNT)
            return
        self._begin_version()
        try:
            for _, leads in self.read_pages():
                yield from leads
        except TapLeadsError:
            self._writer.flush()
            raise

    @override
    def parse_response(self, response: requests.Response) -> Iterable[dict[str, Any]]:
        """Nothing: the client decodes the responses."""
        return ()  # pragma: no cover - abstract in the SDK, which calls it nowhere else

    @contextmanager
    def _converter(self) -> Iterator[Converter]:
        """The converter of this sync; what did not fit is logged at the end."""
        converter = Converter(self.schema, flattened=is_flattened(self.config))
        try:
            yield converter
        finally:
            selections = {output.stream_alias: output.selection for output in self._outputs}
            for sentence in converter.misfits.sentences(selections):
                self.logger.warning(sentence)

    def _some_leads(self, most: int) -> Iterator[Any]:
        with self._converter() as converter, closing(self.new_client()) as client:
            try:
                page = client.some_leads(min(most, _LIST_SIZE))
            except Outcome as outcome:
                raise TapLeadsError(str(outcome)) from None
            Counts(client, Pauses(self.limits, self.logger), self.logger).report()
            yield from converter.leads(page.body)

    def read_pages(self) -> Generator[tuple[bytes, list[LeadRecord]], None, None]:
        """All leads, page by page: the body of each page, and its leads.

        Raises:
            TapLeadsError: Not all leads can be read.
        """
        mismatch = self.config["count_mismatch"]
        with (
            self._converter() as converter,
            Reader(self.new_client(), self.limits, self.logger, mismatch) as reader,
            Progress(reader, self.logger) as progress,
        ):
            for body in reader.pages(before_waiting=self._writer.flush):
                self._extracted_at = datetime.now(UTC)
                leads = converter.leads(body)
                yield body, leads
                progress.sent += len(leads)
        self._obstacle_to_deletes = reader.obstacle_to_deletes

    def _begin_version(self) -> None:
        """Gives the sync a greater version than the one before, and a STATE of its own."""
        # Whole seconds: more digits would overflow the column that targets keep them in.
        self._version = max(self._version + 1, int(time.time()))
        self._has_versions = self.config["emit_activate_version_messages"]
        # Private: the SDK does not send a STATE that equals the one before.
        self._state_writer._last_emitted_state = None  # noqa: SLF001

    @override
    def _write_state_message(self) -> None:
        # Private: the SDK has no other hook between the last record and the end of a sync.
        if self._has_versions:
            self._has_versions = False
            self._activate_version()
        super()._write_state_message()

    def _activate_version(self) -> None:
        """Tells targets to delete the leads that were not in this complete sync."""
        if self._obstacle_to_deletes:
            self.logger.warning(
                "ACTIVATE_VERSION is not sent, so no target deletes a lead because of this sync: "
                "%s.",
                self._obstacle_to_deletes,
            )
            return
        # Wait until the second is over, so that the version of the next sync is greater.
        time.sleep(min(1.0, max(0.0, self._version + 1 - time.time())))
        for output in self._outputs:
            self._writer.write_message(ActivateVersionMessage(output.stream_alias, self._version))
