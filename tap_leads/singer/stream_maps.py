"""The stream maps that the user wrote, checked before the sync.

The SDK does the mapping. By itself, it ignores a map for a stream that does not exist, and reports
a wrong expression with a traceback, often only at the record where it fails. Here, each error is
one line that names the stream and the field, and contains no value.
"""

from __future__ import annotations

import ast
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from importlib.util import find_spec
from typing import Any, TypeAlias, cast

from singer_sdk.mapper import CustomStreamMap, PluginMapper, StreamMap

from tap_leads.errors import TapLeadsError

Rules: TypeAlias = dict[str, Any]
"""A stream map: by field an expression, or None to drop the field; and the options of the SDK."""

ELSE, FILTER, KEYS = "__else__", "__filter__", "__key_properties__"
_SOURCE, _ALIAS, _NULL = "__source__", "__alias__", "__NULL__"
_MUST_BE_NULL = "it must be null (with Meltano: __NULL__)"
_WITHOUT_NULL = "To drop a field, give it the value __NULL__: Meltano leaves out every null."
# The names that the SDK defines in every expression, besides functions and fields.
_NAMES = {"_", "record", "config", "__stream_name__", "__original_stream_name__"}
_NAMES |= {"fake"} if find_spec("faker") else set()
_LOGGER = logging.getLogger(__name__)


class StreamMapError(TapLeadsError):
    """A stream map is wrong. The message names the stream and the field, and no value."""

    def __init__(self, stream: str, field: str | None, problem: str) -> None:
        where = f", field '{field}'" if field else ""
        super().__init__(f"Setting 'stream_maps', stream '{stream}'{where}: {problem}.")


