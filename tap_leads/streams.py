"""The stream `contacts`: pages in, messages out."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Generator, Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, cast

from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.helpers.types import Context
from singer_sdk.singerlib import Catalog, RecordMessage
from singer_sdk.tap_base import Tap
from typing_extensions import override

from tap_leads import TapLeadsError
from tap_leads.client import IntercomStream
from tap_leads.outputs import Output, is_flattened
from tap_leads.records.convert import Converter
from tap_leads.records.decoder import Lead
from tap_leads.records.pages import NotAPageError, Page
from tap_leads.records.schema import LEAD_SCHEMA, with_attributes
from tap_leads.scroll.ledger import Ledger
from tap_leads.scroll.prefetch import Prefetch
from tap_leads.scroll.responses import UnusableAnswerError
from tap_leads.scroll.scroll import Scroll, Summary
from tap_leads.singer.catalog import guard
from tap_leads.singer.messages import MessageWriter
from tap_leads.singer.progress import Progress

_EXPECTED_SHARE = 0.99
# Of the leads that Intercom counts, which may be cached: when fewer came, the log says so.


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
        self._summary = Summary()
        self._expected: int | None = None
        self._extracted_at = datetime.now(UTC)
        # Whole seconds: more digits would overflow the column that targets keep them in.
        self._version = tap.initialized_at // 1000

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

    @property
    def _outputs(self) -> list[Output]:
        return cast("list[Output]", self.stream_maps)

    @override
    def get_records(self, context: Context | None) -> Iterator[Lead]:
        converter = Converter(self.schema, flattened=is_flattened(self.config))
        try:
            yield from self._sample(converter) if self.is_sample else self._all_leads(converter)
        except UnusableAnswerError as error:
            raise TapLeadsError(f"Intercom did not send leads: {error}") from None
        except NotAPageError:
            raise TapLeadsError("A page of leads could not be read.") from None
        finally:
            selections = {output.stream_alias: output.selection for output in self._outputs}
            for sentence in converter.misfits.sentences(selections):
                self.logger.warning(sentence)

    def _sample(self, converter: Converter) -> Iterator[Lead]:
        for page in self.request_records(None):
            yield from converter.leads(page.body)

    def _all_leads(self, converter: Converter) -> Iterator[Lead]:
        if self.config["emit_activate_version_messages"]:
            self._stream_version = self._version  # the SDK puts it on each record
        with (
            Prefetch(self._fetch, patience=2.0 * self.timeout) as prefetch,
            Progress(
                sent=lambda: sent,
                waiting=lambda: prefetch.waiting,
                expected=lambda: self._expected,
                logger=self.logger,
            ) as progress,
        ):
            sent = 0
            try:
                for body in prefetch.pages(before_waiting=self._writer.flush):
                    self._extracted_at = datetime.now(UTC)
                    for record in converter.leads(body):
                        yield record
                        sent += 1
            except TapLeadsError:
                self._writer.flush()
                raise
        self._complete(progress.elapsed)

    def _fetch(self, prefetch: Prefetch) -> None:
        """In the thread: the scroll's pages go to the spool."""
        self._patience = self._new_patience(prefetch.sleep)
        if sys.stderr.isatty():  # for the live line; the log wants it at the end only
            self._expected = self.count_leads()

        def open_scroll() -> Iterator[Page]:
            for page in self.request_records(None):
                prefetch.check_in()
                yield page

        with Ledger() as ledger:
            scroll = Scroll(open_scroll, prefetch.deliver, ledger, self._patience, self.logger)
            self._summary = scroll.summary
            scroll.run()
        if self._expected is None:
            self._expected = self.count_leads()

    def _complete(self, seconds: float) -> None:
        """After the last record of a complete scroll: what was not in it is gone."""
        total = self._summary
        self.logger.info(
            "Completed: %d leads in %d pages, %.0f s, %d restart(s), %d lead(s) that came again "
            "unchanged and were skipped.",
            total.leads,
            total.pages,
            seconds,
            total.restarts,
            total.repeated,
        )
        if self._expected is not None:
            short = total.leads < _EXPECTED_SHARE * self._expected
            self.logger.log(
                logging.WARNING if short else logging.INFO,
                "Intercom counts %d leads%s.",
                self._expected,
                ", which are more than its scroll brought; its count may be out of date, or the "
                "scroll incomplete: compare with Intercom's own list"
                if short
                else "",
            )
        if self._stream_version is not None:
            # The next sync must have a greater version, so this one outlasts its own second.
            time.sleep(min(1.0, max(0.0, self._version + 1 - time.time())))
            # A private method of the SDK, as it knows the names that stream maps give the stream.
            self._write_activate_version_message(self._stream_version)
