"""The sandbox keeps the rules of Intercom's Scroll API, seen through a real socket."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import Literal

import pytest
import requests

from tap_leads.sandbox import Sandbox


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


class Client:
    """What a client of the API does, with one connection."""

    def __init__(self, sandbox: Sandbox, token: str | None = None) -> None:
        self.url = sandbox.url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {token or sandbox.token}"

    def get(self, path: str, **headers: str) -> requests.Response:
        """Send one request."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.session.get(self.url + path, headers=sent, timeout=5, allow_redirects=False)

    def open(self) -> requests.Response:
        """Open a scroll."""
        return self.get("/contacts/scroll")

    def next(self, page: requests.Response) -> requests.Response:
        """Ask for the page after this one."""
        return self.get(f"/contacts/scroll?scroll_param={page.json()['scroll_param']}")

    def all(self) -> list[requests.Response]:
        """Scroll to the empty page."""
        pages = [self.open()]
        while pages[-1].json()["contacts"]:
            pages.append(self.next(pages[-1]))
        return pages


@pytest.fixture
def clock() -> Clock:
    """A clock to set."""
    return Clock()


@pytest.fixture
def connect() -> Iterator[Callable[..., Client]]:
    """Make clients, and close their connections after the test."""
    opened: list[Client] = []

    def connect(sandbox: Sandbox, token: str | None = None) -> Client:
        opened.append(Client(sandbox, token))
        return opened[-1]

    yield connect
    for client in opened:
        client.session.close()


def code(response: requests.Response) -> tuple[int, str]:
    """Status and code of a refusal, whose body is an error.list."""
    body = response.json()
    assert body["type"] == "error.list"
    assert body["request_id"]
    assert body["errors"][0]["message"]
    return response.status_code, body["errors"][0]["code"]


def ids(*pages: requests.Response) -> list[str]:
    """Ids of the leads of pages, in order."""
    return [lead["id"] for page in pages for lead in page.json()["contacts"]]


EXISTS = (400, "scroll_exists")
NOT_FOUND = (404, "not_found")


def test_scroll_gives_every_lead_once(connect: Callable[..., Client]) -> None:
    """Pages of 100, the rest, then an empty one (page "Scroll over all leads")."""
    with Sandbox(250) as sandbox:
        pages = connect(sandbox).all()
        expected = [lead["id"] for lead in sandbox.workspace.leads()]
    assert [len(page.json()["contacts"]) for page in pages] == [100, 100, 50, 0]
    assert ids(*pages) == expected
    assert len(set(expected)) == 250
    assert {page.json()["type"] for page in pages} == {"contact.list"}


@pytest.mark.parametrize(("leads", "sizes"), [(0, [0]), (1, [1, 0]), (100, [100, 0])])
def test_the_end_is_an_empty_page(
    connect: Callable[..., Client], leads: int, sizes: list[int]
) -> None:
    """Also after a full page, and as the first page of an empty workspace (reports of users)."""
    with Sandbox(leads) as sandbox:
        pages = connect(sandbox).all()
    assert [len(page.json()["contacts"]) for page in pages] == sizes
    assert {page.status_code for page in pages} == {200}


@pytest.mark.parametrize("scroll_param", ["constant", "changing"])
def test_the_scroll_is_over_after_its_empty_page(
    connect: Callable[..., Client], clock: Clock, scroll_param: Literal["constant", "changing"]
) -> None:
    """Quote: "the scroll parameter will expire"; the empty page's is useless (hull-connectors)."""
    with Sandbox(150, clock=clock, scroll_param=scroll_param) as sandbox:
        client = connect(sandbox)
        *pages, empty = client.all()
        assert empty.json()["scroll_param"] not in {page.json()["scroll_param"] for page in pages}
        assert code(client.next(empty)) == NOT_FOUND
        clock.now += 500
        assert code(client.next(empty)) == NOT_FOUND
        assert code(client.next(pages[-1])) == NOT_FOUND
        assert sandbox.workspace.longest_idle == 0
        assert client.open().status_code == 200


