"""Writes every mutant of some files to standard output, as one JSON object per line.

It runs in an environment of its own, with mutmut: `requirements/mutants.txt`. The changes are those
of mutmut. Its runner is not used, as it changes neither properties, nor constants, nor tables,
where this tap has many of its rules.

Some kinds of changes are left out:

- Type annotations, names of types, `cast` and decorators: they are declarations, and mypy checks
  them.
- Docstrings, and texts with a blank: sentences for users. Tests look for their important words,
  and a change of any other word is no fault.
- Texts in capitals or small letters: the change of the same text to `XX…XX` shows whether the text
  is tested.
- Titles and descriptions in schemas: the tests of the documentation hold them.
- None in place of False: an `if` takes both for false, and False is changed to True as well.
- The arguments of `len` and `isinstance`: without one, every call fails.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libcst
from libcst.metadata import MetadataWrapper, PositionProvider, WhitespaceInclusivePositionProvider
from mutmut.mutation.mutators import mutation_operators

_COMMENT = re.compile("  # .*")
_UNCHANGED_CALLS = {"len", "isinstance", "cast"}
_TYPES = {"Callable", "Literal", "dict", "tuple"}
_TEXTS_FOR_USERS = {"title", "description"}


class Changes(libcst.CSTVisitor):  # type: ignore[misc]
    """Collects the changes of a module.

    Attributes:
        found: For each change, the name of the function, the line, the node, and its replacement.
    """

    METADATA_DEPENDENCIES = (PositionProvider, WhitespaceInclusivePositionProvider)

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, int, libcst.CSTNode, libcst.CSTNode]] = []
        self._names: list[str] = []
        self._line = 1

    def on_visit(self, node: libcst.CSTNode) -> bool:
        """Collects the changes of a node; False leaves out what is inside."""
        if _is_left_out(node):
            return False
        position = self.get_metadata(PositionProvider, node, None)
        if position is not None:
            self._line = position.start.line
        if isinstance(node, libcst.FunctionDef | libcst.ClassDef):
            self._names.append(node.name.value)
        for kind, operator in mutation_operators:
            if isinstance(node, kind):
                for changed in operator(node):
                    if _is_wanted(node, changed):
                        self.found.append((".".join(self._names), self._line, node, changed))
        return True

    def on_leave(self, original_node: libcst.CSTNode) -> None:
        """Leaves a function or class."""
        if isinstance(original_node, libcst.FunctionDef | libcst.ClassDef):
            self._names.pop()


def _is_left_out(node: libcst.CSTNode) -> bool:
    match node:
        case libcst.Annotation() | libcst.Decorator() | libcst.ImportFrom() | libcst.Import():
            return True
        case libcst.AnnAssign(annotation=libcst.Annotation(libcst.Name("TypeAlias"))):
            return True
        case libcst.Assign(value=libcst.Call(func=libcst.Name("TypeVar"))):
            return True
        case libcst.Assign(value=libcst.Subscript(value=libcst.Name(value=name))):
            return name in _TYPES
        case libcst.Call(func=libcst.Name(value=name)):
            return name in _UNCHANGED_CALLS
        case libcst.Arg(keyword=libcst.Name(value=name)):
            return name in _TEXTS_FOR_USERS
        case libcst.SimpleString(value=text):
            return " " in text
    return False


def _is_wanted(node: libcst.CSTNode, changed: libcst.CSTNode) -> bool:
    match node, changed:
        case libcst.SimpleString(), libcst.SimpleString(value=text):
            return "XX" in text
        case libcst.Call(args=before), libcst.Call(args=after):
            return _kept_for_users(before) == _kept_for_users(after)
    return True


def _kept_for_users(arguments: Any) -> list[Any]:
    return [
        argument.value
        for argument in arguments
        if argument.keyword and argument.keyword.value in _TEXTS_FOR_USERS
    ]


def difference(before: str, after: str) -> tuple[str, str]:
    """The lines that differ, before and after, without indentation and comments."""
    old, new = (
        [_COMMENT.sub("", line).strip() for line in text.splitlines()] for text in (before, after)
    )
    while old and new and old[0] == new[0]:
        del old[0], new[0]
    while old and new and old[-1] == new[-1]:
        del old[-1], new[-1]
    return " ".join(old), " ".join(new)


def mutants(path: Path) -> Iterator[dict[str, Any]]:
    """The mutants of a file."""
    source = path.read_text()
    wrapper = MetadataWrapper(libcst.parse_module(source))
    changes = Changes()
    wrapper.visit(changes)
    ranges = wrapper.resolve(WhitespaceInclusivePositionProvider)
    starts = [0]
    for text in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(text))
    for function, line, node, changed in changes.found:
        if isinstance(node, libcst.Match):  # its lines have to be indented
            mutated = wrapper.module.deep_replace(node, changed).code
        else:
            start, end = (
                starts[place.line - 1] + place.column
                for place in (ranges[node].start, ranges[node].end)
            )
            mutated = source[:start] + wrapper.module.code_for_node(changed) + source[end:]
        old, new = difference(source, mutated)
        if old.replace("False", "None") == new:
            continue
        yield {
            "path": str(path),
            "function": function,
            "line": line,
            "change": f"{old} → {new or '(nothing)'}",
            "source": mutated,
        }


if __name__ == "__main__":
    for name in sys.argv[1:]:
        for mutant in mutants(Path(name)):
            print(json.dumps(mutant))
