"""The requests go where they should, the way they should."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme
from support.relay import relay
from support.tap import Workbench, ids_of, run_tap

from tap_leads import pages
from tap_leads.sandbox import Sandbox


def test_a_proxy_is_honoured(workbench: Workbench) -> None:
    with Sandbox(leads=250) as sandbox, relay(sandbox) as (proxy, asked):
        run = workbench.sync(sandbox, environment={"HTTP_PROXY": proxy, "NO_PROXY": ""})
        assert run.code == 0, run.log
        assert run.ids == ids_of(sandbox)
    assert len(asked) == 6
    assert all(address.startswith(sandbox.url) for address in asked)


def test_an_address_in_no_proxy_is_asked_without_the_proxy(workbench: Workbench) -> None:
    with Sandbox(leads=250) as sandbox, relay(sandbox) as (proxy, asked):
        variables = {"HTTP_PROXY": proxy, "NO_PROXY": "127.0.0.1"}
        run = workbench.sync(sandbox, environment=variables)
        assert run.code == 0, run.log
        assert run.ids == ids_of(sandbox)
    assert not asked


def test_proxies_are_looked_up_once_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not three times for each page, as the HTTP library would."""
    monkeypatch.setenv("NO_PROXY", "")
    with Sandbox(leads=500, faults=["slow@2+:0.05"]) as sandbox, relay(sandbox) as (proxy, asked):
        found = pages(access_token=sandbox.token, api_url=sandbox.url)
        ids = [lead["id"] for lead in next(found).leads]
        monkeypatch.setenv("HTTP_PROXY", proxy)
        ids += [lead["id"] for page in found for lead in page.leads]
        assert ids == ids_of(sandbox)
    assert not asked


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority that no program trusts."""
    return trustme.CA()


def test_certificates_named_in_requests_ca_bundle_are_trusted(
    workbench: Workbench, authority: trustme.CA
) -> None:
    bundle = workbench.folder / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    with Sandbox(leads=250) as sandbox, relay(sandbox, authority) as (url, _):
        environment = {"REQUESTS_CA_BUNDLE": str(bundle), "NO_PROXY": "127.0.0.1"}
        run = workbench.sync(sandbox, environment=environment, api_url=url)
        assert run.code == 0, run.log
        assert run.ids == ids_of(sandbox)


def test_an_unknown_certificate_fails_at_once(workbench: Workbench, authority: trustme.CA) -> None:
    with Sandbox(leads=250) as sandbox, relay(sandbox, authority) as (url, asked):
        run = workbench.sync(sandbox, environment={"NO_PROXY": "127.0.0.1"}, api_url=url)
    assert run.code == 1
    (error,) = run.lines("ERROR")
    assert "REQUESTS_CA_BUNDLE" in error
    assert not asked


def test_a_password_file_does_not_replace_the_access_token(workbench: Workbench) -> None:
    """What `.netrc` holds for a host would, if it were left to the HTTP library."""
    Path(workbench.folder, ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    with Sandbox(leads=5) as sandbox:
        config = workbench.config(sandbox)
        assert run_tap("--config", config, HOME=str(workbench.folder)).code == 0


def test_a_scroll_is_one_connection_and_one_request_a_page(workbench: Workbench) -> None:
    with Sandbox(leads=950) as sandbox:
        assert workbench.sync(sandbox).code == 0
        assert len(sandbox.workspace.history) == 11
        assert sandbox.requests == 13  # and two for the counts
        assert sandbox.connections == 2  # one before the scroll
