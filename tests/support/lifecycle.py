"""Runs the loop of the scroll on a virtual clock, without sockets."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from tap_leads.errors import TapLeadsError
from tap_leads.records.pages import Page, read_page
from tap_leads.scroll.counts import Counts
from tap_leads.scroll.ends import Count, Judge, Mismatch
from tap_leads.scroll.lifecycle import Lifecycle, Tally
from tap_leads.scroll.limits import Limits, Pauses
from tap_leads.scroll.outcomes import Outcome
from tap_leads.scroll.reactions import Kind

ADVICE = "Do something about it"


@dataclass
class Clock:
    """Time that passes only while the loop waits."""

    now: float = 1000.0
    waits: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


class Recorder(logging.Logger):
    """A logger that keeps its messages."""

    def __init__(self) -> None:
        super().__init__("recorder", logging.INFO)
        self.lines: list[str] = []

    def _log(self, level: int, msg: object, args: Any, *_: object, **__: object) -> None:
        self.lines.append(f"{logging.getLevelName(level)}: {str(msg) % args}")


class VirtualPauses(Pauses):
    """Pauses on a virtual clock; `jitters` has the bounds between which each was varied."""

    def __init__(
        self, clock: Clock, pick: Callable[[float, float], float] = min, **limits: Any
    ) -> None:
        self.clock = clock
        self.recorder = Recorder()
        self.log = self.recorder.lines
        self.jitters: list[tuple[float, float]] = []

        def jitter(low: float, high: float) -> float:
            self.jitters.append((low, high))
            return pick(low, high)

        super().__init__(Limits(**limits), self.recorder, sleep=clock.sleep, jitter=jitter)


@dataclass
class Result:
    """What a run of the loop leaves: the leads that were passed on, as `id@version`, and more.

    Attributes:
        waits: The pauses in seconds.
        asked: The token of each request for a page; None opens a scroll.
        error: The error that ended the run; empty if it succeeded.
    """

    versions: list[str]
    waits: list[float]
    asked: list[str | None]
    error: str
    log: list[str]
    tally: Tally

    @property
    def opened(self) -> int:
        """How many scrolls were opened."""
        return self.asked.count(None)

    @property
    def may_delete(self) -> bool:
        """Whether a target may delete the leads that were not sent."""
        return not self.error and not (self.tally.end and self.tally.end.obstacle_to_deletes)

    def warned(self, words: str) -> bool:
        """Whether a warning contains these words."""
        return any(line.startswith("WARNING") and words in line for line in self.log)


@cache
def page(*leads: str, size: int = 0, scroll_param: str | None = "s") -> Page:
    """A page with these leads, each written `id`, `id@version` or `id@version:content`.

    Other leads fill the page up to a size. A lead with the version `-` has no time of change.
    """
    names = [*leads, *(f"filler-{leads[0]}-{number}" for number in range(size - len(leads)))]
    items = []
    for name in names:
        identity, _, rest = name.partition("@")
        version, _, content = rest.partition(":")
        time = None if version == "-" else int(version or 1)
        items.append({"id": identity, "updated_at": time, "name": content})
    return read_page(json.dumps({"contacts": items, "scroll_param": scroll_param}).encode())


def no_page(kind: Kind, wait: float = 0.0) -> Outcome:
    """A response without a page."""
    return Outcome(kind, kind.value, ADVICE, wait)


@cache
def passed_on(body: bytes) -> list[str]:
    """The versions of a body, as in `Result`."""
    return [
        f"{identity}@{version // 10**6 if isinstance(version, int) else ''}"
        for identity, version in read_page(body).versions
    ]


def run(source: Any, mismatch: Mismatch, page_size: int, **limits: Any) -> Result:
    """Runs the loop to its end, over a source of pages and counts that has a clock."""
    clock, judge = source.clock, Judge(mismatch)
    pauses = VirtualPauses(clock, **limits)
    log = pauses.recorder
    counts = Counts(source, pauses, log, clock)
    loop = Lifecycle(source, counts, judge, pauses, log, clock=clock, page_size=page_size)
    versions: list[str] = []
    error = ""
    try:
        for body in loop.pages():
            versions += passed_on(body)
    except TapLeadsError as caught:
        error = str(caught)
    return Result(versions, clock.waits, source.asked, error, pauses.log, loop.tally)


Step = Page | Outcome | float
Script = Sequence[Step]
Answer = Count | int | None


@dataclass
class ScriptedSource:
    """Sends pages and counts from lists.

    A script contains what follows when a scroll is opened or a request is repeated. A number in it
    lets as many seconds pass. The last count is sent again and again; None refuses to count.
    """

    scripts: list[Script]
    counts: list[Answer]
    clock: Clock = field(default_factory=Clock)
    asked: list[str | None] = field(default_factory=list)
    _steps: list[Step] = field(default_factory=list)

    def page(self, scroll_param: str | None) -> Page:
        if scroll_param is None or not self._steps:
            self._steps = list(self.scripts.pop(0))
            self.asked.append(scroll_param)
        step = self._steps.pop(0)
        if isinstance(step, float):
            self.clock.now += step
            step = self._steps.pop(0)
        if isinstance(step, Outcome):
            self._steps = []
            raise step
        assert isinstance(step, Page)
        return step

    def count(self) -> Count:
        return known(self.counts.pop(0) if len(self.counts) > 1 else self.counts[0])

    def list_count(self) -> Count:
        return known(None)


def known(count: Count | int | None) -> Count:
    """A count; if there is none, the request for it is refused."""
    if count is None:
        raise no_page(Kind.REFUSED)
    return count if isinstance(count, Count) else Count(count)


def play(
    *scripts: Script,
    counts: Sequence[Answer] = (None,),
    mismatch: Mismatch = "fail",
    page_size: int = 100,
    **limits: Any,
) -> Result:
    """Runs the loop over a script."""
    source = ScriptedSource(list(scripts), list(counts))
    return run(source, mismatch, page_size, **limits)
