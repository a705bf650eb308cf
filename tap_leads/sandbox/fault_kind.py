"""What a kind of fault does at each step of a request, and which argument it takes."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from tap_leads.sandbox.http_response import Response
from tap_leads.sandbox.sample_leads import Lead
from tap_leads.sandbox.workspace import Deviation, Workspace

# The paths of the API, by their names in a fault. Without a name, a fault is one of the scroll.
SCROLL = "scroll"
PATHS = (SCROLL, "contacts", "counts", "data_attributes")
LISTS = (SCROLL, "contacts")  # the paths that respond with leads


class Argument(NamedTuple):
    """What ARG means."""

    name: str
    pattern: str  # a regular expression
    convert: Callable[[str], Any] = str
    default: Any = None
    required: bool = False

    @classmethod
    def seconds(cls, default: float | None = None) -> Self:
        """Make an argument that is a time."""
        return cls("SECONDS", r"\d+(\.\d+)?", float, default)

    @classmethod
    def number(cls, name: str, default: int) -> Self:
        """Make an argument that is a number."""
        return cls(name, r"\d{1,9}", int, default)


class PageLeads(NamedTuple):
    """The leads of a page before it is encoded. Faults change the records in place."""

    records: list[Lead]
    indexes: list[int]  # in the workspace
    seed: int


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A kind of fault. Each step is a function, whose last parameter is the fault's argument."""

    help: str
    argument: Argument | None = None
    paths: Collection[str] = PATHS
    # Before the request is served. A response that it returns replaces the real one.
    before: Callable[[Workspace, Any], Response | None] = lambda *_: None
    # Whether the scroll moves on although `before` replaces the page.
    lost: bool = False
    # How the scroll deviates from its rules.
    deviate: Callable[[Deviation, Any], Deviation] = lambda deviation, _: deviation
    # Edits the leads of the page.
    edit: Callable[[PageLeads, Any], None] | None = None
    # Changes the response, also one that replaces the real one.
    change: Callable[[Response, Any], Response] = lambda response, _: response

    def read(self, name: str, text: str | None) -> Any:
        """Convert the argument of the fault with this name.

        Raises:
            ValueError: The argument is missing or malformed, or the kind takes none.
        """
        argument = self.argument
        if argument is None:
            if text is not None:
                raise ValueError(f"the fault {name} takes no argument")
            return None
        if text is None:
            if argument.required:
                raise ValueError(f"the fault {name} needs an argument: {name}@WHEN:{argument.name}")
            return argument.default
        if not re.fullmatch(argument.pattern, text, re.ASCII | re.DOTALL):
            raise ValueError(f"{text!r} is no {argument.name} for the fault {name}")
        return argument.convert(text)
