"""What the tap is measured against: the least that a program must do to get every lead.

    python bare_loop.py ADDRESS

It follows the scroll, and writes a line for each lead. It has no messages, no schema, no selection
and no state. It loses leads when anything goes wrong, and fails when the target is slow.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec
import requests

TIMEOUT = 90


def main(address: str) -> None:
    """Reads all leads, as fast as plain `requests` and msgspec can."""
    session = requests.Session()
    session.headers.update(
        {
            "Authorization": "Bearer sandbox",
            "Accept": "application/json",
            "Intercom-Version": "1.4",
        }
    )
    decoder, encoder = msgspec.json.Decoder(), msgspec.json.Encoder()
    parameters: dict[str, Any] = {}
    while True:
        response = session.get(f"{address}/contacts/scroll", params=parameters, timeout=TIMEOUT)
        response.raise_for_status()
        page = decoder.decode(response.content)
        if not page["contacts"]:
            break
        sys.stdout.buffer.write(encoder.encode_lines(page["contacts"]))
        parameters = {"scroll_param": page["scroll_param"]}


if __name__ == "__main__":
    main(sys.argv[1])
