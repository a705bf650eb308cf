"""What a kind of fault is: a set of hooks, each optional, and an argument."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

from tap_leads.sandbox.http_response import Response
from tap_leads.sandbox.sample_leads import Lead
from tap_leads.sandbox.workspace import Deviation, Workspace

# The paths of the API, by what they are called in a fault. The scroll need not be written.
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


class PageLeads(NamedTuple):
    """The leads of a page before it is encoded; kinds change them in place."""

    records: list[Lead]
    indexes: list[int]  # in the workspace
    seed: int


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A kind of fault; each hook gets the argument last."""

    help: str
    argument: Argument | None = None
    paths: Collection[str] = PATHS
    # Before the request is looked at.
    before: Callable[[Workspace, Any], object] = lambda *_: None
    # A response in place of the real one, or None for the real one.
    instead: Callable[[Any], Response | None] = lambda _: None
    # Whether the scroll's position moves although `instead` hides the page.
    lost: bool = False
    # How the scroll deviates from its rules.
    scroll: Callable[[Deviation, Any], Deviation] = lambda deviation, _: deviation
    # The leads of the page; None leaves them as they are.
    leads: Callable[[PageLeads, Any], None] | None = None
    # The response, real or not.
    change: Callable[[Response, Any], Response] = lambda response, _: response

    @property
    def usage(self) -> str:
        """How ARG is written after WHEN: `:SECONDS`, `[:SECONDS]` or nothing."""
        if self.argument is None:
            return ""
        usage = f":{self.argument.name}"
        return usage if self.argument.required else f"[{usage}]"

    @property
    def default(self) -> str:
        """The default of ARG in brackets, or nothing."""
        if self.argument is None or self.argument.default is None:
            return ""
        return f" ({self.argument.default:g})"

    def read(self, name: str, text: str | None) -> Any:
        """Read the argument of a fault of this kind, which is called `name`.

        Raises:
            ValueError: It is missing, not as it should be, or one too many.
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


def seconds(default: float | None = None) -> Argument:
    """Make an argument that is a time."""
    return Argument("SECONDS", r"\d+(\.\d+)?", float, default)


def number(name: str, default: int) -> Argument:
    """Make an argument that counts something."""
    return Argument(name, r"\d{1,9}", int, default)
