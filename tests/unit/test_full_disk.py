"""A disk that takes no more pages is named with its folder."""

from __future__ import annotations

import errno
import os
import tempfile

import pytest

from tap_leads.scroll.spool import Spool, SpoolError


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
