"""Simulates schedules of faults in a small workspace, on a virtual clock and without sockets.

The workspace has a few pages. Between two scrolls, leads are edited, deleted and created. A
schedule says which fault happens at which request of the sync, counted from 1 over all scrolls. The
counts of the workspace are true, or wrong in one of several ways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from support.lifecycle import Clock, Result, known, no_page, page, run
from tap_leads.records.pages import Page
from tap_leads.scroll.ends import Count, Mismatch, smaller
from tap_leads.scroll.reactions import Kind

PAGE_SIZE = 2
EXPIRY = 60.0

BEFORE = {  # the position stays
    "failed": Kind.UNCLEAR,
    "scroll exists": Kind.SCROLL_EXISTS,
    "not found": Kind.NOT_FOUND,
    "rate limited": Kind.RATE_LIMITED,
    "unreachable": Kind.UNREACHABLE,
    "unreachable for long": Kind.UNREACHABLE,
    "refused": Kind.REFUSED,
    "misconfigured": Kind.MISCONFIGURED,
    "lead without id": Kind.LEAD_WITHOUT_ID,
}
AFTER = {"lost": Kind.UNCLEAR, "not a page": Kind.NOT_A_PAGE}
CHANGES = ("leads created", "leads deleted", "leads merged", "edited leads at the end")
FAULTS = (
    *(*BEFORE, *AFTER, *CHANGES, "expired"),
    *("repeated", "false end", "page taken", "short page", "older versions"),
)
COUNTS: dict[str, Callable[[int, int, int], tuple[Count | None, Count | None]]] = {
    "true": lambda now, _first, _ask: (Count(now), None),
    "in the list": lambda now, _first, _ask: (None, Count(now)),
    "unknown": lambda *_: (None, None),
    "late": lambda _now, first, _ask: (Count(first), None),
    "one too high": lambda now, _first, _ask: (Count(now + 1), None),
    "one too low": lambda now, _first, _ask: (Count(now - 1), None),
    "far too high": lambda now, _first, _ask: (Count(10 * now), None),
    "far too low": lambda now, _first, _ask: (Count(now // 3), None),
    "a lower bound": lambda now, _first, _ask: (None, Count(now // 2, exact=False)),
    "known at first": lambda now, _first, ask: (Count(now) if ask == 1 else None, None),
    "unknown at first": lambda now, _first, ask: (Count(now) if ask > 1 else None, None),
}
"""Both counts, from the number of leads now and at first, and the number of the request."""

FATAL = {"refused", "misconfigured", "lead without id"}

Schedule = tuple[tuple[int, str], ...]
Lead = tuple[str, int]


@dataclass
class Workspace:
    """A workspace with one scroll at a time, and the faults of a schedule."""

    schedule: dict[int, str]
    counts: str
    clock: Clock = field(default_factory=Clock)
    asked: list[str | None] = field(default_factory=list)
    leads: dict[str, int] = field(default_factory=lambda: dict.fromkeys("abcde", 1))
    throughout: set[str] = field(default_factory=lambda: set("abcde"))  # existed at all times
    served: list[Lead] = field(default_factory=list)
    last_page: int = 0  # leads on the last page of the last scroll
    fatal: bool = False  # whether a response was sent that must end the sync
    counted: list[Count | None] = field(default_factory=list)  # before and after each scroll
    _listed: Count | None = None
    _open: bool = False
    _final: list[Lead] = field(default_factory=list)  # to be sent by the last scroll
    _left: list[Lead] = field(default_factory=list)
    _last: list[Lead] = field(default_factory=list)
    _used_at: float = 0.0

    def count(self) -> Count:
        count, self._listed = COUNTS[self.counts](len(self.leads), 5, len(self.counted) + 1)
        self.counted.append(count or self._listed)
        return known(count)

    def list_count(self) -> Count:
        return known(self._listed)

    def page(self, scroll_param: str | None) -> Page:
        self.asked.append(scroll_param)
        fault = self.schedule.get(len(self.asked), "")
        if fault in {"expired", "unreachable for long"}:
            self.clock.now += EXPIRY + (fault == "expired")
        self.fatal |= fault in FATAL or (fault == "not found" and scroll_param is None)
        self._open &= fault != "not found"
        if fault in BEFORE:
            raise no_page(BEFORE[fault], 5.0 if fault == "rate limited" else 0.0)
        if scroll_param is None:
            if self._open and self.clock() - self._used_at < EXPIRY:
                raise no_page(Kind.SCROLL_EXISTS)
            self._start()
        elif not self._open or self.clock() - self._used_at > EXPIRY:
            self._open = False
            raise no_page(Kind.NOT_FOUND)
        self._used_at = self.clock()
        return self._page(fault)

    def _start(self) -> None:
        """Opens a scroll, after changing the workspace if it is not the first one."""
        if self._final:
            first, *others = self.leads
            self.leads[first] += 1
            for second in others[:1]:
                self._delete(second)
            request = len(self.asked)
            self.leads |= {f"new-{request}": 1, f"newer-{request}": 1}
        self._final = list(self.leads.items())
        self._left, self._last, self._open, self.last_page = list(self._final), [], True, 0

    def _delete(self, identity: str) -> None:
        del self.leads[identity]
        self.throughout.discard(identity)
        self._left = [lead for lead in self._left if lead[0] != identity]

    def _edit(self, identity: str) -> None:
        self.leads[identity] = self.leads.get(identity, 0) + 1
        self._left.append((identity, self.leads[identity]))

    def _change(self, fault: str) -> None:
        """Changes leads while the scroll is open, or takes pages from it."""
        match fault:
            case "leads created":
                self._edit(f"created-{len(self.asked)}")
            case "leads deleted":
                for identity in list(self.leads)[1:][-2:]:
                    self._delete(identity)
            case "leads merged" if len(self.leads) > 1:
                merged, survivor, *_ = self.leads
                self._delete(merged)
                self._edit(survivor)
            case "edited leads at the end":
                for identity in [each for each, _ in self._final if each in self.leads][:PAGE_SIZE]:
                    self._edit(identity)
            case "false end":
                self._left = []
            case "page taken" if self._last:
                self._left = self._left[PAGE_SIZE:]

    def _page(self, fault: str) -> Page:
        self._change(fault)
        size = 1 if fault == "short page" else PAGE_SIZE
        leads, self._left = self._left[:size], self._left[size:]
        if fault in AFTER:
            raise no_page(AFTER[fault])
        if fault == "repeated" and self._last:
            leads = self._last
        if fault == "older versions":
            leads = [(identity, version - 1) for identity, version in leads]
        self._last, self._open = leads, bool(leads)
        self.last_page = len(leads) or self.last_page
        self.served += leads
        return page(*(f"{identity}@{version}" for identity, version in leads))


def simulate(schedule: Schedule, counts: str, mismatch: Mismatch) -> Result:
    """Runs a schedule, and checks that the sync is complete or fails for a reason."""
    workspace = Workspace(dict(schedule), counts)
    result = run(workspace, mismatch, PAGE_SIZE, scroll_expiry=EXPIRY)
    case = (schedule, counts, mismatch, result.error)
    newest: dict[str, int] = {}
    for identity, _, version in (each.partition("@") for each in result.versions):
        # Each version is sent once, and no older version after a newer one.
        assert int(version) > newest.get(identity, -1), (case, result.versions)
        newest[identity] = int(version)
    expected = smaller(*[None, *workspace.counted][-2:])
    shown = expected.leads - len(newest) if expected else 0
    is_close = not expected or 100 * shown <= expected.leads
    if "ended with" in result.error:
        # Each scroll may have found new leads, up to the last restart.
        assert mismatch == "fail" or "restarted 5" in result.error, case
        assert not is_close, case
        return result
    assert bool(result.error) == workspace.fatal, case
    if result.error:
        return result
    served: dict[str, int] = {}
    for identity, number in workspace.served:
        served[identity] = max(number, served.get(identity, -1))
    assert newest == served, case
    if workspace.throughout - newest.keys():  # then no count may show that one is missing
        if shown > 0 and mismatch == "fail":
            # Either too little is missing for a doubt, or two scrolls agreed within 1 %.
            assert is_close or (shown < PAGE_SIZE and 0 < workspace.last_page < PAGE_SIZE), case
        if result.may_delete:
            assert expected, case
            assert expected.exact, case
            assert shown <= 0, case
    return result


def simulate_all(
    faults: int, requests: int, counts: str, mismatch: Mismatch, schedule: Schedule = ()
) -> Iterator[Result]:
    """Simulates every schedule of up to a number of faults within the first requests.

    A fault after the last request of a sync would change nothing, so it is left out.
    """
    result = simulate(schedule, counts, mismatch)
    yield result
    if faults:
        last = schedule[-1][0] if schedule else 0
        for request in range(last + 1, min(len(result.asked), requests) + 1):
            for fault in FAULTS:
                longer = (*schedule, (request, fault))
                yield from simulate_all(faults - 1, requests, counts, mismatch, longer)
