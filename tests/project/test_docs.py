"""The pages that `make docs` writes are up to date, and docs/design.md describes the code."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from support.cases import cases

from demo.meltano import ROOT
from docs.generate.__main__ import PAGES
from docs.generate.recording import Line, picture, record
from tap_leads.scroll.paginator import ScrollPaginator
from tap_leads.scroll.reactions import REACTIONS, Moment, Reaction
from tap_leads.singer.command import Command
from tap_leads.singer.messages import MessageWriter
from tap_leads.stream import ContactsStream
from tap_leads.tap import TapLeads

DESIGN = (ROOT / "docs/design.md").read_text()


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


def test_the_table_of_reactions_is_the_one_that_decides() -> None:
    for kind, reactions in REACTIONS.items():
        cells = [f"`{reactions[m].name}`" if m in reactions else "–" for m in Moment]  # noqa: RUF001
        assert f"| {kind.value} | `{kind.name}` | {' | '.join(cells)} |\n" in DESIGN
    assert len(re.findall(r"^\| [^|]+ \| `[A-Z_]+` \| ", DESIGN, re.MULTILINE)) == len(REACTIONS)


def test_the_diagram_shows_each_reaction_and_what_follows_a_response() -> None:
    for reaction in Reaction:
        assert f"| `{reaction.name}` | {reaction.value} |\n" in DESIGN
    edges = set(re.findall(r"^    ([A-Z]\w+) --> ([A-Z]\w+)", DESIGN, re.MULTILINE))
    states = {state.upper() for edge in edges for state in edge} - {"OPEN", "FOLLOW"}
    assert states == {reaction.name for reaction in Reaction}
    state = {Moment.OPENING: "Open", Moment.LATER: "Follow"}
    pages = {("Open", "Follow"), ("Follow", "Follow")}
    assert {edge for edge in edges if edge[0] in state.values()} == pages | {
        (state[moment], reaction.name.title())
        for reactions in REACTIONS.values()
        for moment, reaction in reactions.items()
    }


def test_each_file_that_is_named_is_there() -> None:
    names = set(re.findall(r"\b[\w/]+\.py\b", DESIGN))
    assert len(names) > 30
    inside = [name.removeprefix("tap_leads/") for name in names]
    assert [name for name in inside if not any(ROOT.glob(f"t*/**/{name}"))] == []


def test_each_private_member_of_the_sdk_is_named_with_its_module() -> None:
    """The page names all that a class overrides; the modules use what the page names."""
    rows = re.findall(r"^\| ((?:`_\w+`,? ?)+) \| `(\w+\.py)` \|$", DESIGN, re.MULTILINE)
    named = {(name, module) for names, module in rows for name in re.findall(r"_\w+", names)}
    overridden = {
        (name, f"{kind.__module__.rpartition('.')[2]}.py")
        for kind in (TapLeads, ContactsStream, ScrollPaginator, MessageWriter, Command)
        for name in vars(kind)
        for base in kind.__mro__
        if re.match(r"_[a-zA-Z]", name) and base.__module__.startswith("singer_sdk")
        if name in vars(base) and not name.startswith("_abc_")
    }
    assert overridden <= named
    for name, module in named:
        (path,) = ROOT.glob(f"tap_leads/**/{module}")
        assert re.search(rf"\b{name}\b", path.read_text())
