"""The output streams that stream maps make of a stream.

The SDK does the mapping. By itself, it ignores a map for a stream that does not exist, and reports
a wrong expression with a traceback, often only at the record where it fails. Here, each error is
one line that names the stream and the field, and contains no value.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
from singer_sdk.mapper import (
    CustomStreamMap,
    PluginMapper,
    RemoveRecordTransform,
    SameRecordTransform,
    StreamMap,
)

from tap_leads.singer.map_rules import (
    ELSE,
    FILTER,
    SOURCE,
    WITHOUT_NULL,
    Rules,
    StreamMapError,
    check_else,
)

_OPTIONS = ("stream_map_config", "faker_config")


@dataclass(frozen=True)
class Stream:
    """The stream that is mapped.

    Attributes:
        name: Its name.
        schema: The JSON Schema of its records.
        keys: Its key.
        config: The settings of the tap.
    """

    name: str
    schema: dict[str, Any]
    keys: Sequence[str]
    config: Mapping[str, Any]


class OutputMap:
    """The map of one output stream.

    Args:
        source: The stream that is mapped.
        sdk_map: The SDK's map.
        rules: The user's rules.

    Attributes:
        sdk_map: The same.
        rules: The same.
    """

    def __init__(self, source: Stream, sdk_map: StreamMap, rules: Rules) -> None:
        self._source = source
        self.sdk_map = sdk_map
        self.rules = rules

    @property
    def changes_nothing(self) -> bool:
        """Whether records go out as they are."""
        return isinstance(self.sdk_map, SameRecordTransform)

    def transform(self, record: dict[str, Any]) -> dict[str, Any] | None:
        """The record of this output stream; None if the filter drops it.

        Raises:
            StreamMapError: An expression failed.
        """
        if self.changes_nothing:
            return record
        try:
            return _transform(self.sdk_map, record, self.rules.of_fields)
        except Exception as error:  # noqa: BLE001 - an expression may raise anything
            kind = type(error.__cause__ or error).__name__
        raise StreamMapError(
            self.rules.stream,
            self._field_that_fails(record),
            f"the expression failed at a record ({kind}), so the sync stops here. Most fields may "
            "be null; let the expression allow for that",
        )

    def _field_that_fails(self, record: dict[str, Any]) -> str | None:
        for field in (FILTER, *self.rules.of_fields):
            rule = {field: self.rules.rules[field]} if field in self.rules.rules else {}
            try:
                _transform(_custom_map(self._source, rule), record, rule)
            except Exception:  # noqa: BLE001 - the same
                return field
        return None  # pragma: no cover - one of the expressions has failed


def output_maps(source: Stream, logger: logging.Logger) -> list[OutputMap]:
    """The output streams of a stream. Without stream maps, this is the stream itself.

    Raises:
        StreamMapError: A map is wrong, or removes every stream.
    """
    maps: Mapping[str, Any] | None = source.config.get("stream_maps")
    if maps == {}:
        logger.warning("Setting 'stream_maps' is empty and does nothing. %s", WITHOUT_NULL)
    maps = maps or {}
    check_else(maps)
    default = {name: rule for name, rule in maps.items() if name == ELSE}
    main = OutputMap(source, _register(source, default)[0], _rules(source, source.name, {}))
    copies = []
    for name, given in maps.items():
        if name == ELSE:
            continue
        rules = _rules(source, name, given)
        if isinstance(given, dict):
            sample = _custom_map(source, {})
            rules.check(source.keys, sample.functions.keys(), faker=sample.fake is not None)
            rules.warn(logger)
        registered = _register(source, {name: given})
        output = OutputMap(source, registered[-1], rules)
        if len(registered) > 1:
            copies.append(output)
        elif output.changes_nothing:
            missing = rules.rules.get(SOURCE, name)
            raise StreamMapError(
                name, None, f"there is no stream '{missing}', only the stream '{source.name}'"
            )
        else:
            main = output
    outputs = [one for one in (main, *copies) if not isinstance(one.sdk_map, RemoveRecordTransform)]
    if not outputs:
        raise StreamMapError(
            source.name, None, "it is removed, and there is no other, so nothing would be synced"
        )
    names = [output.sdk_map.stream_alias for output in outputs]
    for name in names:
        if names.count(name) > 1:
            raise StreamMapError(name, None, "two output streams have this name")
    return outputs


def _rules(source: Stream, name: str, rules: Any) -> Rules:
    given = rules if isinstance(rules, dict) else {}
    return Rules(name, given, source.schema["properties"])


def _register(source: Stream, maps: dict[str, Any]) -> list[StreamMap]:
    """The SDK's maps for one rule: that of the stream, and that of a copy if there is one."""
    options = {name: source.config.get(name) or {} for name in _OPTIONS}
    try:
        mapper = PluginMapper({**options, "stream_maps": dict(maps)}, logging.getLogger(__name__))
        mapper.register_raw_stream_schema(source.name, source.schema, source.keys)
        return mapper.stream_maps[source.name]
    except Exception as error:  # noqa: BLE001 - the SDK has many types of errors, which contain values
        kind = type(error).__name__
    raise StreamMapError(next(iter(maps)), None, f"the SDK does not accept the map ({kind})")


def _custom_map(source: Stream, rules: dict[str, Any]) -> CustomStreamMap:
    map_config, faker_config = (source.config.get(name) or {} for name in _OPTIONS)
    return CustomStreamMap(
        stream_alias=source.name,
        map_config=map_config,
        faker_config=faker_config,
        raw_schema=source.schema,
        key_properties=None,
        map_transform=rules,
        flattening_options=None,
        stream_name=source.name,
    )


def _transform(
    sdk_map: StreamMap, record: dict[str, Any], rules: Mapping[str, Any]
) -> dict[str, Any] | None:
    mapped = sdk_map.transform(record)
    if mapped is None:
        return None
    for field in rules:
        if field in mapped:  # JSON cannot express every value of Python
            mapped[field] = msgspec.to_builtins(mapped[field], builtin_types=(Decimal,))
    return mapped
