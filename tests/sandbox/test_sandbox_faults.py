"""What the sandbox breaks on request, and that it breaks nothing else."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from tap_leads.sandbox import KINDS, Fault, Sandbox, malformed_kind

PAGE = 10


class Scroll:
    """A sandbox of 50 leads in pages of ten, and a client that asks for one page after another.

    The client is careless: whatever happens, it goes on with the latest scroll parameter it has.
    """

    def __init__(self, sandbox: Sandbox, session: requests.Session) -> None:
        self.sandbox = sandbox
        self.session = session
        self.ids = [lead["id"] for lead in sandbox.workspace.leads()]
        self.param: str | None = None

    def ask(self, timeout: float = 5) -> requests.Response:
        """Send the next request, whatever became of the last."""
        answer = self.session.get(
            f"{self.sandbox.url}/contacts/scroll",
            params={"scroll_param": self.param} if self.param else {},
            timeout=timeout,
            allow_redirects=False,
        )
        if answer.status_code == 200:
            with suppress(ValueError):
                self.param = answer.json()["scroll_param"]
        return answer

    def page(self) -> list[str]:
        """Ids of the next page."""
        answer = self.ask()
        assert answer.status_code == 200, answer.text
        return [lead["id"] for lead in answer.json()["contacts"]]

    def expected(self, *numbers: int) -> list[str]:
        """Ids of the pages of these numbers, counted from 1."""
        return [i for n in numbers for i in self.ids[(n - 1) * PAGE : n * PAGE]]


@pytest.fixture
def scroll() -> Iterator[Callable[..., Scroll]]:
    """Start sandboxes with faults, and stop them after the test."""
    with ExitStack() as stack:

        def start(*faults: str, **options: Any) -> Scroll:
            options = {"leads": 50, "page_size": PAGE, **options}
            sandbox = stack.enter_context(Sandbox(faults=faults, **options))
            session = stack.enter_context(requests.Session())
            session.trust_env = False
            session.headers["Authorization"] = f"Bearer {sandbox.token}"
            return Scroll(sandbox, session)

        yield start


def code(answer: requests.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.json()["errors"][0]["code"]


@pytest.mark.parametrize(
    ("when", "ordinals"),
    [
        ("3", {3}),
        ("3,5", {3, 5}),
        ("3-5", {3, 4, 5}),
        ("1,4-5", {1, 4, 5}),
        ("4+", {4, 5, 6}),
        ("*", {1, 2, 3, 4, 5, 6}),
    ],
)
def test_when(when: str, ordinals: set[int]) -> None:
    """WHEN counts requests from 1."""
    fault = Fault.parse(f"lost@{when}")
    assert {n for n in range(1, 7) if fault.fires(n, of_scroll=0)} == ordinals


@pytest.mark.parametrize(
    ("text", "argument"),
    [("slow@2", 1.0), ("slow@2:0.25", 0.25), ("exists@1", None), ("update@*:3", 3.0)],
)
def test_argument(text: str, argument: float | None) -> None:
    """ARG has a default; `exists` means something else without it."""
    assert Fault.parse(text).argument == argument


@pytest.mark.parametrize(
    "text",
    [
        "lost",
        "lost@",
        "@3",
        "boom@3",
        "lost@0",
        "lost@x",
        "lost@5-3",
        "lost@3,",
        "lost@3:1",
        "slow@3:",
        "slow@3:-1",
        "slow@3:soon",
        "update@3:1.5",
        "lost@٣",
    ],
)
def test_a_fault_that_means_nothing_is_refused(text: str) -> None:
    """A typing error must not make a test that tests nothing."""
    with pytest.raises(ValueError, match=r"fault|form|requests|ends"):
        Sandbox(faults=[text])


def test_every_kind_is_tested_here() -> None:
    """No kind without a promise: each is used by some test of this module."""
    source = Path(__file__).read_text("utf-8")
    assert [kind for kind in KINDS if f'"{kind}@' not in source] == []


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        ("restart@2", 500, b"Please restart the scroll operation."),
        ("html502@2", 502, b"<html>"),
        ("503@2", 503, b""),
        ("nojson@2", 200, b"upstream"),
        ("empty-body@2", 200, b""),
        ("nolist@2", 200, b'"type":"contact.list"'),
        ("null-list@2", 200, b'"contacts":null'),
    ],
)
@pytest.mark.parametrize("scroll_param", ["constant", "changing"])
def test_a_lost_page_is_skipped_by_who_goes_on(
    scroll: Callable[..., Scroll], fault: str, status: int, body: bytes, scroll_param: str
) -> None:
    """The position moved although the page did not arrive."""
    client = scroll(fault, scroll_param=scroll_param)
    assert client.page() == client.expected(1)
    answer = client.ask()
    assert answer.status_code == status
    assert body in answer.content
    assert (b"contacts" in answer.content) == (fault == "null-list@2")
    assert client.page() == client.expected(3)
    assert [request.leads for request in client.sandbox.workspace.history] == [10, 0, 10]


def test_restart_leaves_the_scroll_open(scroll: Callable[..., Scroll]) -> None:
    """Nothing closes a scroll but its end or a minute."""
    client = scroll("restart@1")
    assert client.ask().status_code == 500
    assert code(client.ask()) == (400, "scroll_exists")


@pytest.mark.parametrize("fault", ["lost@2", "hang@2:0.01", "cut@2"])
def test_an_answer_lost_on_the_way(scroll: Callable[..., Scroll], fault: str) -> None:
    """No answer, or half of one; and the page is gone."""
    client = scroll(fault)
    client.page()
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        client.ask()
    assert client.page() == client.expected(3)
    lost = client.sandbox.workspace.history[1]
    assert (lost.status, lost.leads) == (200 if fault == "cut@2" else 0, 0)


def test_cut_announces_the_whole_body(scroll: Callable[..., Scroll]) -> None:
    """A client can tell by Content-Length."""
    client = scroll("cut@1")
    url = f"{client.sandbox.url}/contacts/scroll"
    received: list[bytes] = []
    with client.session.get(url, stream=True, timeout=5) as answer:
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            received.extend(answer.iter_content(1))
        assert sum(map(len, received)) == int(answer.headers["Content-Length"]) // 2


def test_hang_keeps_the_client_waiting(scroll: Callable[..., Scroll]) -> None:
    """Until the client's patience ends; the page is gone."""
    client = scroll("hang@2")
    client.page()
    with pytest.raises(requests.ReadTimeout):
        client.ask(timeout=0.1)
    assert client.page() == client.expected(3)


