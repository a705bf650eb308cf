"""docs/sql.md shows what its queries give in a real PostgreSQL."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from support.programs import finish
from support.warehouse import Warehouse

from demo.environments import installed
from docs.generate import sql_page
from tap_leads.sandbox import Sandbox

PAGE = sql_page.PAGE.read_text()


@pytest.mark.timeout(400)  # Meltano loads three times
def test_each_query_gives_the_result_that_the_page_shows() -> None:
    assert PAGE.count("```sql\n") >= 10
    if sql_page.page() != PAGE:
        pytest.fail("docs/sql.md is not up to date: run `make docs`.", pytrace=False)


def test_the_query_for_completeness_tells_a_failed_sync(warehouse: Warehouse) -> None:
    (query,) = re.findall(r"count\(DISTINCT _sdc_table_version\) = 1", PAGE)
    complete = f'SELECT {query} FROM "{warehouse.schema}".contacts'
    for code, fault in enumerate(("429@9999", "401@3")):
        with Sandbox(leads=250, faults=[fault]) as sandbox:
            warehouse.sync(sandbox, code=code)
        assert warehouse.server.query(complete) == [(code == 0,)]


@pytest.mark.targets  # installs dbt
def test_dbt_takes_the_table_as_a_source(warehouse: Warehouse, tmp_path: Path) -> None:
    """It is fresh after a sync, its key is unique, and it is stale a month later."""
    with Sandbox(leads=250) as sandbox:
        warehouse.sync(sandbox)
    (source,) = re.findall(r"```yaml\n# models/sources.yml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "models").mkdir()
    source = source.replace("schema: tap_leads", f"schema: {warehouse.schema}")
    (tmp_path / "models/sources.yml").write_text(source)
    output = warehouse.login | {"type": "postgres", "schema": warehouse.schema, "threads": 1}
    profile = {"leads": {"target": "test", "outputs": {"test": output}}}
    (tmp_path / "profiles.yml").write_text(yaml.safe_dump(profile))
    project = {"name": "leads", "profile": "leads", "flags": {"send_anonymous_usage_stats": False}}
    (tmp_path / "dbt_project.yml").write_text(yaml.safe_dump(project))

    def dbt(*order: str) -> subprocess.CompletedProcess[str]:
        return finish(installed("dbt") / "dbt", *order, "--profiles-dir", tmp_path, cwd=tmp_path)

    for order in (("source", "freshness"), ("test",)):
        done = dbt(*order)
        assert done.returncode == 0, done.stdout
        assert "PASS" in done.stdout
        assert "WARN" not in done.stdout.replace("WARN=0", "")
    warehouse.server.query(
        f'UPDATE "{warehouse.schema}".contacts'
        " SET _sdc_extracted_at = _sdc_extracted_at - interval '1 month'"
    )
    done = dbt("source", "freshness")
    assert done.returncode == 1, done.stdout
    assert "ERROR STALE" in done.stdout
