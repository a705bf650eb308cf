"""Remembers which versions of which leads a sync has seen, in all its scrolls.

A restarted scroll reads every lead again. The ledger tells which versions are new, so that each
version of a lead is sent once, and an older version never follows a newer one. It is on disk, so
ten million leads take no more memory than ten.

If both versions of a lead have a time of change, the times are compared. If one has none, the
contents are compared, as far as the ledger knows them.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self

from tap_leads.records.pages import Page
from tap_leads.scroll.spool import SpoolError

_CACHE_KIB = 6 * 1024

_Row = tuple[str, int | str, int]
"""An id, the newest version that was sent, and the last page with the lead; see `Ledger`."""


@dataclass(slots=True)
class Entry:
    """What is new in a page.

    Attributes:
        new: The positions of the leads that must be sent.
        unknown: How many leads no scroll of this sync had read before.
        first: How many leads this scroll had not read before, in any version.
        progress: Whether the page has anything that this scroll had not read before.
    """

    new: list[int] = field(default_factory=list)
    unknown: int = 0
    first: int = 0
    progress: bool = False


class Ledger:
    """The newest version of each lead seen so far. For use in one thread."""

    def __init__(self) -> None:
        # An empty name opens a private temporary database. Its file has no name, so the system
        # deletes it when the process ends, even after a kill. Nothing is ever rolled back, so it
        # needs no journal.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        # Pages are numbered across all scrolls. `page` is the last page with the lead. It is
        # negative if that page had an older version than the one that was sent.
        self._database.execute(
            "CREATE TABLE seen (id TEXT PRIMARY KEY, version, page INT) WITHOUT ROWID"
        )
        self._database.execute("BEGIN")
        self._page = 0
        self._first_page = 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def start_scroll(self) -> None:
        """Notes that the next pages belong to a new scroll."""
        self._first_page = self._page + 1

    def enter(self, page: Page) -> Entry:
        """Adds a page, and returns what is new in it.

        Raises:
            SpoolError: The disk is full.
        """
        self._page += 1
        try:
            return self._enter(page)
        except sqlite3.Error as error:
            raise SpoolError(
                f"The disk could not take the list of leads already seen ({error}). Free some "
                "space in the folder for temporary files, or name another one in TMPDIR."
            ) from None

    def _enter(self, page: Page) -> Entry:
        count = len(page.versions)
        rows = [value for version in page.versions for value in (*version, self._page)]
        if self._database.execute(_add(count), rows).rowcount == count:
            # All leads are new. While nothing goes wrong, a page needs only this statement.
            return Entry(list(range(count)), count, count, progress=True)
        found = self._database.execute(_find(count), [identity for identity, _ in page.versions])
        known: dict[str, _Row] = {row[0]: row for row in found if abs(row[2]) != self._page}
        entry = Entry()
        for position, (identity, _) in enumerate(page.versions):
            known[identity] = self._compare(entry, page, position, known.get(identity))
        self._database.executemany("REPLACE INTO seen VALUES (?, ?, ?)", known.values())
        return entry

    def _compare(self, entry: Entry, page: Page, position: int, before: _Row | None) -> _Row:
        """Compares a lead with its row, which may be missing; returns its new row."""
        identity, version = page.versions[position]
        sent, at = (None, 0) if before is None else before[1:]
        first = abs(at) < self._first_page
        older = False
        match sent, version:
            case int(), int():
                new, older = version > sent, version < sent
                version = max(version, sent)
            case int(), str():  # without a time, it may be older: it is not sent
                new, version = False, sent
            case str(), int():
                new = page.digest(position) != sent
            case _:
                new = version != sent
        entry.unknown += before is None
        entry.first += first
        # If an older version is repeated, that is no progress: the scroll must not go on forever.
        entry.progress |= first or new or (at < 0 and not older)
        if new:
            entry.new.append(position)
        is_stale = older and (first or at < 0)
        return identity, version, -self._page if is_stale else self._page


@lru_cache(maxsize=256)
def _add(leads: int) -> str:
    """The statement that adds those leads of a page that are new."""
    rows = ", ".join(["(?, ?, ?)"] * leads)
    return f"INSERT INTO seen VALUES {rows} ON CONFLICT DO NOTHING"  # noqa: S608 - only question marks


@lru_cache(maxsize=256)
def _find(leads: int) -> str:
    """The query for the rows of a page's leads."""
    keys = ", ".join(["?"] * leads)
    return f"SELECT id, version, page FROM seen WHERE id IN ({keys})"  # noqa: S608 - only question marks