def test_reset_loses_nothing(scroll: Callable[..., Scroll]) -> None:
    """It happened before the request was read."""
    client = scroll("reset@2")
    client.page()
    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        client.ask()
    assert client.page() == client.expected(2)


def test_slow_is_only_slow(scroll: Callable[..., Scroll]) -> None:
    """The answer is right."""
    client = scroll("slow@1:0.1")
    began = time.monotonic()
    assert client.page() == client.expected(1)
    assert time.monotonic() - began >= 0.1


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("429@2", (429, "rate_limit_exceeded")),
        ("429-bare@2", (429, "rate_limit_exceeded")),
        ("429-skewed@2", (429, "rate_limit_exceeded")),
        ("exists@2", (400, "scroll_exists")),
        ("401@2", (401, "unauthorized")),
        ("403@2", (403, "forbidden")),
        ("404@2", (404, "not_found")),
        ("version@2", (400, "intercom_version_invalid")),
    ],
)
def test_a_refusal_moves_nothing(
    scroll: Callable[..., Scroll], fault: str, expected: tuple[int, str]
) -> None:
    """It was not served; and it does not keep the scroll alive."""
    now = [1000.0]
    client = scroll(fault, clock=lambda: now[0])
    client.page()
    now[0] += 30
    assert code(client.ask()) == expected
    now[0] += 20
    assert client.page() == client.expected(2)
    assert client.sandbox.workspace.longest_idle == 50


def test_rate_limit_headers_of_a_429(scroll: Callable[..., Scroll]) -> None:
    """Reset ahead, missing, or in the past (a client's clock can be skewed)."""
    client = scroll("429@1:7", "429-bare@2", "429-skewed@3")
    ahead, bare, skewed = (client.ask() for _ in range(3))
    assert 6 < int(ahead.headers["X-RateLimit-Reset"]) - time.time() <= 8
    assert not [name for name in bare.headers if "ratelimit" in name.lower()]
    assert -3601 < int(skewed.headers["X-RateLimit-Reset"]) - time.time() < -3500


def test_expire(scroll: Callable[..., Scroll]) -> None:
    """The scroll is gone for good, and another may be opened at once."""
    client = scroll("expire@2")
    client.page()
    assert code(client.ask()) == (404, "not_found")
    assert code(client.ask()) == (404, "not_found")
    client.param = None
    assert client.page() == client.expected(1)


def test_somebody_else_scrolls(scroll: Callable[..., Scroll]) -> None:
    """For SECONDS from the first time; it ends the own scroll, as there is one a workspace."""
    now = [1000.0]
    client = scroll("exists@2-4:30", clock=lambda: now[0])
    client.page()
    assert code(client.ask()) == (404, "not_found")
    client.param = None
    now[0] += 20
    assert code(client.ask()) == (400, "scroll_exists")
    now[0] += 10
    assert client.page() == client.expected(1)


def test_redirect(scroll: Callable[..., Scroll]) -> None:
    """To a path of the same server, where nothing is."""
    client = scroll("302@1")
    answer = client.ask()
    assert (answer.status_code, answer.headers["Location"]) == (302, "/moved")
    assert client.session.get(client.sandbox.url + "/moved", timeout=5).status_code == 404


def test_repeat(scroll: Callable[..., Scroll]) -> None:
    """A page comes twice; none is skipped."""
    client = scroll("repeat@3")
    pages = [client.page() for _ in range(7)]
    assert pages == [client.expected(n) for n in (1, 2, 2, 3, 4, 5, 6)]
    assert pages[-1] == []


