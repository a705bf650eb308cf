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

from tap_leads.errors import SpoolError

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
        self._database.execute(
            "CREATE TABLE seen (id TEXT, version TEXT, first_pass INT, last_pass INT,"
            " PRIMARY KEY (id, version)) WITHOUT ROWID"
        )
        self._database.execute("BEGIN")

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
        values = [value for version in versions for value in (*version, number, number)]
        try:
            rows = self._database.execute(_upsert(len(versions)), values).fetchall()
            new = {(identity, version) for identity, version, is_new in rows if is_new}
            repeats = not any(self._is_first_sight(identity, number) for identity, _, _ in rows)
        except sqlite3.Error as error:
            raise SpoolError(
                f"The disk could not take the list of leads already seen ({error}). Free some "
                "space in the folder for temporary files, or name another one in TMPDIR."
            ) from None
        return Entry(new, repeats)

    def _is_first_sight(self, identity: str, number: int) -> bool:
        """Whether a lead, just entered, had not come in this pass before, in no version."""
        query = "SELECT count(*) FROM seen WHERE id = ? AND last_pass = ?"
        (rows,) = self._database.execute(query, (identity, number)).fetchone()
        return bool(rows == 1)


@lru_cache(maxsize=256)
def _upsert(leads: int) -> str:
    """One statement a page; it returns the versions that are new to this pass."""
    rows = ", ".join(["(?, ?, ?, ?)"] * leads)
    return (
        f"INSERT INTO seen VALUES {rows}"  # noqa: S608 - nothing but question marks
        " ON CONFLICT DO UPDATE SET last_pass = excluded.last_pass"
        " WHERE last_pass < excluded.last_pass"
        " RETURNING id, version, first_pass = last_pass"
    )
