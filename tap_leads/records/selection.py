"""What an output stream may contain of a record: a tree of the paths that the user left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias

from tap_leads.records.schema import ADDITIONAL_FIELDS

Path: TypeAlias = tuple[str, ...]
"""The names that lead from a record to a value."""

Tree: TypeAlias = dict[str, "Tree | None"]
"""Names that are left out: as a whole (None), or the parts that the tree below them names."""


class _OnlyNamed(dict[str, "Tree | None"]):
    """The tree below an object that keeps only these names: any other name is left out."""

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__()
        self._names = frozenset(names)

    def __contains__(self, name: object) -> bool:
        return name not in self._names or super().__contains__(name)

    def __missing__(self, name: str) -> None:
        return None


class Fate(Enum):
    """What the output stream does with a value that moves to `additional_fields`."""

    KEPT = "kept unchanged in 'additional_fields'"
    KEPT_IN_PART = (
        "kept in 'additional_fields', without the parts of it that you deselected or mapped"
    )
    LEFT_OUT = "left out, as you deselected or mapped it"


@dataclass(frozen=True)
class Selection:
    """What the user left out of one output stream.

    Attributes:
        dropped: What the catalog deselects of a record.
        withheld: What must not be in `additional_fields`: what the catalog deselects, and fields
            that the stream map drops or replaces.
        keeps_rest: Whether the output stream has `additional_fields` at all.
    """

    dropped: Tree = field(default_factory=dict)
    withheld: Tree = field(default_factory=dict)
    keeps_rest: bool = True

    @classmethod
    def of(
        cls,
        deselected: Iterable[Path],
        mapped: Iterable[str],
        allowed: Mapping[str, Iterable[str]] | None = None,
    ) -> Selection:
        """The selection of an output stream.

        Args:
            deselected: Paths that the catalog deselects.
            mapped: Fields that the stream map drops or replaces.
            allowed: By field, the only properties that may be sent of its object.
        """
        paths, names = list(deselected), set(mapped)
        inside = [path[1:] for path in paths if path[0] == ADDITIONAL_FIELDS and len(path) > 1]
        return cls(
            dropped=tree(paths, allowed),
            withheld=tree([*paths, *inside, *((name,) for name in names)], allowed),
            keeps_rest=(ADDITIONAL_FIELDS,) not in paths and ADDITIONAL_FIELDS not in names,
        )

    def of_record(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record without what the user left out."""
        rest = record[ADDITIONAL_FIELDS]
        if rest and self.withheld:
            left = prune(rest, self.withheld)
            left = {name: value for name, value in left.items() if value or not rest[name]}
            record = {**record, ADDITIONAL_FIELDS: left or None}
        return prune(record, self.dropped) if self.dropped else record

    def fate(self, path: Path, *, is_object: bool) -> Fate:
        """The fate of a value that moves from this path to `additional_fields`."""
        if not self.keeps_rest:
            return Fate.LEFT_OUT
        below: Tree | None = self.withheld
        for name in path:
            if below is not None and name not in below:
                return Fate.KEPT
            below = below and below[name]
        return Fate.KEPT_IN_PART if is_object and below else Fate.LEFT_OUT


def tree(paths: Iterable[Path], allowed: Mapping[str, Iterable[str]] | None = None) -> Tree:
    """The tree of these paths, and of the properties that are not among the allowed ones."""
    root: Tree = {field: _OnlyNamed(names) for field, names in (allowed or {}).items()}
    for path in sorted(paths, key=len):  # a whole branch before its parts
        below: Tree | None = root
        for name in path[:-1]:
            if below is not None:
                below = below.setdefault(name, {})
        if below is not None:
            below[path[-1]] = None
    return root


def prune(value: Mapping[str, Any], dropped: Tree) -> dict[str, Any]:
    """A copy without what is dropped.

    If parts of an object are dropped, and the value is no object, it is dropped as a whole: it may
    contain these parts in another form.
    """
    kept: dict[str, Any] = {}
    for name, inner in value.items():
        if name in dropped:
            below = dropped[name]
            if below is None or not isinstance(inner, dict | None):
                continue
            kept[name] = inner and prune(inner, below)
        else:
            kept[name] = inner
    return kept


def prune_schema(schema: Mapping[str, Any], dropped: Tree) -> dict[str, Any]:
    """The JSON Schema of what `prune` leaves."""
    if "properties" not in schema:
        return dict(schema)
    properties = {
        name: prune_schema(inner, dropped.get(name) or {})
        for name, inner in schema["properties"].items()
        if name not in dropped or dropped[name] is not None
    }
    pruned = {**schema, "properties": properties}
    if "required" in schema:
        pruned["required"] = [name for name in schema["required"] if name in properties]
    return pruned
