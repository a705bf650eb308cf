"""Simulates schedules of faults in a small workspace, on a virtual clock and without sockets.

The workspace has a few pages. Between two scrolls, leads are edited, deleted and created. A
schedule says which fault happens at which request of the sync, counted from 1 over all scrolls. The
counts of the workspace are true, or wrong in one of several ways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from support.lifecycle import Clock, Result, no_page, page, run
from tap_leads.records.pages import Page
from tap_leads.scroll.ends import Count, Mismatch, smaller
from tap_leads.scroll.reactions import Kind

PAGE_SIZE = 2
EXPIRY = 60.0

FAULTS = (
    "lost",  # the position moves, and the response is lost
    "failed",  # the position stays, but the error does not say so
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
    "page taken",
    "short page",
    "leads created",
    "leads deleted",
    "leads merged",
    "older versions",
    "edited leads at the end",
    "expired",
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
    """A workspace with one scroll at a time, and the faults of a schedule.

    Attributes:
        served: The versions that were sent, in order.
        final: The leads that the last scroll has to send.
        fatal: Whether a response was sent that must end the sync.
        throughout: The leads that existed at all times.
        counted: The counts before and after the last scroll; None for an unknown count.
        page_sizes: The number of leads on each page of the last scroll.
    """

    schedule: dict[int, str]
    counts: str = "true"
    clock: Clock = field(default_factory=Clock)
    asked: list[str | None] = field(default_factory=list)
    leads: dict[str, int] = field(default_factory=lambda: dict.fromkeys("abcde", 1))
    served: list[Lead] = field(default_factory=list)
    final: list[Lead] = field(default_factory=list)
    fatal: bool = False
    throughout: set[str] = field(default_factory=lambda: set("abcde"))
    counted: list[Count | None] = field(default_factory=list)
    page_sizes: list[int] = field(default_factory=list)
    _request: int = 0
    _ask: int = 0
    _open: bool = False
    _left: list[Lead] = field(default_factory=list)
    _last: list[Lead] = field(default_factory=list)
    _used_at: float = 0.0

    def count(self) -> Count:
        self._ask += 1
        count, listed = self._counts()
        self.counted = [*self.counted[-1:], count or listed]
        return self._known(count)

    def list_count(self) -> Count:
        return self._known(self._counts()[1])

    def _counts(self) -> tuple[Count | None, Count | None]:
        return COUNTS[self.counts](len(self.leads), 5, self._ask)

    @staticmethod
    def _known(count: Count | None) -> Count:
        if count is None:
            raise no_page(Kind.REFUSED)
        return count

    def page(self, scroll_param: str | None) -> Page:
        self.asked.append(scroll_param)
        served = self._serve(scroll_param)
        if served.versions:
            self.page_sizes.append(len(served.versions))
        return served

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
        """Raises an error in place of a page, or lets time pass; the position stays."""
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
        """Opens a scroll, after changing the workspace if it is not the first one."""
        if self.final:
            first, *others = self.leads
            self.leads[first] += 1
            for second in others[:1]:
                self._delete(second)
            self.leads[f"new-{self._request}"] = 1
            self.leads[f"newer-{self._request}"] = 1
        self.final = list(self.leads.items())
        self._left, self._last, self._open = list(self.final), [], True
        self.page_sizes = []

    def _delete(self, identity: str) -> None:
        del self.leads[identity]
        self.throughout.discard(identity)
        self._left = [lead for lead in self._left if lead[0] != identity]

    def _change(self, fault: str) -> None:
        """Changes leads while the scroll is open."""
        match fault:
            case "leads created":
                self.leads[f"created-{self._request}"] = 1
                self._left.append((f"created-{self._request}", 1))
            case "leads deleted":
                for identity in list(self.leads)[1:][-2:]:
                    self._delete(identity)
            case "leads merged" if len(self.leads) > 1:
                merged, survivor, *_ = self.leads
                self._delete(merged)
                self.leads[survivor] += 1
                self._left.append((survivor, self.leads[survivor]))
            case "edited leads at the end":
                for identity in [each for each, _ in self.final if each in self.leads][:PAGE_SIZE]:
                    self.leads[identity] += 1
                    self._left.append((identity, self.leads[identity]))
            case "false end":
                self._left = []
            case "page taken" if self._last:
                self._left = self._left[PAGE_SIZE:]

    def _page(self, fault: str) -> Page:
        self._change(fault)
        size = 1 if fault == "short page" else PAGE_SIZE
        leads, self._left = self._left[:size], self._left[size:]
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


def simulate(schedule: Schedule, counts: str = "true", mismatch: Mismatch = "fail") -> Result:
    """Runs a schedule, and checks that the sync is complete or fails for a reason."""
    workspace = Workspace(dict(schedule), counts)
    result = run(workspace, mismatch, PAGE_SIZE, scroll_expiry=EXPIRY)
    case = (schedule, counts, mismatch)
    check_versions(result)
    if "ended with" in result.error:
        # Each scroll may have found new leads, up to the last restart.
        assert mismatch == "fail" or "restarted 5" in result.error, case
        assert is_contradicted(workspace, result), (case, result.error)
    elif result.error:
        assert workspace.fatal, (case, result.error)
    else:
        assert not workspace.fatal, case
        check_complete(workspace, result, mismatch, case)
    return result


def simulate_all(
    faults: int, requests: int, counts: str, mismatch: Mismatch = "fail", schedule: Schedule = ()
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


def shown_to_be_missing(workspace: Workspace, result: Result) -> tuple[int, Count | None]:
    """The number of leads that the counts of the last scroll show to be missing, and the count."""
    expected = smaller(*workspace.counted[-2:])
    leads = {each.partition("@")[0] for each in result.versions}
    return (expected.leads - len(leads) if expected else 0), expected


def is_contradicted(workspace: Workspace, result: Result) -> bool:
    shown, expected = shown_to_be_missing(workspace, result)
    return expected is not None and 100 * shown > expected.leads


def check_versions(result: Result) -> None:
    """Each version is sent once, and no older version after a newer one."""
    newest: dict[str, int] = {}
    for identity, _, version in (each.partition("@") for each in result.versions):
        assert int(version) > newest.get(identity, -1), result.versions
        newest[identity] = int(version)


def check_complete(workspace: Workspace, result: Result, mismatch: Mismatch, case: object) -> None:
    """The newest version of each lead was sent, unless no count can show that one is missing."""
    passed_on = {each.partition("@")[0]: int(each.partition("@")[2]) for each in result.versions}
    newest: dict[str, int] = {}
    for identity, version in workspace.served:
        newest[identity] = max(version, newest.get(identity, -1))
    assert passed_on == newest, case
    missing = workspace.throughout - passed_on.keys()
    if not missing:
        return
    shown, expected = shown_to_be_missing(workspace, result)
    last_page = workspace.page_sizes[-1] if workspace.page_sizes else 0
    if expected and shown > 0 and mismatch == "fail":
        # Either too little is missing for a doubt, or two scrolls agreed within 1 %.
        unseen = shown < PAGE_SIZE and 0 < last_page < PAGE_SIZE
        assert unseen or 100 * shown <= expected.leads, case
    if result.may_delete:
        assert expected, case
        assert expected.exact, case
        assert shown <= 0, case
