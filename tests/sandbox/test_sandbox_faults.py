"""The language of faults, what a client receives, how leads change, and how faults combine."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from support.cases import cases
from support.scroll_client import PAGE, Start

from tap_leads.sandbox import KINDS, Fault, Lead, Sandbox, lead, malformed_lead


@cases(
    *(("3", {3}), ("3,5", {3, 5}), ("3-5", {3, 4, 5}), ("1,4-5", {1, 4, 5})),
    *(("4+", {4, 5, 6}), ("*", {1, 2, 3, 4, 5, 6})),
)
def test_when(when: str, ordinals: set[int]) -> None:
    """WHEN counts requests from 1."""
    fault = Fault.parse(f"lost@{when}")
    assert {n for n in range(1, 7) if fault.fires(n, of_scroll=1)} == ordinals


@cases(("slow@2", 1.0), ("exists@1", None), ("stolen@2", 1), ("body@1:a:b@c/d", "a:b@c/d"))
def test_argument(text: str, argument: object) -> None:
    """Some kinds have a default for ARG, and some take any text."""
    assert Fault.parse(text).argument == argument


@cases(
    *("lost", "lost@", "@3", "boom@3", "lost@0", "lost@x", "lost@5-3", "lost@3,", "lost@٣"),
    *("lost@3:1", "slow@3:", "slow@3:-1", "slow@3:soon", "update@3:1.5", "off@3:1"),
    *("status@3", "status@3:600", "status@3:99", "malformed@3:everything", "body@3"),
    *("nowhere/lost@3", "/lost@3", "counts/update@3", "counts/lost@p3", "number@3:5"),
    *("counts/number@3:five", "counts/off@3", "counts/limited@3", "counts/stolen@3"),
)
def test_a_malformed_fault_is_refused(text: str) -> None:
    """Otherwise a typing error would make a test that tests nothing."""
    with pytest.raises(ValueError, match=r"fault|form|requests|ends|pages"):
        Sandbox(faults=[text])


def test_every_kind_is_tested() -> None:
    source = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("*faults.py"))
    assert [kind for kind in KINDS if not re.search(rf'["/ ]{kind}@', source)] == []


@cases(
    # The page is gone: the scroll moves on although the page does not arrive.
    ("lost@2", "1, lost, 3"),
    ("hang@2:0.01", "1, lost, 3"),
    ("cut@2", "1, cut, 3"),
    ("restart@2", "1, 500 server_error, 3"),
    ("html502@2", "1, 502 html, 3"),
    ("503@2", "1, 503 plain, 3"),
    ("status@2:408", "1, 408 request_timeout, 3"),
    ("status@2:100", "1, lost, 3"),  # announces another response, which is not sent
    ("nojson@2", "1, 200 upstream, 3"),
    ("empty-body@2", "1, 200, 3"),
    ("body@2:[1]", "1, 200 [1], 3"),
    ("nolist@2", "1, 200 scroll_param, 3"),
    ("null-list@2", "1, 200 contacts, 3"),
    ("wrong-key@2", "1, 200 data, 3"),
    ("false-end@2", "1, 200 server_error, 3"),
    ("html@2", "1, 200 html, 3"),
    ("html@2 status@2:407", "1, 407 html, 3"),
    # The request is not served: the scroll keeps its position, and its idle time continues.
    ("reset@2", "1, reset, 2"),
    ("429@2-3", "1, +30, 429 rate_limit_exceeded, +30, 429 rate_limit_exceeded, 404 not_found"),
    ("429-bare@2", "1, 429 rate_limit_exceeded, 2"),
    ("429-skewed@2", "1, 429 rate_limit_exceeded, 2"),
    ("exists@2", "1, 400 scroll_exists, 2"),
    ("401@2", "1, 401 unauthorized, 2"),
    ("403@2", "1, 403 forbidden, 2"),
    ("404@2", "1, 404 not_found, 2"),
    ("version@2", "1, 400 intercom_version_invalid, 2"),
    ("html@2 403@2", "1, 403 html, 2"),
    # The scroll stays open after an error, and an ended scroll is gone for good.
    ("restart@1", "500 server_error, 400 scroll_exists"),
    ("expire@2", "1, 404 not_found, 404 not_found, open, 1"),
    ("expire@1", "404 not_found, 1"),  # no scroll is open
    ("no-end@*", "1, 2, 3, 4, 5, 404 not_found, 404 not_found"),
    ("end@3", "1, 2, end, 404 not_found, open, 1, 2, 3, 4, 5, end"),
    ("end@p3", "1, 2, end, open, 1, 2, end"),
    # Another client scrolls, for SECONDS from the first time. This ends the client's own scroll.
    ("exists@2-4:30", "1, 404 not_found, +20, open, 400 scroll_exists, +10, 1"),
    ("stolen@3", "1, 2, 4, 5, end"),
    ("stolen@p2:2", "1, 4, 5, end"),
    ("stolen@1", "1, 2, 3, 4, 5, end"),  # no scroll is open
    ("stolen@3:99", "1, 2, end"),
    ("stolen@3:99 move@3:10", "1, 2, 1, end"),
    ("stolen@2 stolen@3", "1, 3, 5, end"),
    ("stolen@3 end@4", "1, 2, 4, end"),
    # The first of two requests was served, and no client can use its response.
    ("repeated-upstream@3", "1, 2, 4, 5, end"),
    ("repeated-upstream@3 stolen@3", "1, 2, 5, end"),
    ("repeated-upstream@1", "400 scroll_exists, +59, 400 scroll_exists, +1, 1"),
    ("repeated-upstream@6", "1, 2, 3, 4, 5, 404 not_found, open, 1"),
    ("repeat@3", "1, 2, 2, 3, 4, 5, end"),
    ("repeat@3 delete-first@3:5", "1, 2, 2, 3, 4, 5, end"),
    ("repeat@2+", "1, 1, 1, 1, 1, 1, 1"),
    # The other leads are on the next pages. An empty page can look like the end.
    ("short@2:4", "1, 10:14, 14:24, 24:34, 34:44, 44:50, end"),
    ("short@3:0", "1, 2, end, 3, 4, 5, end"),
    ("short@3:7 end@4", "1, 2, 20:27, end"),
    ("short@3:7 end@5 lost@3", "1, 2, lost, 27:37, end"),
    # Only leads that were served are served again.
    ("move@3:10", "1, 2, 3, 4, 5, 1, end"),
    # With `p`, WHEN counts from each opening of a scroll. Both ways of counting can be mixed.
    ("401@4,p2", "1, 401 unauthorized, 2, +60, open, 401 unauthorized, 1, 401 unauthorized, 2"),
    # A path counts the requests to it; without a path, those to the scroll count.
    (
        "401@2 contacts/401@1 counts/401@2 data_attributes/403@1",
        (
            "/contacts 401 unauthorized, /contacts 0:50, /counts count.hash, "
            "/counts 401 unauthorized, /data_attributes/customer 403 forbidden, "
            "1, 401 unauthorized, 2"
        ),
    ),
    # A fault skips a response that it cannot change.
    ("nojson@2 nolist@2 body@3:[1] nolist@3", "1, 200 upstream, 200 [1], 4"),
    # A workspace changes even if another fault replaces the response.
    ("401@2 delete@2:20 expire@2", "1, 401 unauthorized, 404 not_found, open, 1, 2, 3, end"),
)
def test_what_each_request_receives(faults: str, steps: str, scroll: Start) -> None:
    scroll(*faults.split()).receives(steps)


def test_each_workspace_counts_its_own_requests(scroll: Start) -> None:
    """A fault at the second request is at the second request to each workspace."""
    client = scroll("restart@2", workspaces={"a": 500, "b": 500})
    for one in (client, client.other("b")):
        one.receives("1, 500 server_error, 3")


@cases(
    ("old-errors@*", {"type": "not_found", "message": "scroll parameter not found"}),
    ("spelled-out@*", {"code": "Not Found", "message": "scroll parameter not found"}),
    (
        "old-errors@* spelled-out@* update@2:50 status@2:408 401@2",
        {"type": "Request Timeout", "message": "Request Timeout"},
    ),
)
def test_faults_at_one_request_add_up(faults: str, error: dict[str, str], scroll: Start) -> None:
    """The first response that replaces the real one wins. Every change applies to it."""
    client = scroll(*faults.split())
    client.receives("1, +60")
    assert client.ask().json()["errors"] == [error]
    edited = ["edit" in str(lead.get("name")) for lead in client.workspace.leads()]
    assert edited == ["update" in faults] * 50


def test_malformed_values_on_the_wire(scroll: Start) -> None:
    """NUL and lone surrogates are JSON escapes. Huge integers have all digits."""
    body = scroll("types@*", leads=100, page_size=100).ask().content
    assert body.isascii()
    for escape in (rb"\u0000", rb"\ud800", rb"\udfff", b"C:\\\\u0000", b"1180591620717411303425"):
        assert escape in body


def older(lead: Lead) -> Lead:
    """What an older version of a lead has."""
    name = f"{lead.get('name') or 'Lead'} (older)"
    return {"updated_at": lead["updated_at"] - 86_400, "name": name}


@cases(
    ("no-id@2", lambda n, lead: lead.pop("id") if n == 0 else None),
    ("slow@2:0 no-id@2", lambda n, lead: lead.pop("id") if n == 0 else None),
    ("no-updated-at@2", lambda _, lead: lead.pop("updated_at")),
    (
        "no-updated-at@2 stale@2:4",
        lambda _, lead: lead.pop("updated_at"),
    ),  # no time to be older than
    ("surrogate@2", lambda n, lead: lead.update(name="Ada \ud800 Hopper") if n == 9 else None),
    ("stale@2:4", lambda n, lead: lead.update(older(lead)) if n < 4 else None),
    ("types@2", lambda n, lead: lead.update(malformed_lead(1, PAGE + n, lead["app_id"]))),
)
def test_a_page_is_edited(faults: str, edit: Callable[[int, Lead], object], scroll: Start) -> None:
    """Only leads of that page, and not in the workspace."""
    client = scroll(*faults.split())
    leads = list(client.workspace.leads())
    served = [lead for _ in range(3) for lead in client.ask().json()["contacts"]]
    assert list(client.workspace.leads()) == leads
    for n in range(PAGE):
        edit(n, leads[PAGE + n])
    # As text: false is not 0, and 12 is not 12.0.
    assert json.dumps(served) == json.dumps(leads[: 3 * PAGE])


@cases(
    end=("delete@3:15", range(35), range(35)),
    served_leads_too=("delete@3:40", range(20), range(10)),
    all=("delete@1:999 update@1 add@1:0", (), ()),
    served_leads=("delete-first@3:5", range(50), range(5, 50)),
    beginning=("delete-first@3:25", [*range(20), *range(25, 50)], range(25, 50)),
    spread=(
        "delete-spread@3:5",
        [*range(25), *range(26, 35), *range(36, 45), *range(46, 50)],
        [n for n in range(50) if n % 10 != 5],
    ),
    and_add=("delete-first@3:25 add@4:5", [*range(20), *range(25, 55)], range(25, 55)),
    new_leads_follow_deleted_ones=(
        "delete@3:40 add@3:5",
        [*range(20), *range(50, 55)],
        [*range(10), *range(50, 55)],
    ),
    only_served_leads_move_behind_the_end=(
        "move@1:15 move@2:999",
        [*range(15, 25), *range(15, 50), *range(15)],
        [*range(15, 50), *range(15)],
    ),
)
def test_leads_are_added_deleted_and_moved_during_a_scroll(
    faults: str, arriving: Iterable[int], remaining: Iterable[int], scroll: Start
) -> None:
    """The scroll continues with the same lead as before. No index is used twice."""
    client = scroll(*faults.split())
    ids = [lead(1, index)["id"] for index in range(55)]
    served = iter(lambda: client.ask().json()["contacts"], [])
    assert [one["id"] for page in served for one in page] == [ids[n] for n in arriving]
    assert [one["id"] for one in client.workspace.leads()] == [ids[n] for n in remaining]


@cases(
    updated=("update@3:4", (4, 50, 50), {False, True}),
    merged=("merge@3:5", (5, 45, 47), {False, True}),
    merged_in_pairs=("merge@3:999", (25, 25, 35), {False, True}),
    moved=("move@3:10", (10, 50, 50), {True}),
)
def test_changed_leads_are_newer(
    fault: str, numbers: tuple[int, int, int], arrive: set[bool], scroll: Start
) -> None:
    """How many are changed, remain and were served, and whether the newer version is served."""
    client = scroll(fault)
    before = {lead["id"]: lead for lead in client.workspace.leads()}
    pages = iter(lambda: client.ask().json()["contacts"], [])
    served = {lead["id"]: lead for page in pages for lead in page}
    after = {lead["id"]: lead for lead in client.workspace.leads()}
    newer = [i for i in after if after[i]["updated_at"] > before[i]["updated_at"]]
    assert newer == [i for i in after if after[i] != before[i]]
    assert (len(newer), len(after), len(served)) == numbers
    assert {served[i] == after[i] for i in newer} == arrive
    assert {after[i]["name"] != before[i].get("name") for i in newer} == {True}
    assert after.keys() <= served.keys()
