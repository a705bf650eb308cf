"""The pages that `make docs` writes are what the code says now."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from demo.meltano import ROOT
from docs.generate.__main__ import PAGES
from docs.generate.recording import picture


@pytest.mark.parametrize(("name", "page"), PAGES.items(), ids=PAGES.keys())
def test_a_page_is_what_the_code_says(name: str, page: Callable[[], str]) -> None:
    if (ROOT / "docs" / name).read_text() != page():
        pytest.fail(f"docs/{name} is not up to date: run `make docs`.", pytrace=False)


def test_a_picture_of_the_same_text_is_the_same_picture() -> None:
    assert picture("one\n東京", title="t") == picture("one\n東京", title="t")


def test_the_recording_of_the_demo_shows_a_complete_run() -> None:
    """Spaces in the picture do not break, so that columns stay straight."""
    text = (ROOT / "docs/demo.svg").read_text().replace("&#160;", " ")
    assert "Intercom has 2,500 leads, PostgreSQL 2,500 rows." in text
    assert "none missing, surplus or repeated" in text
