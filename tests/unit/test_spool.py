"""The spool keeps pages on disk, in order, and frees the disk."""

from __future__ import annotations

import errno
import os
import tempfile
import threading
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_leads.scroll.spool import Spool, SpoolError


@given(pages=st.lists(st.binary(max_size=50)), ahead=st.integers(1, 20))
def test_pages_come_out_as_they_went_in_however_far_ahead(pages: list[bytes], ahead: int) -> None:
    spool = Spool(segment_bytes=64)
    taken = []
    for page in pages:
        spool.put(page)
        if spool.waiting >= ahead:
            taken.append(spool.take())
    while spool.waiting:
        taken.append(spool.take())
    spool.close()
    assert taken == pages


def nameless_files() -> dict[int, os.stat_result]:
    """The open files of this process that have no name left, by inode."""
    found = {}
    for link in Path("/proc/self/fd").iterdir():
        try:
            if str(link.readlink()).endswith("(deleted)"):
                found[link.stat().st_ino] = link.stat()
        except FileNotFoundError:
            continue
    return found


def test_the_files_are_private_and_have_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = nameless_files().keys()
    spool = Spool()
    spool.put(b"page")
    (status,) = [status for inode, status in nameless_files().items() if inode not in before]
    assert status.st_mode & 0o777 == 0o600
    assert status.st_nlink == 0
    assert not list(tmp_path.iterdir())
    spool.close()


def test_the_disk_is_freed_as_pages_are_taken() -> None:
    before = sum(status.st_size for status in nameless_files().values())
    spool = Spool(segment_bytes=10_000)
    for _ in range(100):
        spool.put(bytes(1000))
    full = sum(status.st_size for status in nameless_files().values()) - before
    for _ in range(90):
        spool.take()
    rest = sum(status.st_size for status in nameless_files().values()) - before
    spool.close()
    assert full > 100_000
    assert rest < 25_000
    assert sum(status.st_size for status in nameless_files().values()) == before


def test_a_target_that_keeps_up_needs_disk_for_one_page_only() -> None:
    before = sum(status.st_size for status in nameless_files().values())
    spool = Spool()
    for _ in range(1000):
        spool.put(bytes(1000))
        spool.take()
    assert sum(status.st_size for status in nameless_files().values()) - before < 2000
    spool.close()


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_is_a_clear_error() -> None:
    with closing(Spool()) as spool, pytest.raises(SpoolError, match="TMPDIR"):
        spool.put(bytes(20_000))


@pytest.mark.parametrize(
    ("folder", "named"), [("/some/folder", ", /some/folder"), (None, "")], ids=["known", "unknown"]
)
def test_the_error_names_the_folder_if_it_is_known(
    folder: str | None, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

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
    before = nameless_files().keys()
    spool = Spool()
    spool.put(b"page")
    for link in Path("/proc/self/fd").iterdir():
        if link.exists() and link.stat().st_ino in nameless_files().keys() - before:
            os.truncate(link, 0)
    with pytest.raises(SpoolError, match="did not give back"):
        spool.take()
    spool.close()


def test_taking_waits_for_a_page_and_ends_with_the_last_one() -> None:
    spool = Spool()
    taken: list[bytes | None] = []
    reader = threading.Thread(target=lambda: taken.extend([spool.take(), spool.take()]))
    reader.start()
    spool.put(b"page")
    spool.end()
    reader.join(5)
    spool.close()
    assert taken == [b"page", None]