def test_scroll_param_is_the_same_on_every_page(connect: Callable[..., Client]) -> None:
    """As Intercom does in practice (intercom-ruby issue 452)."""
    with Sandbox(250) as sandbox:
        pages = connect(sandbox).all()[:-1]
    assert len({page.json()["scroll_param"] for page in pages}) == 1


def test_scroll_param_can_change_on_every_page(connect: Callable[..., Client]) -> None:
    """As the document shows; only the latest is good."""
    with Sandbox(350, scroll_param="changing") as sandbox:
        client = connect(sandbox)
        first = client.open()
        second = client.next(first)
        assert first.json()["scroll_param"] != second.json()["scroll_param"]
        assert code(client.next(first)) == NOT_FOUND
        assert ids(client.next(second))[0] not in ids(first, second)


def test_the_server_holds_the_position(connect: Callable[..., Client]) -> None:
    """One URL gives successive pages: "not possible to continue from a specific point"."""
    with Sandbox(300) as sandbox:
        client = connect(sandbox)
        first = client.open()
        again = [client.next(first) for _ in range(2)]
        assert len(set(ids(first, *again))) == 300


def test_one_scroll_a_workspace(connect: Callable[..., Client]) -> None:
    """Quote: "can only have 1 scroll open at a time"; the open one continues."""
    with Sandbox(250) as sandbox:
        client, other = connect(sandbox), connect(sandbox)
        first = client.open()
        assert code(other.open()) == EXISTS
        assert client.next(first).status_code == 200
        assert sandbox.workspace.scrolls_opened == 1


def test_workspaces_have_scrolls_of_their_own(connect: Callable[..., Client]) -> None:
    """Ids are unique within a workspace only (Intercom's API changelog)."""
    with Sandbox(workspaces={"red": 120, "blue": 110}) as sandbox:
        red, blue = connect(sandbox, "red"), connect(sandbox, "blue")
        first = red.open()
        assert blue.open().status_code == 200
        assert code(blue.next(first)) == NOT_FOUND
        of_red, of_blue = (list(w.leads()) for w in sandbox.workspaces.values())
        assert sandbox.token == "red"
        assert sandbox.workspace is sandbox.workspaces["red"]
    assert [lead["id"] for lead in of_red[:110]] == [lead["id"] for lead in of_blue]
    assert {lead["app_id"] for lead in of_red}.isdisjoint(lead["app_id"] for lead in of_blue)


def test_a_page_that_is_ready_late_keeps_no_other_scroll_alive(
    connect: Callable[..., Client], clock: Clock
) -> None:
    with Sandbox(500, clock=clock) as sandbox:
        client = connect(sandbox)
        late = client.open().json()["scroll_param"]
        sandbox.workspace.expire()
        page = client.open()
        clock.now += 59.9
        sandbox.workspace.touch(late)
        clock.now += 0.2
        assert client.next(page).status_code == 404


def test_an_unused_scroll_expires(connect: Callable[..., Client], clock: Clock) -> None:
    """Quote: "if the scroll isn't used for 1 minute, it expires"; then another may be opened."""
    with Sandbox(500, clock=clock) as sandbox:
        client = connect(sandbox)
        page = client.open()
        clock.now += 59.9
        page = client.next(page)
        assert page.status_code == 200
        clock.now += 59.9
        assert code(client.open()) == EXISTS
        clock.now += 0.1
        assert code(client.next(page)) == NOT_FOUND
        assert client.open().status_code == 200
        assert sandbox.workspace.longest_idle == pytest.approx(60.0)


def test_a_refused_opening_prolongs_nothing(connect: Callable[..., Client], clock: Clock) -> None:
    """Unknown of Intercom, so a choice of the sandbox: it expires a minute after the last page."""
    with Sandbox(500, clock=clock) as sandbox:
        client = connect(sandbox)
        client.open()
        clock.now += 59
        assert code(client.open()) == EXISTS
        clock.now += 1
        assert client.open().status_code == 200


