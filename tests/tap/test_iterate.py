"""What `leads()` and `pages()` take from the environment, and what they leave behind."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest
from support.tap import run_tap

import tap_leads
from tap_leads import TapLeadsError, leads, pages

LEFT_BEHIND = """
import os, sys, threading
import tap_leads, tap_leads.tap
def opened():
    return threading.enumerate(), sorted(os.listdir("/proc/self/fd"))
token, url = os.environ["TAP_LEADS_ACCESS_TOKEN"], os.environ["TAP_LEADS_API_URL"]
before = opened()
read = tap_leads.pages(access_token=token, api_url=url, typed_custom_attributes=True)
if opened() != before:
    sys.exit(f"{before} became {opened()}")
print(sum(len(page.leads) for page in read))
"""


def test_pages_that_are_never_iterated_leave_no_thread_or_connection() -> None:
    sandbox = [sys.executable, "-m", "tap_leads.sandbox", "--leads=250", "--quiet", "--"]
    done = subprocess.run(
        [*sandbox, sys.executable, "-c", LEFT_BEHIND],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, "250\n"), done.stderr


@pytest.mark.parametrize("read", [leads, pages])
def test_a_missing_token_is_explained_for_python(
    monkeypatch: pytest.MonkeyPatch, read: type
) -> None:
    monkeypatch.setenv("TAP_LEADS_ACCESS_TOKEN", "other")
    with pytest.raises(TapLeadsError, match=r"is missing.*leads\(access_token=") as caught:
        read()
    assert "TAP_LEADS_ACCESS_TOKEN" not in str(caught.value)


def test_a_misspelled_variable_is_named_like_a_misspelled_setting() -> None:
    names = {"TAP_LEADS_REGOIN": "eu", "TAP_LEADS__SELECT": "[]", "TAP_LEADS_LOGLEVEL": "INFO"}
    run = run_tap(TAP_LEADS_ACCESS_TOKEN="any", **names, TAP_LEADS_REGION="xx")
    assert run.lines("WARNING") == ["Variable 'TAP_LEADS_REGOIN' is not known, and is ignored."]


def test_the_package_has_a_version_and_nothing_unknown() -> None:
    assert tap_leads.__version__ == version("tap-leads")
    with pytest.raises(AttributeError, match="'nothing'"):
        _ = tap_leads.nothing  # type: ignore[attr-defined]
