"""The rules of a stream map, and the checks of them."""

from __future__ import annotations

import ast
import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from singer_sdk.mapper import (
    MAPPER_ALIAS_OPTION,
    MAPPER_ELSE_OPTION,
    MAPPER_FILTER_OPTION,
    MAPPER_KEY_PROPERTIES_OPTION,
    MAPPER_SOURCE_OPTION,
    NULL_STRING,
)

from tap_leads.errors import TapLeadsError

ELSE, FILTER, KEYS, SOURCE = (
    MAPPER_ELSE_OPTION,
    MAPPER_FILTER_OPTION,
    MAPPER_KEY_PROPERTIES_OPTION,
    MAPPER_SOURCE_OPTION,
)
WITHOUT_NULL = "To drop a field, give it the value __NULL__: Meltano leaves out every null."
_NULLS = (None, NULL_STRING)
_MUST_BE_NULL = "it must be null (with Meltano: __NULL__)"
# The names that the SDK defines in every expression, besides functions, fields and `fake`.
_NAMES = {"_", "record", "config", "__stream_name__", "__original_stream_name__"}


class StreamMapError(TapLeadsError):
    """A stream map is wrong. The message names the stream and the field, and no value."""

    def __init__(self, stream: str, field: str | None, problem: str) -> None:
        where = f", field '{field}'" if field else ""
        super().__init__(f"Setting 'stream_maps', stream '{stream}'{where}: {problem}.")


def check_else(maps: Mapping[str, Any]) -> None:
    """Checks the rule for streams without a map.

    Raises:
        StreamMapError: The rule does not remove them.
    """
    if ELSE in maps and maps[ELSE] not in _NULLS:
        raise StreamMapError(ELSE, None, _MUST_BE_NULL)


class Rules:
    """The rules for one output stream: for each field an expression, or null to drop it.

    Args:
        stream: Name of the map.
        rules: The rules, as the user wrote them.
        fields: The fields of a record.
    """

    def __init__(self, stream: str, rules: Mapping[str, Any], fields: Collection[str]) -> None:
        self.stream = stream
        self.rules = rules
        self.of_fields = {name: rule for name, rule in rules.items() if not name.startswith("__")}
        self._fields = fields

    @property
    def replaced(self) -> set[str]:
        """Fields that are dropped or get another value."""
        kept = {name for name, rule in self.of_fields.items() if _passes(name, rule)}
        dropped = set(self._fields) if ELSE in self.rules else set()
        return {*self.of_fields, *dropped} - kept

    def check(self, keys: Sequence[str], functions: Collection[str], *, faker: bool) -> None:
        """Checks each rule.

        Args:
            keys: The stream's key.
            functions: The functions that expressions may call.
            faker: Whether the package Faker is installed.

        Raises:
            StreamMapError: A rule is wrong.
        """
        kept_keys = self.rules.get(KEYS, keys) or ()
        for name, rule in self.rules.items():
            if problem := self._problem(name, rule, {*functions, *_NAMES}, faker=faker):
                raise StreamMapError(self.stream, name, problem)
        for key in kept_keys:
            in_output = key in self._fields and ELSE not in self.rules
            if self.rules.get(key, NULL_STRING) in _NULLS and (key in self.rules or not in_output):
                raise StreamMapError(
                    self.stream, key, f"the key must stay; {KEYS} can name another key, or none"
                )

    def warn(self, logger: logging.Logger) -> None:
        """Warns of rules that do nothing."""
        if not self.rules:
            logger.warning(
                "Setting 'stream_maps': the map of stream '%s' is empty and does nothing. %s",
                self.stream,
                WITHOUT_NULL,
            )
        for name, rule in self.of_fields.items():
            if rule in _NULLS and name not in self._fields:
                logger.warning(
                    "Setting 'stream_maps', stream '%s': the schema has no field '%s'. If Intercom "
                    "sends one, it is left out of 'additional_fields'; nothing else is dropped. A "
                    "property of an object can be deselected in the catalog.",
                    self.stream,
                    name,
                )

    def _problem(self, name: str, rule: Any, names: set[str], *, faker: bool) -> str | None:
        match name:
            case _ if name == ELSE:
                return None if rule in _NULLS else _MUST_BE_NULL
            case _ if name == KEYS:
                fine = rule is None or (
                    isinstance(rule, list) and all(isinstance(key, str) for key in rule)
                )
                return None if fine else "it must be a list of fields, or null"
            case _ if name in (SOURCE, MAPPER_ALIAS_OPTION):
                return None if isinstance(rule, str) else "it must be the name of a stream"
            case _ if name.startswith("__") and name != FILTER:
                return "there is no such option"
        if rule in _NULLS:
            return None
        if name in self._fields:
            names |= {"self"}
        return _problem_of_expression(rule, names | set(self._fields), faker=faker)


def _problem_of_expression(rule: Any, names: set[str], *, faker: bool) -> str | None:
    if not isinstance(rule, str):
        return "it must be an expression, written as text, or null"
    try:
        nodes = list(ast.walk(ast.parse(rule, mode="eval")))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "the expression is not valid"
    used = {node.id: node.ctx for node in nodes if isinstance(node, ast.Name)}
    own = {name for name, context in used.items() if isinstance(context, ast.Store)}
    for name in sorted(used.keys() - own - names):
        if name != "fake":
            return f"'{name}' is not a field or function that the expression can use"
        if not faker:  # pragma: no branch - the tests run without it
            return "'fake' needs the package 'faker', installed in the environment of the tap"
    return None


def _passes(field: str, rule: Any) -> bool:
    """Whether a rule leaves a field as it is."""
    if not isinstance(rule, str):
        return False
    match ast.parse(rule, mode="eval").body:
        case ast.Name(id=name):
            return name in {field, "self"}
        case ast.Subscript(value=ast.Name(id="record" | "_"), slice=ast.Constant(value=name)):
            return bool(name == field)
    return False
