"""The loop of the scroll on a virtual clock, without sockets: what it asks, waits and passes on."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tap_leads import TapLeadsError
from tap_leads.records.pages import Page, read_page
from tap_leads.scroll.explanations import Explanation
from tap_leads.scroll.limits import Limits, Settings
from tap_leads.scroll.reactions import Kind
from tap_leads.scroll.responses import NoPageError, Outcome
from tap_leads.scroll.scroll import Scroll, Source, Summary


@dataclass
class Clock:
    """Time that passes only when someone waits."""

    now: float = 1000.0
    waits: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@dataclass
class Result:
    """What a run of the loop left.

    Attributes:
        versions: What was passed on, as `id@version`.
        waits: The pauses in seconds.
        asked: The token of each `follow`; None for a new scroll.
        error: The error that ended it, if any.
        log: The log, a line for each message.
    """

    versions: list[str]
    waits: list[float]
    asked: list[str | None]
    error: str
    log: list[str]
    summary: Summary

    @property
    def opened(self) -> int:
        """How many scrolls were opened."""
        return self.asked.count(None)


def page(*leads: str, size: int = 0, scroll_param: str | None = "s") -> Page:
    """A page with these leads, each `id` or `id@version`, filled up to a size."""
    names = [*leads, *(f"filler-{leads[0]}-{number}" for number in range(size - len(leads)))]
    parts = [name.partition("@") for name in names]
    items = [{"id": identity, "updated_at": int(version or 1)} for identity, _, version in parts]
    return read_page(json.dumps({"contacts": items, "scroll_param": scroll_param}).encode())


def no_page(kind: Kind, wait: float = 0.0) -> NoPageError:
    """What comes in place of a page."""
    return NoPageError(Outcome(kind, Explanation(kind.value, "Do something about it"), wait))


class Recorder(logging.Handler):
    """Keeps the messages of a logger."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname}: {record.getMessage()}")


def run(
    source: Source,
    settings: Settings,
    clock: Clock,
    asked: list[str | None],
    page_size: int = 100,
) -> Result:
    """Runs the loop to its end."""
    recorder = Recorder()
    logger = logging.Logger("lifecycle", logging.INFO)  # noqa: LOG001 - of this run alone
    logger.addHandler(recorder)
    limits = Limits(settings, logger, sleep=clock.sleep, jitter=lambda low, _high: low)
    scroll = Scroll(source, limits, logger, clock=clock, page_size=page_size)
    versions: list[str] = []
    error = ""
    try:
        for body in scroll.pages():
            versions += [
                f"{identity}@{version // 10**6}"
                for identity, version in read_page(body).versions
                if isinstance(version, int)
            ]
    except TapLeadsError as caught:
        error = str(caught)
    return Result(versions, clock.waits, asked, error, recorder.lines, scroll.summary)


Step = Page | NoPageError | float
Script = Sequence[Step]


@dataclass
class ScriptedSource:
    """Brings what is written down: for each `follow`, what its requests bring.

    A number lets as many seconds pass.
    """

    follows: list[Script]
    count: int | None = None
    clock: Clock = field(default_factory=Clock)
    asked: list[str | None] = field(default_factory=list)

    def follow(self, scroll_param: str | None) -> Iterator[Page]:
        self.asked.append(scroll_param)
        for step in self.follows.pop(0):
            match step:
                case float():
                    self.clock.now += step
                case NoPageError():
                    raise step
                case Page():
                    yield step

    def count_leads(self) -> int | None:
        return self.count


def play(*follows: Script, count: int | None = None, **settings: float) -> Result:
    """Runs the loop over a script."""
    script = ScriptedSource(list(follows), count)
    return run(script, Settings(**settings), script.clock, script.asked)  # type: ignore[arg-type]