def test_a_slow_response_uses_the_scroll(connect: Callable[..., Client], clock: Clock) -> None:
    """A page can take over a minute (intercom-java issue 260): idle time begins at its end."""
    with Sandbox(500, clock=clock, faults=["slow@2:0.2"]) as sandbox:
        client, other = connect(sandbox), connect(sandbox)
        page = client.open()
        refused: list[tuple[int, str]] = []

        def meanwhile() -> None:
            clock.now += 90
            refused.append(code(other.open()))

        timer = threading.Timer(0.05, meanwhile)
        timer.start()
        page = client.next(page)
        timer.join()
        assert refused == [EXISTS]
        clock.now += 59
        assert client.next(page).status_code == 200


@pytest.mark.parametrize(
    "header", [None, "Bearer wrong", "Basic sandbox", "Basic d3Jvbmc6", "Basic /w==", "sandbox"]
)
def test_a_token_is_needed(header: str | None) -> None:
    """401 `unauthorized` (Intercom-OpenAPI), and no scroll is touched."""
    headers = {"Authorization": header} if header else {}
    with Sandbox(10) as sandbox:
        response = requests.get(f"{sandbox.url}/contacts/scroll", headers=headers, timeout=5)
        assert code(response) == (401, "unauthorized")
        assert sandbox.workspace.history == []
        seen = sandbox.headers_seen[0]
    assert seen.get("Authorization") == ("wrong" if header else None)


def test_intercoms_own_clients_are_understood() -> None:
    """They send the token as the user name of Basic authentication, as `curl -u TOKEN:` does.

    The requests are those that the official client for Node (intercom-client 2.11) sends for
    `leads.scroll.each`, `leads.list` and `nextPage`; headers and all.
    """
    headers = {
        "Accept": "application/json",
        "User-Agent": "intercom-node-client/2.0.0",
        "Authorization": "Basic c2FuZGJveDo=",
        "Content-Length": "0",
        "Connection": "keep-alive",
    }
    with Sandbox(130) as sandbox, requests.Session() as session:
        session.headers.update(headers)
        expected = [lead["id"] for lead in sandbox.workspace.leads()]
        scrolled = [session.get(f"{sandbox.url}/contacts/scroll", timeout=5)]
        while scrolled[-1].json()["contacts"]:
            query = f"scroll_param={scrolled[-1].json()['scroll_param']}"
            scrolled.append(session.get(f"{sandbox.url}/contacts/scroll?{query}", timeout=5))
        listed = [session.get(f"{sandbox.url}/contacts", timeout=5)]
        while url := listed[-1].json()["pages"]["next"]:
            listed.append(session.get(url, timeout=5))
        assert {seen["Authorization"] for seen in sandbox.headers_seen} == {"right"}
    assert ids(*scrolled) == ids(*listed) == expected


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "1.3", "1.4"])
def test_versions_with_leads(connect: Callable[..., Client], version: str) -> None:
    """Leads are scrolled in API 1.0 to 1.4."""
    with Sandbox(10) as sandbox:
        response = connect(sandbox).get("/contacts/scroll", Intercom_Version=version)
    assert response.status_code == 200


@pytest.mark.parametrize("version", ["2.0", "2.16", "1.5", "Unstable", ""])
def test_versions_without_leads(connect: Callable[..., Client], version: str) -> None:
    """400 `intercom_version_invalid` (Intercom-OpenAPI)."""
    with Sandbox(10) as sandbox:
        response = connect(sandbox).get("/contacts/scroll", Intercom_Version=version)
        assert sandbox.workspace.scrolls_opened == 0
    assert code(response) == (400, "intercom_version_invalid")


def test_the_rate_limit(connect: Callable[..., Client], clock: Clock) -> None:
    """Windows of 10 s; headers tell; 429 `rate_limit_exceeded` without Retry-After."""
    with Sandbox(500, clock=clock, rate_limit=3) as sandbox:
        client = connect(sandbox)
        page = client.open()
        responses = [page, *(client.next(page) for _ in range(4))]
        assert [response.status_code for response in responses] == [200, 200, 200, 429, 429]
        left = [response.headers["X-RateLimit-Remaining"] for response in responses]
        assert left == ["2", "1", "0", "0", "0"]
        assert code(responses[-1]) == (429, "rate_limit_exceeded")
        assert "Retry-After" not in responses[-1].headers
        assert 0 < int(responses[-1].headers["X-RateLimit-Reset"]) - time.time() < 12
        clock.now += 10
        assert ids(client.next(page)) == [lead["id"] for lead in sandbox.workspace.leads()][300:400]


