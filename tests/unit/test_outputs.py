"""What goes out of the tap costs no more than it must."""

from __future__ import annotations

from typing import Any

import msgspec

from tap_leads.records.convert import Converter
from tap_leads.sandbox import lead
from tap_leads.tap import TapLeads


def test_a_lead_that_nothing_changes_goes_out_as_it_was_decoded() -> None:
    """Neither the selection nor a stream map is walked for it, which would cost as much again."""
    stream = TapLeads(config={"access_token": "any"}).contacts
    (output,) = stream.stream_maps
    body = msgspec.json.encode({"contacts": [lead(7, index) for index in range(100)]})
    leads: list[Any] = Converter(stream.schema).leads(body)
    assert len(leads) == 100
    assert all(output.transform(one) is one for one in leads)
