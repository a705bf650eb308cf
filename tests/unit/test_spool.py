"""The spool keeps pages on disk, in order, and frees the disk."""

from __future__ import annotations

import errno
import os
import tempfile
import threading
from contextlib import closing, suppress
from pathlib import Path
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cases import cases

from tap_leads.scroll.spool import Spool, SpoolError


@given(pages=st.lists(st.binary(max_size=50)), ahead=st.integers(1, 20))
def test_pages_come_out_as_they_went_in_however_far_ahead(pages: list[bytes], ahead: int) -> None:
    with closing(Spool(segment_bytes=64)) as spool:
        taken = []
        for page in pages:
            spool.put(page)
            if spool.waiting >= ahead:
                taken.append(spool.take())
        while spool.waiting:
            taken.append(spool.take())
    assert taken == pages


def nameless() -> dict[int, Path]:
    """The open files of this process that have no name left, by inode."""
    found = {}
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            if str(link.readlink()).endswith("(deleted)"):
                found[link.stat().st_ino] = link
    return found


def disk() -> int:
    """The bytes of these files."""
    return sum(link.stat().st_size for link in nameless().values())


def test_the_files_are_private_and_have_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = nameless().keys()
    with closing(Spool()) as spool:
        spool.put(b"page")
        (inode,) = nameless().keys() - before
        assert nameless()[inode].stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.iterdir())


def test_the_disk_is_freed_as_pages_are_taken() -> None:
    """A page takes four bytes more, and ten pages fill a file."""
    before = disk()
    with closing(Spool(segment_bytes=10_040)) as spool:
        for _ in range(100):
            spool.put(bytes(1000))
        full = disk() - before
        for _ in range(90):
            spool.take()
        rest = disk() - before
    assert (full, rest, disk()) == (100_400, 10_040, before)


def test_a_target_that_keeps_up_needs_disk_for_one_page_only() -> None:
    before = disk()
    with closing(Spool()) as spool:
        for _ in range(1000):
            spool.put(bytes(1000))
            spool.take()
        assert disk() - before < 2000


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_is_a_clear_error() -> None:
    with closing(Spool()) as spool, pytest.raises(SpoolError, match="TMPDIR"):
        spool.put(bytes(20_000))


@cases(known=("/some/folder", ", /some/folder"), unknown=(None, ""))
def test_the_error_names_the_folder_if_it_is_known(
    folder: str | None, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = Mock(side_effect=OSError(errno.ENOSPC, "No space left on device"))
    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    monkeypatch.setattr(tempfile, "tempdir", folder)
    with pytest.raises(SpoolError) as caught:
        Spool().put(b"page")
    assert str(caught.value) == (
        "The disk could not take the pages that wait for the target (No space left on device; "
        f"0 pages wait). Free some space in the folder for temporary files{named}, or name "
        "another one in TMPDIR."
    )


def test_a_page_that_is_lost_on_disk_is_a_clear_error() -> None:
    before = nameless().keys()
    with closing(Spool()) as spool:
        spool.put(b"page")
        (inode,) = nameless().keys() - before
        os.truncate(nameless()[inode], 0)
        with pytest.raises(SpoolError, match="did not give back"):
            spool.take()


def test_taking_waits_for_a_page_and_ends_with_the_last_one() -> None:
    taken: list[bytes | None] = []
    with closing(Spool()) as spool:
        reader = threading.Thread(target=lambda: taken.extend([spool.take(), spool.take()]))
        reader.start()
        spool.put(b"page")
        spool.end()
        reader.join(5)
    assert taken == [b"page", None]
