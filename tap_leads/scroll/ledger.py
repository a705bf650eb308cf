"""Which versions of which leads the passes of one sync have brought.

A restarted scroll brings every lead again. The ledger tells what is new, so that each version of a
lead goes out once. It lives on disk: ten million leads take no more memory than ten.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from typing import Self

from tap_leads.scroll.spool import SpoolError

Version = tuple[str, str]
"""A lead's id, and what tells this version of the lead from others."""

_CACHE_KIB = 6 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """What a page brought.

    Attributes:
        new: The versions that no pass of this sync had brought before.
        repeats: Whether the pass had seen every lead of the page before.
    """

    new: set[Version]
    repeats: bool


class Ledger:
    """The versions seen so far. For use in one thread."""

    def __init__(self) -> None:
        # An empty name makes SQLite's private temporary database: a file without a name, that is
        # gone with the process, however it ends. It needs no journal, as nobody rolls back.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        # Pages are numbered through all passes; `last_page` is the one that brought the version in
        # the last pass.
        self._database.execute(
            "CREATE TABLE seen (id TEXT, version TEXT, first_pass INT, last_page INT,"
            " PRIMARY KEY (id, version)) WITHOUT ROWID"
        )
        self._database.execute("BEGIN")
        self._page = 0
        self._pass = 0
        self._pass_began = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    def enter(self, versions: Sequence[Version], number: int) -> Entry:
        """Notes what a page of the given pass (1, 2, …) brought.

        Raises:
            SpoolError: The disk is full.
        """
        self._page += 1
        if number != self._pass:
            self._pass, self._pass_began = number, self._page
        try:
            return self._enter(versions)
        except sqlite3.Error as error:
            raise SpoolError(
                f"The disk could not take the list of leads already seen ({error}). Free some "
                "space in the folder for temporary files, or name another one in TMPDIR."
            ) from None

    def _enter(self, versions: Sequence[Version]) -> Entry:
        rows = [value for version in versions for value in (*version, self._pass, self._page)]
        added = self._database.execute(_add(len(versions)), (*rows, self._pass_began)).rowcount
        if added == len(versions) and self._pass == 1:
            # As on each page while nothing goes wrong; to ask which ones would cost half more.
            came = new = set(versions)
        else:
            keys = [value for version in versions for value in version]
            found = self._database.execute(_added(len(versions)), (*keys, self._page)).fetchall()
            came = {(identity, version) for identity, version, _ in found}
            new = {(identity, version) for identity, version, since in found if since == self._pass}
        return Entry(new, not any(self._is_first_sight(identity) for identity, _ in came))

    def _is_first_sight(self, identity: str) -> bool:
        """Whether a lead, just entered, had not come in this pass before, in no version."""
        query = "SELECT count(*) FROM seen WHERE id = ? AND last_page >= ?"
        (rows,) = self._database.execute(query, (identity, self._pass_began)).fetchone()
        return bool(rows == 1)


@lru_cache(maxsize=256)
def _add(leads: int) -> str:
    """Adds a page's versions, but those that its pass has brought before."""
    rows = ", ".join(["(?, ?, ?, ?)"] * leads)
    return (
        f"INSERT INTO seen VALUES {rows}"  # noqa: S608 - nothing but question marks
        " ON CONFLICT DO UPDATE SET last_page = excluded.last_page WHERE last_page < ?"
    )


@lru_cache(maxsize=256)
def _added(leads: int) -> str:
    """The versions that a page has added, with the pass that brought each first."""
    keys = ", ".join(["(?, ?)"] * leads)
    return (
        f"WITH page(id, version) AS (VALUES {keys})"  # noqa: S608 - nothing but question marks
        " SELECT id, version, first_pass FROM page CROSS JOIN seen USING (id, version)"
        " WHERE last_page = ?"
    )