def test_a_429_does_not_keep_the_scroll_alive(connect: Callable[..., Client], clock: Clock) -> None:
    """It was not served, so it is no use of the scroll."""
    with Sandbox(500, clock=clock, rate_limit=1, rate_window=60) as sandbox:
        client = connect(sandbox)
        clock.now = 1080.0
        page = client.open()
        clock.now += 59
        assert client.next(page).status_code == 429
        clock.now += 1
        assert code(client.next(page)) == NOT_FOUND


def test_the_rate_limit_is_for_every_path_and_token(connect: Callable[..., Client]) -> None:
    """Each token has its own; those who have none share one."""
    with Sandbox(10, rate_limit=1, rate_window=3600) as sandbox:
        client, stranger = connect(sandbox), connect(sandbox, "wrong")
        responses = [who.get("/counts").status_code for who in (client, client, stranger, stranger)]
    assert responses == [200, 429, 401, 429]


def test_every_response_is_dated_and_counted(connect: Callable[..., Client]) -> None:
    """Refusals too carry Date and the rate limit's headers."""
    with Sandbox(10) as sandbox:
        client, stranger = connect(sandbox), connect(sandbox, "wrong")
        responses = [client.open(), client.open(), client.get("/nowhere"), stranger.open()]
        assert [response.status_code for response in responses] == [200, 400, 404, 401]
        for response in responses:
            assert (
                abs(parsedate_to_datetime(response.headers["Date"]).timestamp() - time.time()) < 5
            )
            assert {"X-RateLimit-Limit", "X-RateLimit-Reset"} <= response.headers.keys()
        assert (sandbox.requests, sandbox.connections) == (4, 2)
        assert sandbox.headers_seen[0]["Authorization"] == "right"


def test_counts(connect: Callable[..., Client]) -> None:
    """`GET /counts` responds with a count.hash (documented for API 1.1 to 1.4)."""
    with Sandbox(17) as sandbox:
        body = connect(sandbox).get("/counts").json()
    assert body["type"] == "count.hash"
    assert body["lead"] == {"count": 17}


def test_the_leads_list_needs_no_scroll(connect: Callable[..., Client]) -> None:
    """`GET /contacts` pages by number; 60 a page at most."""
    with Sandbox(130) as sandbox:
        client = connect(sandbox)
        client.open()
        pages = [client.get(f"/contacts?per_page=90&page={number}") for number in (1, 2, 3, 4)]
        assert ids(*pages) == [lead["id"] for lead in sandbox.workspace.leads()]
        assert len(ids(client.get("/contacts?per_page=1"))) == 1
        assert client.get("/contacts?per_page=few").status_code == 400
    first, *_, last, beyond = (page.json() for page in pages)
    assert (first["total_count"], first["pages"]["total_pages"]) == (130, 3)
    assert first["pages"]["next"] == f"{sandbox.url}/contacts?per_page=60&page=2"
    assert last["pages"]["next"] is None
    assert beyond["contacts"] == []


@pytest.mark.parametrize(
    ("version", "path", "status"),
    [
        ("1.4", "/data_attributes?model=customer", 200),
        ("1.4", "/data_attributes/customer", 404),
        ("1.3", "/data_attributes/customer", 200),
        ("1.3", "/data_attributes?model=customer", 404),
    ],
)
def test_data_attributes(
    connect: Callable[..., Client], version: str, path: str, status: int
) -> None:
    """Version 1.4 moved the list; the old path "will no longer work" (its changelog)."""
    with Sandbox(300) as sandbox:
        response = connect(sandbox).get(path, Intercom_Version=version)
        leads = list(sandbox.workspace.leads())
    assert response.status_code == status
    if status == 200:
        described = {attribute["name"] for attribute in response.json()["data_attributes"]}
        assert described == {name for lead in leads for name in lead.get("custom_attributes", ())}


