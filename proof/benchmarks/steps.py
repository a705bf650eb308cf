"""Where a lead's time goes: the steps of the tap, each by itself, over the same pages.

    python -m proof.benchmarks.steps ADDRESS LEADS

It prints what it found as JSON.

Measured is processor time of one thread, so that waiting for the simulated API does not count. In
the tap the steps share two threads that take turns; what that costs, and the SDK's own part, is in
what the tap uses beyond the sum of the steps (see `measures`).
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec
import requests
from singer_sdk.singerlib import RecordMessage

from proof.benchmarks.programs import ROOT, TIME_LIMIT, BenchmarkError
from proof.benchmarks.templates import PAGE_SIZE
from tap_leads.records.convert import Converter
from tap_leads.records.lead_record import Lead
from tap_leads.records.pages import Page, read_page
from tap_leads.records.schema import LEAD_SCHEMA
from tap_leads.scroll.ledger import Ledger
from tap_leads.scroll.spool import Spool
from tap_leads.singer.messages import MessageWriter

T = TypeVar("T")
R = TypeVar("R")


class Clock:
    """Adds up the processor time that calls take, by step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def time(self, step: str, call: Callable[[T], R], value: T) -> R:
        """Calls a function."""
        began = time.thread_time()
        result = call(value)
        self.seconds[step] = self.seconds.get(step, 0.0) + time.thread_time() - began
        return result


def profile(url: str, leads: int) -> dict[str, float]:
    """Microseconds that each step takes for a lead."""
    gc.freeze()  # as in the tap
    clock, session, spool = Clock(), requests.Session(), Spool()
    session.trust_env = False  # the same
    converter, writer, now = Converter(LEAD_SCHEMA), MessageWriter(), datetime.now(UTC)

    def fetch(token: str | None) -> bytes:
        parameters = {"scroll_param": token}
        return session.get(f"{url}/contacts/scroll", params=parameters, timeout=60).content

    def keep(body: bytes) -> bytes:
        spool.put(body)
        return spool.take() or b""

    def write(leads: list[Lead]) -> None:
        for lead in leads:
            writer.write_message(RecordMessage("contacts", lead, 1, now))

    with Ledger() as ledger, Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):

        def enter(page: Page) -> None:
            ledger.enter(page.versions)

        ledger.start_scroll()
        token = None
        for _ in range(-(-leads // PAGE_SIZE)):
            body = clock.time("HTTP (`requests`)", fetch, token)
            page = clock.time("reading ids and versions", read_page, body)
            clock.time("remembering them (exactly once)", enter, page)
            body = clock.time("through the spool", keep, page.body)
            converted = clock.time("decoding and converting", converter.leads, body)
            clock.time("encoding and writing", write, converted)
            token = page.scroll_param
        writer.flush()
    session.close()
    spool.close()
    return {step: seconds / leads * 1e6 for step, seconds in clock.seconds.items()}


def in_a_process(url: str, leads: int) -> dict[str, float]:
    """The same, in a process as fresh as the tap's.

    Raises:
        BenchmarkError: It failed, or took too long.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "proof.benchmarks.steps", url, str(leads)],
            cwd=ROOT,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=TIME_LIMIT,
        )
    except subprocess.SubprocessError as error:
        raise BenchmarkError(str(error)) from None
    return msgspec.json.decode(done.stdout, type=dict[str, float])


if __name__ == "__main__":
    print(json.dumps(profile(sys.argv[1], int(sys.argv[2]))))
