"""The stream `contacts`: pages in, messages out."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, cast

from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.helpers.types import Context
from singer_sdk.singerlib import Catalog, RecordMessage
from singer_sdk.tap_base import Tap
from typing_extensions import override

from tap_leads.client import IntercomStream
from tap_leads.errors import TapLeadsError
from tap_leads.records.convert import Converter
from tap_leads.records.lead_record import Lead, as_record
from tap_leads.records.schema import LEAD_SCHEMA, with_attributes
from tap_leads.scroll.extraction import Extraction
from tap_leads.scroll.limits import Settings
from tap_leads.scroll.responses import NoPageError
from tap_leads.singer.catalog import guard
from tap_leads.singer.messages import MessageWriter
from tap_leads.singer.outputs import Output, is_flattened
from tap_leads.singer.progress import Progress

_LIST_SIZE = 50
# Leads that one request without a scroll may ask for.


class ContactsStream(IntercomStream):
    """Every lead of the workspace, from the first one, in each sync."""

    name = "contacts"
    primary_keys = ("id",)
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE  # the converter sees to it, without loss
    STATE_MSG_FREQUENCY = 2**63  # never before the end: it would look like success
    emit_activate_version_messages = False  # not the SDK's, which come before the first record

    def __init__(self, tap: Tap, writer: MessageWriter) -> None:
        super().__init__(tap)
        self._writer = writer
        self._deletes = False  # whether what was not in this sync may be deleted
        self._extracted_at = datetime.now(UTC)
        self._version = 0

    @cached_property
    @override
    def schema(self) -> dict[str, Any]:
        if not self.config.get("typed_custom_attributes"):
            return LEAD_SCHEMA
        try:
            return with_attributes(self.attribute_definitions())
        except ValueError:
            self.logger.warning(
                "Intercom did not send the definitions of the workspace's attributes, so "
                "'custom_attributes' stays an object without declared types."
            )
            return LEAD_SCHEMA

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        guard(catalog, self.name, self.schema, self.primary_keys)
        super().apply_catalog(catalog)

    @override
    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        # The SDK announces each error as unhandled; the command says once, and better, what it is.
        if not message.startswith("An unhandled error"):
            super().log(message, *args, level=level, **kwargs)

    @override
    def get_batch_config(self, config: Mapping[str, Any]) -> None:
        """None, whatever the configuration: batches pass by the selection and the stream maps."""

    @override
    def generate_child_contexts(
        self, record: dict[str, Any], context: Context | None
    ) -> Iterator[Context | None]:
        return iter(())  # there are no child streams to sync

    @override
    def _generate_record_messages(self, record: Lead) -> Generator[RecordMessage, None, None]:
        # Private, and worth it: the SDK walks the selection for each value of each record, which
        # takes as long as everything else together.
        for output in self._outputs:
            mapped = output.transform(record)
            if mapped is not None:
                yield RecordMessage(
                    output.stream_alias, mapped, self._stream_version, self._extracted_at
                )

    @cached_property
    def _outputs(self) -> list[Output]:
        return cast("list[Output]", self.stream_maps)

    def mapped(self, lead: Lead) -> Iterator[dict[str, Any]]:
        """What RECORD messages contain of a lead, after selection, stream maps and flattening."""
        for message in self._generate_record_messages(lead):
            record: Any = message.record
            yield record if type(record) is dict else as_record(record)

    @override
    def get_records(self, context: Context | None) -> Iterator[Lead]:
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

    def _some_leads(self, most: int) -> Iterator[Lead]:
        with self._converter() as converter:
            try:
                page = self.list_leads(min(most, _LIST_SIZE))
            except NoPageError as error:
                raise TapLeadsError(str(error.outcome.explanation)) from None
            yield from converter.leads(page.body)

    @property
    def limits(self) -> Settings:
        """The limits of the scroll, in seconds and restarts."""
        return Settings(
            self.config["scroll_expiry"],
            self.config["scroll_wait_timeout"],
            self.config["max_restarts"],
        )

    def read_pages(self) -> Generator[tuple[bytes, list[Lead]], None, None]:
        """All leads, page by page: the body of each, and its leads.

        Raises:
            TapLeadsError: Not all leads can be read.
        """
        with (
            closing(self.requests_session),
            self._converter() as converter,
            Extraction(self, self.limits, self.logger) as extraction,
            Progress(extraction, self.logger),
        ):
            for body in extraction.pages(
                count_first=sys.stderr is not None and sys.stderr.isatty(),  # for the live line
                before_waiting=self._writer.flush,
            ):
                self._extracted_at = datetime.now(UTC)
                leads = converter.leads(body)
                yield body, leads
                extraction.sent += len(leads)
        self._deletes = not extraction.is_contradicted

    def _begin_version(self) -> None:
        """Before the first record of a sync: each has a greater version, and sends its STATE."""
        self._deletes = False
        # Whole seconds: more digits would overflow the column that targets keep them in.
        self._version = max(self._version + 1, int(time.time()))
        if self.config["emit_activate_version_messages"]:
            self._stream_version = self._version  # the SDK puts it on each record
        # Private: the SDK leaves out a STATE that is the same as the one of the sync before.
        self._tap.state_writer._last_emitted_state = None  # noqa: SLF001

    @override
    def _write_state_message(self) -> None:
        # Private: the SDK has no other hook between the last record and the end of a sync, and none
        # that knows the names which stream maps give the stream.
        if self._stream_version is not None:
            self._activate_version(self._stream_version)
        super()._write_state_message()

    def _activate_version(self, version: int) -> None:
        """Tells targets that what was not in this complete sync is gone; once per sync."""
        self._stream_version = None
        if not self._deletes:
            self.logger.warning(
                "ACTIVATE_VERSION is not sent, as Intercom counts more leads than came: no target "
                "deletes a lead because of this sync."
            )
            return
        # The next sync must have a greater version, so this one outlasts its own second.
        time.sleep(min(1.0, max(0.0, version + 1 - time.time())))
        self._write_activate_version_message(version)