def test_history(connect: Callable[..., Client], clock: Clock) -> None:
    """A workspace remembers what was asked of its scroll, and what it said."""
    with Sandbox(150, clock=clock) as sandbox:
        client = connect(sandbox)
        page = client.open()
        clock.now += 5
        client.open()
        client.next(page)
        client.get("/counts")
        token = page.json()["scroll_param"]
        assert [tuple(request) for request in sandbox.workspace.history] == [
            (1, 1000.0, None, 200, 100),
            (2, 1005.0, None, 400, 0),
            (3, 1005.0, token, 200, 50),
        ]
        assert sandbox.workspace.longest_idle == 5.0


def test_one_page_goes_to_one_client(connect: Callable[..., Client]) -> None:
    """Simultaneous requests for one scroll get different pages, none twice."""
    with Sandbox(2000, page_size=10, rate_limit=10_000) as sandbox:
        first = connect(sandbox).open()
        pages: list[list[requests.Response]] = [[], [], [], []]

        def fetch(client: Client, into: list[requests.Response]) -> None:
            into += [client.next(first) for _ in range(25)]

        threads = [threading.Thread(target=fetch, args=(connect(sandbox), into)) for into in pages]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(set(ids(*(page for into in pages for page in into)))) == 1000


def test_an_edit_is_seen_in_a_page_served_before(connect: Callable[..., Client]) -> None:
    """Pages that were encoded before never hide what changed."""
    with Sandbox(100) as sandbox:
        client = connect(sandbox)
        before = client.all()[0].json()["contacts"]
        sandbox.workspace.update(1)
        assert client.all()[0].json()["contacts"] == list(sandbox.workspace.leads()) != before


def test_the_leads_list_ends_at_10_000_leads(connect: Callable[..., Client]) -> None:
    """The total is then a lower bound, and `limited` says so (intercom-ruby issue 274)."""
    with Sandbox(10_000) as sandbox:
        client = connect(sandbox)
        for added, limited in ((0, False), (1, True)):
            sandbox.workspace.add(added)
            body = client.get("/contacts?per_page=1").json()
            assert (body["total_count"], body["limited"]) == (10_000, limited)
            assert len(body["contacts"]) == 1
        assert len(ids(client.get("/contacts?per_page=60&page=167"))) == 40
        assert code(client.get("/contacts?per_page=50&page=201")) == (400, "parameter_invalid")


def test_settings_lead_the_tap_to_the_sandbox() -> None:
    """In the names that the tap gives them."""
    with Sandbox(token="sesame") as sandbox:
        assert sandbox.settings == {"api_url": sandbox.url, "access_token": "sesame"}


def test_a_client_may_hang_up(capfd: pytest.CaptureFixture[str]) -> None:
    """The sandbox prints nothing, and continues to serve."""
    with Sandbox(1000, page_size=1000, faults=["slow@*:0.05"]) as sandbox:
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", int(sandbox.url.rpartition(":")[2]))) as s:
                s.sendall(b"GET /contacts/scroll HTTP/1.1\r\nAuthorization: Bearer sandbox\r\n\r\n")
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        headers = {"Authorization": "Bearer sandbox"}
        # A hang-up may come before the request was read, so how many were served is open.
        counts = requests.get(f"{sandbox.url}/counts", headers=headers, timeout=10)
        assert counts.json()["lead"] == {"count": 1000}
    assert capfd.readouterr() == ("", "")


def test_it_stops_promptly(connect: Callable[..., Client]) -> None:
    """Neither a hanging request nor an idle connection holds it up."""
    threads = threading.active_count()
    with Sandbox(150, faults=["hang@2"]) as sandbox:
        client, hanging = connect(sandbox), connect(sandbox)
        page = client.open()
        failed: list[Exception] = []

        def hang() -> None:
            try:
                hanging.next(page)
            except requests.ConnectionError as error:
                failed.append(error)

        thread = threading.Thread(target=hang)
        thread.start()
        while len(sandbox.workspace.history) < 2:
            time.sleep(0.005)
        began = time.monotonic()
        sandbox.stop()
        assert time.monotonic() - began < 0.3
        thread.join(1)
        assert failed
        while threading.active_count() > threads:  # none of its own outlives it for long
            assert time.monotonic() - began < 1
            time.sleep(0.005)
    with pytest.raises(requests.ConnectionError):
        client.open()
