"""Faults that change the leads: each does what it says, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from support.cases import cases
from support.scroll_client import PAGE, Start

from tap_leads.sandbox import Lead, lead, malformed_lead


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
    ("no-updated-at@2", lambda _, lead: lead.pop("updated_at")),
    ("surrogate@2", lambda n, lead: lead.update(name="Ada \ud800 Hopper") if n == 9 else None),
    ("stale@2:4", lambda n, lead: lead.update(older(lead)) if n < 4 else None),
    ("types@2", lambda n, lead: lead.update(malformed_lead(1, PAGE + n, lead["app_id"]))),
)
def test_a_page_is_edited(fault: str, edit: Callable[[int, Lead], object], scroll: Start) -> None:
    """Only leads of that page, and not in the workspace."""
    client = scroll(fault)
    leads = list(client.workspace.leads())
    served = [lead for _ in range(3) for lead in client.ask().json()["contacts"]]
    assert list(client.workspace.leads()) == leads
    for n in range(PAGE):
        edit(n, leads[PAGE + n])
    # As text: false is not 0, and 12 is not 12.0.
    assert json.dumps(served) == json.dumps(leads[: 3 * PAGE])


def by_id(leads: Iterable[Lead]) -> dict[str, Lead]:
    return {lead["id"]: lead for lead in leads}


def test_update(scroll: Start) -> None:
    """Served and other leads are edited: they get a later `updated_at` and another name."""
    client = scroll("update@3:4")
    before = by_id(client.workspace.leads())
    served = by_id(lead for _ in range(5) for lead in client.ask().json()["contacts"])
    after = by_id(client.workspace.leads())
    edited = [i for i in after if after[i] != before[i]]
    assert (len(edited), len(after)) == (4, 50)
    for i in edited:
        assert after[i]["updated_at"] > before[i]["updated_at"]
        assert after[i]["name"] != before[i].get("name")
    assert {served[i] == after[i] for i in edited} == {False, True}


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


@cases((5, 5), (999, 25))
def test_merge(number: int, merged: int, scroll: Start) -> None:
    """Leads disappear, and as many others are newer than before; half of the leads at most."""
    client = scroll(f"merge@3:{number}")
    before = by_id(client.workspace.leads())
    pages = iter(lambda: client.ask().json()["contacts"], [])
    served = by_id(lead for page in pages for lead in page)
    after = by_id(client.workspace.leads())
    survivors = [i for i in after if after[i]["updated_at"] > before[i]["updated_at"]]
    assert (len(after), len(survivors)) == (50 - merged, merged)
    assert after.keys() < served.keys()  # merged leads that were served before are among them
    assert any(served[i] == after[i] for i in survivors)


def test_moved_leads_are_served_again_in_newer_versions(scroll: Start) -> None:
    client = scroll("move@3:10")
    served = [client.ask().json()["contacts"] for _ in range(6)]
    for before, after in zip(served[0], served[5], strict=True):
        assert (after["id"], after["name"] != before.get("name")) == (before["id"], True)
        assert after["updated_at"] > before["updated_at"]
    assert client.workspace.count() == 50
