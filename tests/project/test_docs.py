"""The pages that `make docs` writes are up to date."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from support.cases import cases

from demo.meltano import ROOT
from docs.generate.__main__ import PAGES
from docs.generate.recording import Line, picture, record


@cases(*PAGES)
def test_a_page_is_what_the_code_says(name: str) -> None:
    if (ROOT / "docs" / name).read_text() != PAGES[name]():
        pytest.fail(f"docs/{name} is not up to date: run `make docs`.", pytrace=False)


def test_a_recording_has_each_line_with_its_time_if_the_program_succeeds() -> None:
    first, second = record([sys.executable, "-c", "print('first'); print('second')"])
    assert (first.text, second.text) == ("first", "second")
    assert 0 < first.at <= second.at
    with pytest.raises(subprocess.CalledProcessError):
        record([sys.executable, "-c", "raise SystemExit(3)"])


def test_a_picture_pauses_at_most_a_second_between_two_lines() -> None:
    lines = [Line("one", 0), Line("two", 0.5), Line("東京", 27), Line("four", 27)]
    drawn = picture(lines, "t")
    assert re.findall(r"animation-delay: (.*?)s", drawn) == ["0.0", "0.5", "1.5", "1.5"]
    assert picture(lines, "t") == drawn


def test_the_recording_of_the_demo_shows_a_complete_run() -> None:
    """The picture has non-breaking spaces, which keep columns aligned."""
    text = (ROOT / "docs/demo.svg").read_text().replace("&#160;", " ")
    assert "Intercom has 2,500 leads, PostgreSQL 2,500 rows." in text
    assert "none missing, extra or double" in text
