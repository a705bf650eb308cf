"""Flattened columns in a real PostgreSQL: each attribute has its own, and keeps it."""

from __future__ import annotations

import json

from support.tap import Run, Workbench
from support.warehouse import Warehouse

from tap_leads.sandbox import Sandbox

QUESTION = "Which of these best describes your current role in the company you work for?"
CYRILLIC = "Каким образом вы узнали о нас в первый раз?"  # noqa: RUF001
FIRST = ["Plan", QUESTION, CYRILLIC, "team_size"]
LATER = [QUESTION + " (other)", CYRILLIC + " (другое)", "plan", "PLAN"]


def load(workbench: Workbench, warehouse: Warehouse, attributes: list[str]) -> Run:
    """Syncs a workspace of one lead, which has these attributes, the oldest first."""
    # Intercom does not document their order; here, the newest is first.
    definitions = [
        {"name": name, "data_type": "string", "custom": True, "created_at": number}
        for number, name in enumerate(attributes)
    ][::-1]
    lead = {"id": "1", "custom_attributes": {name: f"= {name}" for name in attributes}}
    page = {"type": "contact.list", "scroll_param": "s", "contacts": [lead]}
    faults = [
        f"data_attributes/body@*:{json.dumps({'data_attributes': definitions})}",
        f"body@1:{json.dumps(page)}",
        f"body@2:{json.dumps(page | {'contacts': []})}",
    ]
    with Sandbox(leads=1, faults=faults) as sandbox:
        run = workbench.sync(
            sandbox,
            typed_custom_attributes=True,
            flattening_enabled=True,
            flattening_max_depth=1,
        )
    assert run.code == 0, run.log
    warehouse.load(run.output)
    return run


def columns(warehouse: Warehouse) -> dict[str, str]:
    """The columns of the attributes, by what is in them."""
    names = [name for name in warehouse.columns() if name.startswith("custom_attributes__")]
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
