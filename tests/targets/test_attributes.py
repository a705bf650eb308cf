"""Custom attributes, declared by the workspace's own definitions."""

from __future__ import annotations

import pytest
from support.cases import cases
from support.records import validator
from support.tap import Workbench, ids_of, run_tap
from support.warehouse import Warehouse

from tap_leads.errors import TapLeadsError
from tap_leads.records.schema import LEAD_SCHEMA, with_attributes
from tap_leads.sandbox import Sandbox


def definition(name: str, kind: str, **other: object) -> dict[str, object]:
    return {"name": name, "data_type": kind, "custom": True, "archived": False, **other}


def test_each_type_of_intercom_has_its_own() -> None:
    kinds = ["string", "integer", "float", "boolean", "date"]
    schema = with_attributes({"data_attributes": [definition(kind, kind) for kind in kinds]})
    attributes = schema["properties"]["custom_attributes"]["properties"]
    told = {name: (field["type"], field.get("format")) for name, field in attributes.items()}
    assert told == {
        "string": (["string", "null"], None),
        "integer": (["integer", "null"], None),
        "float": (["number", "null"], None),
        "boolean": (["boolean", "null"], None),
        "date": (["string", "null"], "date-time"),
    }


@cases(
    intercoms_own=definition("a", "string", custom=False),
    archived=definition("a", "string", archived=True),
    unknown_type=definition("a", "colour"),
)
def test_other_attributes_are_not_declared(useless: dict[str, object]) -> None:
    assert with_attributes({"data_attributes": [useless]}) == LEAD_SCHEMA


@cases(None, {}, [], {"data_attributes": [3]}, {"data_attributes": 3})
def test_a_response_without_a_list_of_definitions_is_refused(answer: object) -> None:
    with pytest.raises(TapLeadsError, match="not as documented"):
        with_attributes(answer)


@cases("1.1", "1.4")
def test_a_typed_sync_is_complete_and_valid(version: str, workbench: Workbench) -> None:
    with Sandbox(leads=500, faults=["types@2+"]) as sandbox:
        run = workbench.sync(sandbox, typed_custom_attributes=True, api_version=version)
        assert run.code == 0, run.log
        assert run.ids == ids_of(sandbox)
    schema = run.messages[0]["schema"]
    assert "team_size" in schema["properties"]["custom_attributes"]["properties"]
    valid = validator(schema)
    for record in run.records:
        valid.validate(record)


def test_an_attribute_that_does_not_fit_leaves_the_others_in_place(workbench: Workbench) -> None:
    with Sandbox(leads=500, faults=["types@*"]) as sandbox:
        run = workbench.sync(sandbox, typed_custom_attributes=True)
    kept = [
        record
        for record in run.records
        if isinstance((record["additional_fields"] or {}).get("custom_attributes"), dict)
        and record["custom_attributes"]
    ]
    assert kept
    for record in kept:
        aside = record["additional_fields"]["custom_attributes"]
        assert not aside.keys() & record["custom_attributes"].keys()


def test_flattening_makes_a_column_of_each(workbench: Workbench, warehouse: Warehouse) -> None:
    with Sandbox(leads=300) as sandbox:
        run = workbench.sync(
            sandbox,
            typed_custom_attributes=True,
            flattening_enabled=True,
            flattening_max_depth=1,
        )
        assert run.code == 0, run.log
        warehouse.load(run)
        sizes = {
            lead["id"]: (lead.get("custom_attributes") or {}).get("team_size")
            for lead in sandbox.workspace.leads()
        }
    assert dict(warehouse.rows("id, custom_attributes__team_size")) == sizes
    [(kind,)] = warehouse.server.query(
        "SELECT data_type FROM information_schema.columns"
        " WHERE table_schema = %s AND column_name = 'custom_attributes__team_size'",
        (warehouse.schema,),
    )
    assert kind == "bigint"


def test_without_definitions_discovery_fails_and_says_why(workbench: Workbench) -> None:
    with Sandbox(leads=250) as sandbox:
        nowhere = {"access_token": "wrong", "api_url": sandbox.url, "typed_custom_attributes": True}
        run = run_tap("--discover", "--config", workbench.file("nowhere.json", nowhere))
    assert (run.code, run.output) == (1, b"")
    assert "Intercom refused the access token" in run.lines("ERROR")[0]
