"""docs/design.md describes the code."""

from __future__ import annotations

import re

from demo.meltano import ROOT
from tap_leads.scroll.paginator import ScrollPaginator
from tap_leads.scroll.reactions import REACTIONS, Moment, Reaction
from tap_leads.singer.command import Command
from tap_leads.singer.messages import MessageWriter
from tap_leads.stream import ContactsStream
from tap_leads.tap import TapLeads

PAGE = (ROOT / "docs/design.md").read_text()


def test_the_table_of_reactions_is_the_one_that_decides() -> None:
    for kind, reactions in REACTIONS.items():
        cells = [f"`{reactions[m].name}`" if m in reactions else "–" for m in Moment]  # noqa: RUF001
        assert f"| {kind.value} | `{kind.name}` | {' | '.join(cells)} |\n" in PAGE
    assert len(re.findall(r"^\| [^|]+ \| `[A-Z_]+` \| ", PAGE, re.MULTILINE)) == len(REACTIONS)


def test_the_diagram_shows_each_reaction_and_what_follows_a_response() -> None:
    for reaction in Reaction:
        assert f"| `{reaction.name}` | {reaction.value} |\n" in PAGE
    edges = set(re.findall(r"^    ([A-Z]\w+) --> ([A-Z]\w+)", PAGE, re.MULTILINE))
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
    names = set(re.findall(r"\b[\w/]+\.py\b", PAGE))
    files = [str(path) for top in ("tap_leads", "tests") for path in ROOT.glob(f"{top}/**/*.py")]
    assert len(names) > 30
    assert {name for name in names if not any(file.endswith(f"/{name}") for file in files)} == set()


def test_each_private_member_of_the_sdk_is_named_with_its_module() -> None:
    """The page names all that a class overrides; the modules use what the page names."""
    rows = re.findall(r"^\| ((?:`_\w+`,? ?)+) \| `(\w+\.py)` \|$", PAGE, re.MULTILINE)
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
