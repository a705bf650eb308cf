"""Every schedule of faults over a small workspace, on a virtual clock: no sockets, no waiting.

A workspace of a few pages changes between two scrolls: leads are edited, deleted and created. A
schedule says which fault comes at which request of the sync, counted from 1 over all scrolls.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from support.lifecycle import Clock, Result, no_page, page, run
from tap_leads.records.pages import Page
from tap_leads.scroll.limits import Settings
from tap_leads.scroll.reactions import Kind

PAGE_SIZE = 2
EXPIRY = 60.0

FAULTS = (
    "lost",  # the position moves, the response does not come
    "failed",  # an error that leaves open whether the page was served; it was not
    "not a page",
    "scroll exists",
    "not found",
    "rate limited",
    "unreachable",
    "unreachable for long",
    "refused",
    "misconfigured",
    "lead without id",
    "repeated",
    "false end",
    "older versions",
    "edited leads at the end",
    "expired",
)
FATAL = {"refused", "misconfigured", "lead without id"}

Schedule = tuple[tuple[int, str], ...]
Lead = tuple[str, int]


def schedules(faults: int, requests: int) -> Iterator[Schedule]:
    """Every schedule of so many faults within the first requests."""
    for places in itertools.combinations(range(1, requests + 1), faults):
        for kinds in itertools.product(FAULTS, repeat=faults):
            yield tuple(zip(places, kinds, strict=True))


@dataclass
class Workspace:
    """A workspace with one scroll at a time, and the faults of a schedule.

    Attributes:
        served: Each version that was sent, in order.
        final: What the scroll that was opened last has to bring.
        fatal: Whether a response came that must end the sync.
    """

    schedule: dict[int, str]
    counts: bool = True
    clock: Clock = field(default_factory=Clock)
    asked: list[str | None] = field(default_factory=list)
    leads: dict[str, int] = field(default_factory=lambda: dict.fromkeys("abcde", 1))
    served: list[Lead] = field(default_factory=list)
    final: list[Lead] = field(default_factory=list)
    fatal: bool = False
    false_ends: int = 0
    _request: int = 0
    _open: bool = False
    _left: list[Lead] = field(default_factory=list)
    _last: list[Lead] = field(default_factory=list)
    _used_at: float = 0.0

    def count_leads(self) -> int | None:
        return len(self.leads) if self.counts else None

    def follow(self, scroll_param: str | None) -> Iterator[Page]:
        self.asked.append(scroll_param)
        while True:
            page = self._serve(scroll_param)
            yield page
            if not page.versions:
                return
            scroll_param = page.scroll_param

    def _serve(self, scroll_param: str | None) -> Page:
        self._request += 1
        fault = self.schedule.get(self._request, "")
        self._before(fault, opening=scroll_param is None)
        if scroll_param is None:
            if self._open and self.clock() - self._used_at < EXPIRY:
                raise no_page(Kind.SCROLL_EXISTS)
            self._start()
        elif not self._open or self.clock() - self._used_at > EXPIRY:
            self._open = False
            raise no_page(Kind.NOT_FOUND)
        self._used_at = self.clock()
        return self._page(fault)

    def _before(self, fault: str, *, opening: bool) -> None:
        """What comes in place of a page without moving the scroll."""
        match fault:
            case "failed":
                raise no_page(Kind.UNCLEAR)
            case "scroll exists":
                raise no_page(Kind.SCROLL_EXISTS)
            case "not found":
                self.fatal |= opening
                self._open = False
                raise no_page(Kind.NOT_FOUND)
            case "rate limited":
                raise no_page(Kind.RATE_LIMITED, 5.0)
            case "unreachable":
                raise no_page(Kind.UNREACHABLE)
            case "unreachable for long":
                self.clock.now += EXPIRY
                raise no_page(Kind.UNREACHABLE)
            case "expired":
                self.clock.now += EXPIRY + 1
        kinds = {"refused": Kind.REFUSED, "misconfigured": Kind.MISCONFIGURED}
        if fault in FATAL:
            self.fatal = True
            raise no_page(kinds.get(fault, Kind.LEAD_WITHOUT_ID))

    def _start(self) -> None:
        """Opens a scroll; the workspace has changed since the last one."""
        if self.final:
            first, second, *_ = self.leads
            self.leads[first] += 1
            del self.leads[second]
            self.leads[f"new-{self._request}"] = 1
            self.leads[f"newer-{self._request}"] = 1
        self.final = list(self.leads.items())
        self._left, self._last, self._open = list(self.final), [], True

    def _page(self, fault: str) -> Page:
        if fault == "edited leads at the end":
            for identity, _ in self.final[:PAGE_SIZE]:
                self.leads[identity] += 1
                self._left.append((identity, self.leads[identity]))
        if fault == "false end" and self._left:
            self.false_ends += 1
            self._left = []
        leads, self._left = self._left[:PAGE_SIZE], self._left[PAGE_SIZE:]
        if fault == "repeated" and self._last:
            leads = self._last
        if fault == "lost":
            raise no_page(Kind.UNCLEAR)
        if fault == "not a page":
            raise no_page(Kind.NOT_A_PAGE)
        if fault == "older versions":
            leads = [(identity, version - 1) for identity, version in leads]
        self._last, self._open = leads, bool(leads)
        self.served += leads
        return page(*(f"{identity}@{version}" for identity, version in leads)) if leads else page()


def simulate(schedule: Schedule, *, counts: bool = True) -> None:
    """Runs a schedule, and checks that the sync is complete or failed for a reason."""
    workspace = Workspace(dict(schedule), counts)
    result = run(workspace, Settings(EXPIRY), workspace.clock, workspace.asked, PAGE_SIZE)
    check_versions(result)
    if result.error:
        assert workspace.fatal, (schedule, result.error)
    else:
        assert not workspace.fatal, schedule
        check_complete(workspace, result, schedule)


def check_versions(result: Result) -> None:
    """Each version once, and nothing older after something newer."""
    newest: dict[str, int] = {}
    for identity, _, version in (each.partition("@") for each in result.versions):
        assert int(version) > newest.get(identity, -1), result.versions
        newest[identity] = int(version)


def check_complete(workspace: Workspace, result: Result, schedule: Schedule) -> None:
    """The newest version of every lead came; where one did not, deleting is not safe."""
    passed_on = {each.partition("@")[0]: int(each.partition("@")[2]) for each in result.versions}
    newest: dict[str, int] = {}
    for identity, version in workspace.served:
        newest[identity] = max(version, newest.get(identity, -1))
    assert passed_on == newest, schedule
    missing = [identity for identity, _ in workspace.final if identity not in passed_on]
    if missing and workspace.counts:
        # Only if two scrolls ended at the same place; and then the count forbids to delete.
        assert workspace.false_ends > 1, schedule
        assert any("Two scrolls ended at the same place" in line for line in result.log), schedule
        assert 100 * result.summary.leads < 99 * len(workspace.leads), schedule
    if missing:
        assert workspace.false_ends, schedule
