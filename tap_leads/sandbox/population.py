"""The leads of a workspace, which are added, edited, moved and deleted."""

import threading
from collections.abc import Iterator, Sequence

from tap_leads.sandbox.sample_leads import LAST_SECOND, Lead, lead


class Population:
    """The leads that exist now. Only the differences from how they were made are stored.

    All methods, also those of subclasses, may be called from several threads.

    Args:
        leads: How many there are at first.
        seed: Of the leads; another number makes other leads.
        workspace: Their `app_id`.
    """

    def __init__(self, leads: int, *, seed: int, workspace: str) -> None:
        self.app_id = workspace
        self.seed = seed
        self._lock = threading.RLock()
        # Of the leads that exist, in order.
        self._indexes: list[Sequence[int]] = [range(leads)]
        self._next_index = leads
        self._edits: dict[int, int] = {}  # index -> number of its latest edit
        self._edit = 0

    def count(self) -> int:
        """Count the leads that exist now."""
        with self._lock:
            return sum(map(len, self._indexes))

    def indexes(self, first: int, limit: int) -> list[int]:
        """Tell which leads are at a position and after it, `limit` of them at most."""
        found: list[int] = []
        with self._lock:
            for block in self._indexes:
                found += block[first : first + limit - len(found)]
                first = max(0, first - len(block))
        return found

    def leads(self) -> Iterator[Lead]:
        """Yield every lead as it is now."""
        for index in self.indexes(0, self.count()):
            yield self.lead(index)

    def lead(self, index: int) -> Lead:
        """Make one lead as it is now, with its latest edit."""
        record = lead(self.seed, index, self.app_id)
        edit = self._edits.get(index)
        if edit:
            record["name"] = f"{record.get('name') or 'Lead'} (edit {edit})"
            record["updated_at"] = LAST_SECOND + edit
        return record

    def edited(self, indexes: list[int]) -> bool:
        """Tell whether any of these leads differs from how it was made."""
        return bool(self._edits) and not self._edits.keys().isdisjoint(indexes)

    def update(self, number: int) -> None:
        """Edit that many leads, spread evenly over the list: served ones and others."""
        with self._lock:
            count = self.count()
            number = min(number, count)
            for n in range(number):
                self._edit_these(self.indexes((2 * n + 1) * count // (2 * number), 1))

    def _edit_these(self, indexes: list[int]) -> None:
        for index in indexes:
            self._edit += 1
            self._edits[index] = self._edit

    def move(self, number: int) -> int:
        """Edit that many leads at the beginning of the list, and move them to its end.

        Returns:
            How many there were.
        """
        with self._lock:
            count = self.count()
            moved, others = self.indexes(0, number), self.indexes(number, count)
            self._edit_these(moved)
            self._indexes = [others, moved]
            return len(moved)

    def merge(self, number: int) -> int:
        """Remove that many leads from the beginning of the list, and edit as many after them.

        Returns:
            How many were removed.
        """
        with self._lock:
            count = self.count()
            merged = self.indexes(0, min(number, count // 2))
            self._edit_these(self.indexes(len(merged), len(merged)))
            self._indexes = [self.indexes(len(merged), count)]
            return len(merged)

    def delete(self, number: int) -> None:
        """Remove that many leads from the end of the list."""
        with self._lock:
            while number and self._indexes:
                block = self._indexes.pop()
                kept = block[: max(0, len(block) - number)]
                number -= len(block) - len(kept)
                if kept:
                    self._indexes.append(kept)

    def add(self, number: int) -> None:
        """Put that many new leads at the end of the list; no index is used twice."""
        with self._lock:
            self._indexes.append(range(self._next_index, self._next_index + number))
            self._next_index += number
