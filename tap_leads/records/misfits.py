"""Counts the values that do not fit the schema, and says what the tap did with them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tap_leads.records.selection import Fate, Path, Selection

_MAX_NAMES = 100
_OTHER_NAMES = ("(other names)",)
# Further fields are counted together, so that memory stays bounded.
_IDENTIFIER = re.compile(r"[A-Za-z_][\w-]{0,63}")
_HIDDEN = "(hidden name)"
# A name that is no identifier may be an e-mail address or other personal data.


class Misfit(NamedTuple):
    """A kind of value that does not fit.

    Attributes:
        path: Where it was.
        known: Whether the schema has the field; then the type does not fit.
        is_object: Whether the value is an object, of which parts may be left out.
    """

    path: Path
    known: bool
    is_object: bool


class Misfits(Counter[Misfit]):
    """How many leads have a value of each kind."""

    def add(self, misfit: Misfit, count: int = 1) -> None:
        """Counts values of a kind."""
        if misfit not in self and len(self) >= _MAX_NAMES:
            misfit = misfit._replace(path=_OTHER_NAMES)
        self[misfit] += count

    def sentences(self, outputs: Mapping[str, Selection]) -> Iterator[str]:
        """One sentence for each field and reason; it holds none of the values.

        Args:
            outputs: What each output stream leaves out, by the stream's name.
        """
        counts: Counter[tuple[str, bool, str]] = Counter()
        for misfit, count in self.items():
            counts[_loggable(misfit.path), misfit.known, _fates(misfit, outputs)] += count
        for (field, known, fates), count in sorted(counts.items()):
            kind = "holds a value of another type" if known else "is not known"
            yield f"Field '{field}' {kind} in {count} lead(s): {fates}."


def _loggable(path: Path) -> str:
    if path == _OTHER_NAMES:
        return _OTHER_NAMES[0]
    return ".".join(name if _IDENTIFIER.fullmatch(name) else _HIDDEN for name in path)


def _fates(misfit: Misfit, outputs: Mapping[str, Selection]) -> str:
    streams: defaultdict[Fate, list[str]] = defaultdict(list)
    for name, selection in outputs.items():
        streams[selection.fate(misfit.path, is_object=misfit.is_object)].append(repr(name))
    if len(streams) == 1:
        return next(iter(streams)).value
    return "; ".join(f"in {', '.join(names)} {fate.value}" for fate, names in streams.items())
