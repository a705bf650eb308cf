"""The language of faults, and how several of them combine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.cases import cases
from support.scroll_client import Start, code

from tap_leads.sandbox import KINDS, Fault, Sandbox


@cases(
    ("3", {3}),
    ("3,5", {3, 5}),
    ("3-5", {3, 4, 5}),
    ("1,4-5", {1, 4, 5}),
    ("4+", {4, 5, 6}),
    ("*", {1, 2, 3, 4, 5, 6}),
)
def test_when(when: str, ordinals: set[int]) -> None:
    """WHEN counts requests from 1."""
    fault = Fault.parse(f"lost@{when}")
    assert {n for n in range(1, 7) if fault.fires(n, of_scroll=1)} == ordinals


def test_when_of_each_scroll(scroll: Start) -> None:
    """With p, WHEN counts from each opening of a scroll. Both ways of counting can be mixed."""
    client = scroll("401@7,p3-4")
    statuses = []
    for _ in range(2):
        client.param = None
        client.workspace.expire()
        statuses.append([client.ask().status_code for _ in range(5)])
    assert statuses == [[200, 200, 401, 401, 200], [200, 401, 401, 401, 200]]


@cases(
    ("slow@2", 1.0),
    ("slow@2:0.25", 0.25),
    ("exists@1", None),
    ("update@*:3", 3),
    ("status@1:408", 408),
    ("counts/number@1:-5", b"-5"),
    ("contacts/off@1:+5", 5),
    ("stolen@2", 1),
    ("body@1:a:b@c/d", "a:b@c/d"),
    ("malformed@1:chunk", "chunk"),
)
def test_argument(text: str, argument: object) -> None:
    """Some kinds have a default for ARG, some need ARG, and `exists` has two meanings."""
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
    """A test of faults in this folder uses it."""
    tests = Path(__file__).parent.glob("test_sandbox_*_faults.py")
    source = "".join(path.read_text("utf-8") for path in tests)
    assert [kind for kind in KINDS if not re.search(rf'["/ ]{kind}@', source)] == []


def test_each_workspace_counts_its_own_requests(scroll: Start) -> None:
    """A fault at the second request is at the second request to each workspace."""
    client = scroll("restart@2", workspaces={"a": 500, "b": 500})
    for one in (client, client.other("b")):
        assert [one.open().status_code for _ in range(3)] == [200, 500, 400]


PATHS = {
    "contacts": "/contacts?per_page=1",
    "counts": "/counts",
    "data_attributes": "/data_attributes?model=customer",
}


def test_faults_without_a_path_concern_the_scroll(scroll: Start) -> None:
    """Requests to other paths succeed and do not count."""
    client = scroll("restart@1", "lost@2+")
    assert {client.get(path).status_code for path in PATHS.values()} == {200}
    assert client.ask().status_code == 500


@cases(*PATHS)
def test_each_path_has_its_own_faults(path: str, scroll: Start) -> None:
    """They count the requests to that path, and change nothing elsewhere."""
    client = scroll(f"{path}/status@2:500")
    statuses = {
        name: [client.get(url).status_code for _ in range(3)] for name, url in PATHS.items()
    }
    assert statuses.pop(path) == [200, 500, 200]
    assert [*statuses.values()] == [[200, 200, 200]] * 2
    assert client.pages(2) == [client.expected(1), client.expected(2)]


def test_faults_at_one_request_add_up(scroll: Start) -> None:
    """The first response that replaces the real one wins. Every change applies to it."""
    client = scroll("old-errors@*", "spelled-out@*", "update@1:50", "status@1:408", "401@1")
    response = client.ask()
    assert response.status_code == 408
    assert response.json()["errors"] == [{"type": "Request Timeout", "message": "Request Timeout"}]
    assert len([lead for lead in client.workspace.leads() if "edit" in lead["name"]]) == 50


def test_a_workspace_changes_even_if_another_fault_replaces_the_response(scroll: Start) -> None:
    client = scroll("401@2", "delete@2:20", "expire@2")
    client.page()
    assert code(client.ask()) == (401, "unauthorized")
    assert client.workspace.count() == 30
    assert code(client.ask()) == (404, "not_found")


def test_a_fault_skips_a_response_that_it_cannot_change(scroll: Start) -> None:
    """A fault that changes no lead does not prevent another one from changing them."""
    client = scroll("slow@1:0", "no-id@1", "nojson@2", "nolist@2")
    assert "id" not in client.ask().json()["contacts"][0]
    assert client.ask().content.startswith(b"upstream connect error")


def test_an_older_version_needs_a_time_to_be_older_than(scroll: Start) -> None:
    client = scroll("no-updated-at@1", "stale@1:2")
    contacts = client.ask().json()["contacts"]
    assert not any("updated_at" in lead or "(older)" in str(lead["name"]) for lead in contacts)
