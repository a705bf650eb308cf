"""Which versions of which leads a sync has seen, over all its scrolls.

A restarted scroll brings every lead again. The ledger knows what is new, so that each version of a
lead is sent once, and an older version never after a newer one. It is on disk: ten million leads
take no more memory than ten.

The time of change decides where both versions have one. A lead that has a time in one scroll and
none in another is compared by its content, if that is known.
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
"""Id, newest version sent, and the page that had the lead last; see `Ledger`."""


@dataclass(slots=True)
class Entry:
    """What a page brought.

    Attributes:
        new: The positions of the leads whose versions are to be sent.
        unknown: How many leads no scroll of this sync had brought before.
        first: How many leads this scroll had not brought before, in any version.
        progress: Whether it holds anything that this scroll had not brought before.
    """

    new: list[int] = field(default_factory=list)
    unknown: int = 0
    first: int = 0
    progress: bool = False


class Ledger:
    """The newest version of each lead seen so far. For use in one thread."""

    def __init__(self) -> None:
        # An empty name makes SQLite's private temporary database: a file without a name that is
        # gone with the process, however it ends. It needs no journal, as nothing is rolled back.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        # Pages are numbered through all scrolls. `page` is the last one that brought the lead;
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
        """Says that the pages that follow belong to a new scroll."""
        self._first_page = self._page + 1

    def enter(self, page: Page) -> Entry:
        """Notes what a page brought.

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
            # As on each page while nothing goes wrong: one statement.
            return Entry(list(range(count)), count, count, progress=True)
        found = self._database.execute(_find(count), [identity for identity, _ in page.versions])
        known: dict[str, _Row] = {row[0]: row for row in found if abs(row[2]) != self._page}
        entry = Entry()
        for position, (identity, _) in enumerate(page.versions):
            known[identity] = self._compare(entry, page, position, known.get(identity))
        self._database.executemany("REPLACE INTO seen VALUES (?, ?, ?)", known.values())
        return entry

    def _compare(self, entry: Entry, page: Page, position: int, before: _Row | None) -> _Row:
        """Enters one lead that may be known; returns its row."""
        identity, version = page.versions[position]
        sent, at = (None, 0) if before is None else before[1:]
        first = abs(at) < self._first_page
        older = False
        match sent, version:
            case int(), int():
                new, older = version > sent, version < sent
                version = max(version, sent)
            case int(), str():  # whether it is newer cannot be told without its time
                new, version = False, sent
            case str(), int():
                new = page.digest(position) != sent
            case _:
                new = version != sent
        entry.unknown += before is None
        entry.first += first
        # Older versions twice are not progress, so that the scroll ends.
        entry.progress |= first or new or (at < 0 and not older)
        if new:
            entry.new.append(position)
        is_stale = older and (first or at < 0)
        return identity, version, -self._page if is_stale else self._page


@lru_cache(maxsize=256)
def _add(leads: int) -> str:
    """Adds the leads of a page that are not known yet."""
    rows = ", ".join(["(?, ?, ?)"] * leads)
    return f"INSERT INTO seen VALUES {rows} ON CONFLICT DO NOTHING"  # noqa: S608 - only question marks


@lru_cache(maxsize=256)
def _find(leads: int) -> str:
    """The rows of the leads of a page."""
    keys = ", ".join(["?"] * leads)
    return f"SELECT id, version, page FROM seen WHERE id IN ({keys})"  # noqa: S608 - only question marks
