"""The pages that `make docs` writes are what the code says now."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from demo.meltano import ROOT
from docs.generate.__main__ import PAGES
from docs.generate.recording import Line, picture, record

PAUSE = 0.2
TWO_LINES = f"import time; print('first'); time.sleep({PAUSE}); print('second')"


@pytest.mark.parametrize(("name", "page"), PAGES.items(), ids=PAGES.keys())
def test_a_page_is_what_the_code_says(name: str, page: Callable[[], str]) -> None:
    if (ROOT / "docs" / name).read_text() != page():
        pytest.fail(f"docs/{name} is not up to date: run `make docs`.", pytrace=False)


def test_a_picture_of_the_same_lines_is_the_same_picture() -> None:
    lines = [Line("one", 0), Line("東京", 1.25)]
    assert picture(lines, title="t") == picture(lines, title="t")


def test_a_line_of_a_recording_appears_when_the_program_printed_it() -> None:
    first, second = record([sys.executable, "-c", TWO_LINES])
    assert (first.text, second.text) == ("first", "second")
    assert second.at - first.at >= PAUSE
    drawn = picture([first, Line("second", 12.5)], title="t")
    assert '.demo-matrix [clip-path="url(#demo-line-1)"] { animation-delay: 12.5s }' in drawn


def test_no_picture_is_made_of_a_program_that_fails() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        record([sys.executable, "-c", "raise SystemExit(3)"])


def test_the_recording_of_the_demo_shows_a_complete_run() -> None:
    """Spaces in the picture do not break, so that columns stay straight."""
    text = (ROOT / "docs/demo.svg").read_text().replace("&#160;", " ")
    assert "Intercom has 2,500 leads, PostgreSQL 2,500 rows." in text
    assert "none missing, extra or double" in text
