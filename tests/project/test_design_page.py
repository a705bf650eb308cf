"""docs/design.md says what the code does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from singer_sdk import RESTStream, Tap
from singer_sdk.mapper import PluginMapper, StreamMap
from singer_sdk.plugin_base import SingerCommand
from singer_sdk.singerlib.encoding.base import GenericSingerWriter
from singer_sdk.state_writer import StateWriter

from demo.meltano import ROOT
from tap_leads.scroll.reactions import REACTIONS, Moment, Reaction

PAGE = (ROOT / "docs/design.md").read_text()


def test_the_table_of_reactions_is_the_one_that_decides() -> None:
    for kind, reactions in REACTIONS.items():
        cells = [f"`{reactions[m].name}`" if m in reactions else "–" for m in Moment]  # noqa: RUF001
        assert f"| {kind.value} | `{kind.name}` | {' | '.join(cells)} |\n" in PAGE
    assert len(re.findall(r"^\| [^|]+ \| `[A-Z_]+` \| ", PAGE, re.MULTILINE)) == len(REACTIONS)


def test_each_reaction_is_explained_and_a_state_of_the_diagram() -> None:
    edges = re.findall(r"^    (\w+) --> (\w+)", PAGE, re.MULTILINE)
    states = {state.upper() for edge in edges for state in edge} - {"OPEN"}
    assert states == {reaction.name for reaction in Reaction}
    for reaction in Reaction:
        assert f"| `{reaction.name}` | {reaction.value} |\n" in PAGE


def test_each_edge_of_the_diagram_from_a_response_is_in_the_table() -> None:
    edges = set(re.findall(r"^    (Open|Follow) --> (\w+)", PAGE, re.MULTILINE))
    state = {Moment.OPENING: "Open", Moment.LATER: "Follow"}
    assert edges == {
        (state[moment], reaction.name.title())
        for reactions in REACTIONS.values()
        for moment, reaction in reactions.items()
    }


def test_each_file_that_is_named_is_there() -> None:
    names = set(re.findall(r"\b[\w/]+\.py\b", PAGE))
    assert len(names) > 30
    files = [path.as_posix() for folder in ("tap_leads", "tests") for path in _python(folder)]
    for name in names:
        assert any(file.endswith(f"/{name}") for file in files), name


def test_each_private_member_of_the_sdk_is_named_with_its_module() -> None:
    """Those that a module overrides or uses; the list has no others."""
    listed = {
        (name, module)
        for names, module in re.findall(r"^\| ((?:`_\w+`(?:, )?)+) \| `(\w+\.py)` \|$", PAGE, re.M)
        for name in re.findall(r"_\w+", names)
    }
    assert listed == set(_private_members())


SDK = (RESTStream, Tap, SingerCommand, GenericSingerWriter, PluginMapper, StreamMap, StateWriter)
