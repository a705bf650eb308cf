"""An output stream costs no more time than it must."""

from __future__ import annotations

from typing import Any

import msgspec

from tap_leads.records.convert import Converter
from tap_leads.sandbox import lead
from tap_leads.tap import TapLeads


def test_a_lead_that_nothing_changes_is_not_copied() -> None:
    """Copying each lead into a dictionary would take longer than decoding it."""
    stream = TapLeads(config={"access_token": "any"}).contacts
    (output,) = stream.stream_maps
    body = msgspec.json.encode({"contacts": [lead(7, index) for index in range(100)]})
    leads: list[Any] = Converter(stream.schema).leads(body)
    assert len(leads) == 100
    assert all(output.transform(one) is one for one in leads)
