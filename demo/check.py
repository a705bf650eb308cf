"""Compares every lead of the source with every row of the destination."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

_SHOWN = 5  # ids that a report names


@dataclass(frozen=True)
class Comparison:
    """The ids that the destination lacks, that only it has, and that it has more than once."""

    missing: list[str]
    surplus: list[str]
    repeated: list[str]

    @property
    def complete(self) -> bool:
        """Whether each lead has exactly one row, and there are no other rows."""
        return not (self.missing or self.surplus or self.repeated)

    def __str__(self) -> str:
        faults = [
            f"{len(ids):,} {kind} ({', '.join(ids[:_SHOWN])}{', …' * (len(ids) > _SHOWN)})"
            for kind, ids in vars(self).items()
            if ids
        ]
        return f"By id: {'; '.join(faults) or 'none missing, extra or double'}."


def compare(source: Iterable[str], destination: Iterable[str]) -> Comparison:
    """Compares the ids of leads with the ids of rows."""
    leads = set(source)
    rows = Counter(destination)
    return Comparison(
        missing=sorted(leads - rows.keys()),
        surplus=sorted(rows.keys() - leads),
        repeated=sorted(name for name, count in rows.items() if count > 1),
    )
