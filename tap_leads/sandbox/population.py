"""The leads of a workspace, and how they change: added, edited, moved, merged or deleted."""

import threading
from collections.abc import Collection, Iterable, Iterator, Sequence

from tap_leads.sandbox.sample_leads import LAST_SECOND, Lead, lead


class Population:
    """The leads that exist now. Only their order and their edits are stored.

    All methods, also those of subclasses, may be called from several threads.

    Args:
        leads: Their number at the start.
        seed: Decides the leads; another seed makes other leads.
        workspace: Their `app_id`.
    """

    def __init__(self, leads: int, *, seed: int, workspace: str) -> None:
        self.app_id = workspace
        self.seed = seed
        self._lock = threading.RLock()
        self._indexes: Sequence[int] = range(leads)  # of the leads that exist, in order
        self._next_index = leads
        self._edits: dict[int, int] = {}  # index -> number of its latest edit
        self._edit = 0

    def count(self) -> int:
        """Count the leads that exist now."""
        return len(self._indexes)

    def indexes(self, first: int, limit: int) -> list[int]:
        """List at most `limit` leads, from a position on."""
        return list(self._indexes[first : first + limit])

    def leads(self) -> Iterator[Lead]:
        """Yield every lead as it is now."""
        for index in self._indexes:
            yield self.lead(index)

    def lead(self, index: int) -> Lead:
        """Make one lead as it is now, with its latest edit."""
        record = lead(self.seed, index, self.app_id)
        edit = self._edits.get(index)
        if edit:
            record["name"] = f"{record.get('name') or 'Lead'} (edit {edit})"
            record["updated_at"] = LAST_SECOND + edit
        return record

    def update(self, number: int) -> None:
        """Edit that many leads, spread evenly over the list."""
        with self._lock:
            self._edit_at(self._spread(number))

    def move(self, number: int) -> None:
        """Edit that many leads at the beginning of the list, and move them to its end."""
        with self._lock:
            first = self.indexes(0, number)
            self._edit_at(range(len(first)))
            self._change(range(len(first)), added=first)

    def delete(self, number: int) -> None:
        """Remove that many leads from the end of the list."""
        with self._lock:
            self._change(range(max(0, self.count() - number), self.count()))

    def delete_first(self, number: int) -> None:
        """Remove that many leads from the beginning of the list."""
        with self._lock:
            self._change(range(min(number, self.count())))

    def delete_spread(self, number: int) -> None:
        """Remove that many leads, spread evenly over the list."""
        with self._lock:
            self._change(self._spread(number))

    def merge(self, number: int) -> None:
        """Merge that many leads, spread evenly, into the leads before them: these are edited."""
        with self._lock:
            # Of two leads one survives, so at most half of the leads disappear.
            merged = self._spread(min(number, self.count() // 2))
            self._edit_at(position - 1 for position in merged)
            self._change(merged)

    def add(self, number: int) -> None:
        """Add that many new leads at the end of the list; no index is used twice."""
        with self._lock:
            self._next_index += number
            self._change((), added=range(self._next_index - number, self._next_index))

    def _spread(self, number: int) -> list[int]:
        """Choose positions that are spread evenly over the list."""
        count = self.count()
        number = min(number, count)
        return [(2 * n + 1) * count // (2 * number) for n in range(number)]

    def _edit_at(self, positions: Iterable[int]) -> None:
        for position in positions:
            self._edit += 1
            self._edits[self._indexes[position]] = self._edit

    def _change(self, removed: Collection[int], added: Sequence[int] = ()) -> None:
        """Remove the leads at some positions from the list, and add others at its end."""
        gone = frozenset(removed)
        kept = [index for at, index in enumerate(self._indexes) if at not in gone]
        self._indexes = [*kept, *added]