def test_a_scroll_can_repeat_for_ever(scroll: Callable[..., Scroll]) -> None:
    """Endless loops happen (airbyte issue 58638)."""
    client = scroll("repeat@2+")
    assert [client.page() for _ in range(9)] == [client.expected(1)] * 9


def test_no_end(scroll: Callable[..., Scroll]) -> None:
    """404 where the empty page should be (tap-intercom pull request 77)."""
    client = scroll("no-end@*")
    assert [len(client.page()) for _ in range(5)] == [PAGE] * 5
    assert code(client.ask()) == (404, "not_found")


def test_types(scroll: Callable[..., Scroll]) -> None:
    """Every other lead of the page is dirty, the rest and the other pages are as they were."""
    client = scroll("types@2")
    clean = list(client.sandbox.workspace.leads())
    assert client.ask().json()["contacts"] == clean[:PAGE]
    served = client.ask().json()["contacts"]
    assert [lead["id"] for lead in served] == client.expected(2)
    # As text: false is not 0, and 12 is not 12.0.
    changed = [
        index
        for index, lead in enumerate(served, PAGE)
        if json.dumps(lead) != json.dumps(clean[index])
    ]
    assert changed == [index for index in range(PAGE, 2 * PAGE) if malformed_kind(1, index)]
    assert len(changed) == PAGE // 2


def test_dirt_on_the_wire(scroll: Callable[..., Scroll]) -> None:
    """NUL and lone surrogates travel as JSON escapes, huge integers digit by digit."""
    body = scroll("types@*", leads=100, page_size=100).ask().content
    for escape in (rb"\u0000", rb"\ud800", rb"\udfff", b"C:\\\\u0000", b"1180591620717411303425"):
        assert escape in body
    assert body.isascii()


def test_no_id(scroll: Callable[..., Scroll]) -> None:
    """One lead of the page has none."""
    client = scroll("no-id@1")
    served = client.ask().json()["contacts"]
    assert [lead.get("id") for lead in served] == [None, *client.expected(1)[1:]]


def test_update(scroll: Callable[..., Scroll]) -> None:
    """Leads on both sides of the position are edited: later, and with another name."""
    client = scroll("update@3:4")
    before = {lead["id"]: lead for lead in client.sandbox.workspace.leads()}
    served = [lead for _ in range(5) for lead in client.ask().json()["contacts"]]
    after = {lead["id"]: lead for lead in client.sandbox.workspace.leads()}
    edited = {i for i in after if after[i] != before[i]}
    assert len(edited) == 4
    for i in edited:
        assert after[i]["updated_at"] > before[i]["updated_at"]
        assert after[i]["name"] != before[i].get("name")
    seen = {lead["id"] for lead in served if lead == after[lead["id"]]} & edited
    assert 0 < len(seen) < 4
    assert client.sandbox.workspace.count() == 50


def test_delete(scroll: Callable[..., Scroll]) -> None:
    """The last leads are gone, for this scroll and the next."""
    client = scroll("delete@2:15")
    pages = [client.page() for _ in range(5)]
    assert [len(page) for page in pages] == [10, 10, 10, 5, 0]
    assert [i for page in pages for i in page] == client.ids[:35]
    assert client.sandbox.workspace.count() == 35


def test_add(scroll: Callable[..., Scroll]) -> None:
    """New leads come last, and are new even where others were deleted."""
    client = scroll("delete@1:5", "add@2:4", "add@3:3")
    pages = [client.page() for _ in range(7)]
    assert [len(page) for page in pages] == [10, 10, 10, 10, 10, 2, 0]
    arrived = [i for page in pages for i in page]
    assert arrived[:45] == client.ids[:45]
    assert len(set(arrived) | set(client.ids)) == 57
    assert arrived == [lead["id"] for lead in client.sandbox.workspace.leads()]


def test_nothing_is_left_of_too_many_deletions(scroll: Callable[..., Scroll]) -> None:
    """An empty workspace, not an error."""
    client = scroll("delete@2:999", "update@3", "add@4:0")
    assert [len(client.page()) for _ in range(2)] == [10, 0]
    assert client.sandbox.workspace.count() == 0


def test_each_workspace_counts_its_own_requests() -> None:
    """A fault at the second request is at the second of each."""
    with (
        Sandbox(workspaces={"a": 500, "b": 500}, faults=["restart@2"]) as sandbox,
        requests.Session() as session,
    ):
        for token in ("a", "b"):
            answers = [
                session.get(
                    f"{sandbox.url}/contacts/scroll",
                    headers={"Authorization": f"Bearer {token}"},
                    timeout=5,
                ).status_code
                for _ in range(3)
            ]
            assert answers == [200, 500, 400]


def test_faults_meet_the_scroll_only(scroll: Callable[..., Scroll]) -> None:
    """Other paths answer as ever, and do not count."""
    client = scroll("restart@1", "lost@2+")
    for path in ("/counts", "/contacts?per_page=1", "/data_attributes?model=customer"):
        assert client.session.get(client.sandbox.url + path, timeout=5).status_code == 200
    assert client.ask().status_code == 500