@dataclass(frozen=True)
class Source:
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

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of a record, with their schemas."""
        return cast("dict[str, Any]", self.schema["properties"])

    def sdk_map(self, name: str, rules: Rules | None) -> StreamMap:
        """The SDK's map for these rules; without rules, records stay as they are.

        Raises:
            StreamMapError: The SDK does not accept the rules.
        """
        options = {key: self.config.get(key) or {} for key in ("stream_map_config", "faker_config")}
        maps = {} if rules is None else {name: rules}
        try:
            mapper = PluginMapper(options | {"stream_maps": maps}, _LOGGER)
            mapper.register_raw_stream_schema(self.name, self.schema, self.keys)
            return mapper.stream_maps[self.name][-1]
        except Exception as error:  # noqa: BLE001 - the SDK raises many types, which contain values
            kind = type(error).__name__
        raise StreamMapError(name, None, f"the SDK does not accept the map ({kind})")

    def replaced_by(self, rules: Rules) -> set[str]:
        """The fields that these rules drop or give another value."""
        mapped = {field for field in rules if not field.startswith("__")}
        if ELSE in rules:
            mapped |= self.fields.keys()
        return {field for field in mapped if rules.get(field) != field}


def checked_maps(source: Source, logger: logging.Logger) -> list[tuple[str, Rules | None]]:
    """The map of each output stream: its name and its rules; None leaves the records as they are.

    Raises:
        StreamMapError: A map is wrong, or no output stream is left.
    """
    if source.config.get("stream_maps") == {}:
        logger.warning("Setting 'stream_maps' is empty and does nothing. %s", _WITHOUT_NULL)
    maps = _with_nulls(source.config.get("stream_maps") or {})
    main: list[tuple[str, Rules | None]] = [] if ELSE in maps else [(source.name, None)]
    if maps.pop(ELSE, None) is not None:
        raise StreamMapError(ELSE, None, _MUST_BE_NULL)
    copies: list[tuple[str, Rules | None]] = []
    for name, given in maps.items():
        if not isinstance(given, dict | None):
            raise StreamMapError(name, None, "it must be an object with a rule per field, or null")
        rules = _checked_rules(source, name, _with_nulls(given or {}))
        if _SOURCE in rules:
            copies.append((name, rules))
        else:
            main = [] if given is None else [(name, rules)]
        if given is not None:
            _check_keys(source, name, rules)
            _warn_of_rules_without_effect(source, name, rules, logger)
    if not main + copies:
        raise StreamMapError(
            source.name, None, "it is removed, and there is no other, so nothing would be synced"
        )
    return main + copies


def _checked_rules(source: Source, name: str, rules: Rules) -> Rules:
    """The same rules, but an expression that only returns a field becomes the field's name.

    The SDK gives the type of the field to the result of such an expression.

    Raises:
        StreamMapError: A rule is wrong.
    """
    functions = cast("CustomStreamMap", source.sdk_map(source.name, {})).functions
    for field, rule in rules.items():
        names = {*functions, *_NAMES, *source.fields}
        if field in source.fields:
            names.add("self")
        if problem := _problem(field, rule, names):
            raise StreamMapError(name, field, problem)
    if _SOURCE in rules and _ALIAS in rules:
        raise StreamMapError(name, _ALIAS, "a copy has the name of its map, so leave this out")
    mapped = rules.get(_SOURCE, name)
    if not fnmatch(source.name, mapped):
        problem = f"there is no stream '{mapped}', only the stream '{source.name}'"
        raise StreamMapError(name, None, problem)
    fields = {
        name: _returned_field(name, rule)
        for name, rule in rules.items()
        if isinstance(rule, str) and not name.startswith("__")
    }
    return rules | {name: field for name, field in fields.items() if field in source.fields}


def _check_keys(source: Source, name: str, rules: Rules) -> None:
    kept = {} if ELSE in rules else dict.fromkeys(source.fields, "self")
    for key in rules.get(KEYS, source.keys) or ():
        if (kept | rules).get(key) is None:
            problem = f"the key must stay; {KEYS} can name another key, or none"
            raise StreamMapError(name, key, problem)


def _warn_of_rules_without_effect(
    source: Source, name: str, rules: Rules, logger: logging.Logger
) -> None:
    if not rules:
        logger.warning(
            "Setting 'stream_maps': the map of stream '%s' is empty and does nothing. %s",
            name,
            _WITHOUT_NULL,
        )
    for field, rule in rules.items():
        if rule is None and not field.startswith("__") and field not in source.fields:
            logger.warning(
                "Setting 'stream_maps', stream '%s': the schema has no field '%s'. If Intercom "
                "sends one, it is left out of 'additional_fields'; nothing else is dropped. A "
                "property of an object can be deselected in the catalog.",
                name,
                field,
            )


def _problem(field: str, rule: Any, names: set[str]) -> str | None:
    """What is wrong with the rule of a field or an option; `names` are those of expressions."""
    if field == KEYS:
        keys = [] if rule is None else rule
        is_list = isinstance(keys, list) and all(isinstance(key, str) for key in keys)
        return None if is_list else "it must be a list of fields, or null"
    if field in {_SOURCE, _ALIAS}:
        return None if isinstance(rule, str) else "it must be the name of a stream"
    if field.startswith("__") and field not in {ELSE, FILTER}:
        return "there is no such option"
    if rule is None:
        return None
    if field == ELSE:
        return _MUST_BE_NULL
    if not isinstance(rule, str):
        return "it must be an expression, written as text, or null"
    try:
        tree = ast.parse(rule, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "the expression is not valid"
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    own = {node.id for node in nodes if isinstance(node.ctx, ast.Store)}
    for name in sorted({node.id for node in nodes} - own - names):
        if name == "fake":
            return "'fake' needs the package 'faker', installed in the environment of the tap"
        return f"'{name}' is not a field or function that the expression can use"
    return None


def _returned_field(name: str, rule: str) -> Any:
    """The field that an expression returns as it is; None if it does something else."""
    match ast.parse(rule, mode="eval").body:
        case ast.Name(id=field):
            return name if field == "self" else field
        case ast.Subscript(value=ast.Name(id="record" | "_"), slice=ast.Constant(value=field)):
            return field
    return None


def _with_nulls(rules: Mapping[str, Any]) -> dict[str, Any]:
    """The same rules, with None in place of the text that users of Meltano write for null."""
    return {name: None if rule == _NULL else rule for name, rule in rules.items()}
