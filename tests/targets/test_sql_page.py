"""docs/sql.md shows what its queries give in a real PostgreSQL."""

from __future__ import annotations

import re

import pytest
from support.tap import Workbench
from support.warehouse import Warehouse

from docs.generate import sql_page
from tap_leads.sandbox import Sandbox

PAGE = sql_page.PAGE.read_text()


@pytest.mark.timeout(400)  # Meltano loads three times
def test_each_query_gives_the_result_that_the_page_shows() -> None:
    assert PAGE.count("```sql\n") >= 10
    if sql_page.page() != PAGE:
        pytest.fail("docs/sql.md is not up to date: run `make docs`.", pytrace=False)


def test_the_query_for_completeness_tells_a_sync_that_failed_midway(
    workbench: Workbench, warehouse: Warehouse
) -> None:
    (query,) = re.findall(r"count\(DISTINCT _sdc_table_version\) = 1", PAGE)
    complete = f'SELECT {query} FROM "{warehouse.schema}".contacts'
    for fault, expected in (("429@9999", True), ("401@3", False)):
        with Sandbox(leads=250, faults=[fault]) as sandbox:
            warehouse.load(workbench.sync(sandbox))
        assert warehouse.server.query(complete) == [(expected,)]
