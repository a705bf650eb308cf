"""Flattened columns in a real PostgreSQL: each attribute has its own, and keeps it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from support.tap import Run, Workbench, run_tap
from support.warehouse import Warehouse

QUESTION = "Which of these best describes your current role in the company you work for?"
CYRILLIC = "Каким образом вы узнали о нас в первый раз?"  # noqa: RUF001
FIRST = ["Plan", QUESTION, CYRILLIC, "team_size"]
LATER = [QUESTION + " (other)", CYRILLIC + " (другое)", "plan", "PLAN"]


@contextmanager
def workspace(attributes: list[str]) -> Iterator[str]:
    """A workspace of one lead, which has these attributes; the oldest first."""
    definitions = [
        {"name": name, "data_type": "string", "custom": True, "created_at": number}
        for number, name in enumerate(attributes)
    ]
    lead = {"id": "1", "custom_attributes": {name: f"= {name}" for name in attributes}}

    class Api(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body: dict[str, Any] = {"type": "contact.list", "contacts": [lead], "scroll_param": "s"}
            if self.path.startswith("/data_attributes"):
                # The newest first: what Intercom's order is, no document says.
                body = {"data_attributes": definitions[::-1]}
            elif "scroll_param" in self.path:
                body["contacts"] = []
            encoded = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(encoded)))
            self.end_headers()
            self.wfile.write(encoded)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def load(workbench: Workbench, warehouse: Warehouse, attributes: list[str]) -> Run:
    """Syncs a workspace into PostgreSQL."""
    with workspace(attributes) as url:
        config = {
            "access_token": "t",
            "api_url": url,
            "typed_custom_attributes": True,
            "flattening_enabled": True,
            "flattening_max_depth": 1,
        }
        run = run_tap("--config", workbench.file("config.json", config))
    assert run.code == 0, run.log
    warehouse.load(run)
    return run


def columns(warehouse: Warehouse) -> dict[str, str]:
    """The columns of the attributes, by what is in them."""
    names = [
        name
        for (name,) in warehouse.server.query(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_schema = %s AND column_name LIKE 'custom_attributes__%%'",
            (warehouse.schema,),
        )
    ]
    quoted = ", ".join('"' + name.replace("%", "%%") + '"' for name in names)
    (row,) = warehouse.rows(quoted)
    return {value: name for name, value in zip(names, row, strict=True) if value is not None}


def test_long_and_similar_names_have_columns_that_stay_when_attributes_are_added(
    workbench: Workbench, warehouse: Warehouse
) -> None:
    run = load(workbench, warehouse, FIRST)
    before = columns(warehouse)
    assert before.keys() == {f"= {name}" for name in FIRST}
    load(workbench, warehouse, FIRST + LATER)
    after = columns(warehouse)
    assert after.keys() == {f"= {name}" for name in FIRST + LATER}
    assert {value: after[value] for value in before} == before
    assert all(len(name.encode()) <= 63 for name in after.values())
    assert len({name.casefold() for name in after.values()}) == len(after)
    assert before["= Plan"] == "custom_attributes__Plan"
    column = before[f"= {CYRILLIC}"]
    (line,) = [line for line in run.lines("INFO") if CYRILLIC in line]
    assert column in line
    description = run.messages[0]["schema"]["properties"][column]["description"]
    assert f"custom_attributes__{CYRILLIC}" in description
