"""The output streams, each with its own selection, stream map and columns."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from singer_sdk.mapper import PluginMapper, StreamMap
from singer_sdk.singerlib import Catalog
from singer_sdk.singerlib.catalog import Breadcrumb, MetadataMapping
from typing_extensions import override

from tap_leads.records.flatten import Flattening
from tap_leads.records.lead_record import as_plain_record, as_record
from tap_leads.records.selection import Path, Selection, prune_schema, tree
from tap_leads.singer.stream_maps import OutputMap, Stream, output_maps

_SEPARATOR = "__"


def is_flattened(config: Mapping[str, Any]) -> bool:
    """Whether objects become columns."""
    return bool(config.get("flattening_enabled") and config.get("flattening_max_depth"))


class Output(StreamMap):
    """One output stream: turns a lead into its record.

    Args:
        output_map: The stream map.
        selection: The fields that are left out.
        flattening: Makes columns of objects; None if flattening is off.

    Attributes:
        selection: The same.
    """

    def __init__(
        self, output_map: OutputMap, selection: Selection, flattening: Flattening | None
    ) -> None:
        inner = output_map.sdk_map
        super().__init__(
            inner.stream_alias, inner.raw_schema, inner.raw_key_properties, flattening_options=None
        )
        self._map = output_map
        self._flattening = flattening
        self.selection = selection
        self.transformed_schema = inner.transformed_schema
        self.transformed_key_properties = inner.transformed_key_properties
        if flattening:
            self.transformed_schema = flattening.schema
            keys = inner.transformed_key_properties
            self.transformed_key_properties = keys and [flattening.column(key) for key in keys]
        self._changes_nothing = output_map.changes_nothing and not (flattening or selection.dropped)

    @override
    def transform(self, record: Any) -> Any:
        """The record of a lead in this stream; None if the stream map's filter drops it.

        If nothing changes, the record stays a struct: to make a dictionary of it takes longer than
        to decode it.
        """
        if self._changes_nothing:
            return record
        whole = as_record(record) if self._map.changes_nothing else as_plain_record(record)
        mapped = self._map.transform(self.selection.of_record(whole))
        return self._flattening.record(mapped) if mapped and self._flattening else mapped

    @override
    def get_filter_result(self, record: Any) -> bool:
        return True  # pragma: no cover - asked for child streams only, of which there are none


class OutputMapper(PluginMapper):
    """Replaces the SDK's mapper.

    Args:
        config: The settings of the tap.
        logger: Logs columns with shortened names, and maps that do nothing.
    """

    def __init__(self, config: Mapping[str, Any], logger: logging.Logger) -> None:
        super().__init__({}, logger)
        self._config = config

    @override
    def register_raw_streams_from_catalog(self, catalog: Catalog) -> None:
        """Makes the outputs of each stream.

        Raises:
            StreamMapError: A stream map is wrong.
            TapLeadsError: Two columns would have the same name.
        """
        for entry in catalog.streams:
            name = entry.stream or entry.tap_stream_id
            dropped = _deselected(entry.metadata.resolve_selection())
            allowed = _allowed(entry.metadata, dropped)
            schema = prune_schema(entry.schema.to_dict(), tree(dropped, allowed))
            source = Stream(name, schema, entry.key_properties or (), self._config)
            self.stream_maps[name] = [
                self._output(output_map, dropped, allowed)
                for output_map in output_maps(source, self.logger)
            ]

    def _output(
        self, output_map: OutputMap, dropped: list[Path], allowed: dict[str, set[str]]
    ) -> Output:
        flattening = None
        if is_flattened(self._config):
            flattening = Flattening(
                output_map.sdk_map.transformed_schema,
                depth=self._config["flattening_max_depth"],
                separator=self._config.get("flattening_separator") or _SEPARATOR,
                max_length=self._config.get("flattening_max_key_length"),
            )
            for column, full_name in flattening.shortened.items():
                self.logger.info("Column '%s' has a short name for '%s'.", column, full_name)
        return Output(
            output_map, Selection.of(dropped, output_map.rules.replaced, allowed), flattening
        )


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
