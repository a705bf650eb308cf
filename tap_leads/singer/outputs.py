"""The output streams, each with its own selection, stream map and columns."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
from singer_sdk.mapper import SameRecordTransform, StreamMap
from singer_sdk.singerlib import CatalogEntry
from singer_sdk.singerlib.catalog import Breadcrumb, MetadataMapping
from typing_extensions import override

from tap_leads.records.flatten import Flattening
from tap_leads.records.lead_record import as_plain_record, as_record
from tap_leads.records.selection import Path, Selection, prune_schema, tree
from tap_leads.singer.stream_maps import FILTER, KEYS, Rules, Source, StreamMapError, checked_maps


def is_flattened(config: Mapping[str, Any]) -> bool:
    """Whether objects become columns."""
    return bool(config.get("flattening_enabled") and config.get("flattening_max_depth"))


class Output(SameRecordTransform):
    """One output stream: turns a lead into its record.

    Args:
        source: The stream `contacts`, with the selected fields.
        name: The name of the stream map.
        rules: The rules of the stream map; None if there is none.
        selection: The fields that are left out.

    Attributes:
        selection: The same.
        shortened: By column, the full name of each that could not have it.

    Raises:
        StreamMapError: The SDK does not accept the rules.
        TapLeadsError: Two columns would have the same name.
    """

    def __init__(
        self, source: Source, name: str, rules: Rules | None, selection: Selection
    ) -> None:
        self.selection = selection
        self.shortened: Mapping[str, str] = {}
        self._source = source
        self._name = name
        self._rules = rules
        self._sdk_map = source.sdk_map(name, rules)
        self._flattening = None
        schema, keys = self._sdk_map.transformed_schema, self._sdk_map.transformed_key_properties
        if is_flattened(source.config):
            self._flattening = flattening = Flattening(
                schema,
                depth=source.config["flattening_max_depth"],
                separator=source.config.get("flattening_separator") or "__",
                max_length=source.config.get("flattening_max_key_length"),
            )
            schema, keys = flattening.schema, keys and [flattening.column(key) for key in keys]
            self.shortened = flattening.shortened
        super().__init__(self._sdk_map.stream_alias, schema, keys, flattening_options=None)
        self._changes_nothing = rules is None and not (self._flattening or selection.dropped)

    @override
    def transform(self, record: Any) -> Any:
        """The record of a lead in this stream; None if the stream map's filter drops it.

        If nothing changes, the record stays a struct: to make a dictionary of it takes longer than
        to decode it.

        Raises:
            StreamMapError: An expression failed.
        """
        if self._changes_nothing:
            return record
        whole = as_record(record) if self._rules is None else as_plain_record(record)
        mapped = self._map(self.selection.of_record(whole))
        return self._flattening.record(mapped) if mapped and self._flattening else mapped

    def _map(self, record: dict[str, Any]) -> dict[str, Any] | None:
        if self._rules is None:
            return record
        try:
            return _mapped(self._sdk_map, record)
        except Exception as error:  # noqa: BLE001 - an expression may raise anything
            kind = type(error.__cause__ or error).__name__
        raise StreamMapError(
            self._name,
            self._field_that_fails(record, self._rules),
            f"the expression failed at a record ({kind}), so the sync stops here. Most fields may "
            "be null; let the expression allow for that",
        )

    def _field_that_fails(self, record: dict[str, Any], rules: Rules) -> str | None:
        for field in (FILTER, *rules):
            rule = {field: rules.get(field), KEYS: None}
            try:
                _mapped(self._source.sdk_map(self._source.name, rule), record)
            except Exception:  # noqa: BLE001 - the same
                return field
        return None  # pragma: no cover - one of the expressions has failed


def _mapped(sdk_map: StreamMap, record: dict[str, Any]) -> dict[str, Any] | None:
    """The mapped record. Expressions can return values that JSON does not have."""
    mapped: dict[str, Any] | None = sdk_map.transform(record)
    return mapped and msgspec.to_builtins(mapped, builtin_types=(Decimal,))


def outputs(entry: CatalogEntry, config: Mapping[str, Any], logger: logging.Logger) -> list[Output]:
    """The output streams that catalog and stream maps make of a stream.

    Args:
        entry: The stream in the catalog.
        config: The settings of the tap.
        logger: Logs columns with shortened names, and maps that do nothing.

    Raises:
        StreamMapError: A stream map is wrong.
        TapLeadsError: Two columns would have the same name.
    """
    dropped = _deselected(entry.metadata.resolve_selection())
    allowed = _allowed(entry.metadata, dropped)
    schema = prune_schema(entry.schema.to_dict(), tree(dropped, allowed))
    source = Source(entry.stream or entry.tap_stream_id, schema, entry.key_properties or (), config)
    found = [
        Output(source, name, rules, Selection.of(dropped, source.replaced_by(rules or {}), allowed))
        for name, rules in checked_maps(source, logger)
    ]
    names = [output.stream_alias for output in found]
    for output in found:
        if names.count(output.stream_alias) > 1:
            raise StreamMapError(output.stream_alias, None, "two output streams have this name")
        for column, full_name in output.shortened.items():
            logger.info("Column '%s' has a short name for '%s'.", column, full_name)
    return found


def _deselected(selected: Mapping[Breadcrumb, bool]) -> list[Path]:
    """The paths of the fields that a catalog does not select, without those inside lists."""
    return [
        crumb[1::2]
        for crumb, wanted in selected.items()
        if not wanted and crumb and set(crumb[::2]) == {"properties"}
    ]


def _allowed(metadata: MetadataMapping, deselected: list[Path]) -> dict[str, set[str]]:
    """By field, the properties that the catalog names, if it selects some and deselects others.

    Then properties that the catalog does not name stay out: Meltano writes the same metadata for
    `custom_attributes.plan` alone as for all attributes but some.
    """
    named: dict[str, set[str]] = {}
    chosen: set[str] = set()
    for crumb, entry in metadata.items():
        if len(crumb) == 4 and crumb[::2] == ("properties", "properties"):  # noqa: PLR2004
            named.setdefault(crumb[1], set()).add(crumb[3])
            if entry.selected and crumb[1::2] not in deselected:
                chosen.add(crumb[1])
    partly = {path[0] for path in deselected if len(path) > 1}
    return {field: named[field] for field in chosen & partly}
