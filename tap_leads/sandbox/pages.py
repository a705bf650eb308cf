"""Leads as the bytes of a JSON list, kept so that a page served again costs nothing."""

import json
import threading
from collections import OrderedDict

import msgspec

from tap_leads.sandbox.dirt import soil
from tap_leads.sandbox.workspace import Workspace

_encode = msgspec.json.Encoder().encode


class Pages:
    """Encodes leads and remembers what it encoded, the least recently used going first.

    Args:
        limit: Bytes to remember at most.
    """

    def __init__(self, limit: int = 256 << 20) -> None:
        self._limit = limit
        self._bytes = 0
        self._kept: OrderedDict[tuple[str, int, int], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def encode(self, workspace: Workspace, indexes: list[int]) -> bytes:
        """Encode these leads of a workspace as they stand now."""
        if not indexes or workspace.edited(indexes):
            return _encode([workspace.lead(index) for index in indexes])
        # Leads come and go at the end of the list, and none comes twice: as long as the last one of
        # a page is there, nothing before it has changed, and first and last name the whole page.
        key = workspace.app_id, indexes[0], indexes[-1]
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        encoded = _encode([workspace.lead(index) for index in indexes])
        with self._lock:
            if key not in self._kept:
                self._kept[key] = encoded
                self._bytes += len(encoded)
            while self._bytes > self._limit:
                self._bytes -= len(self._kept.popitem(last=False)[1])
        return encoded


def encode_soiled(
    workspace: Workspace, indexes: list[int], *, dirty: bool, without_id: bool
) -> bytes:
    """Encode these leads with the dirt of the fault `types`, or the first one without its id."""
    records = [workspace.lead(index) for index in indexes]
    if dirty:
        records = [
            soil(record, workspace.seed, index)
            for record, index in zip(records, indexes, strict=True)
        ]
    if without_id and records:
        del records[0]["id"]
    # The standard library: unlike msgspec it writes lone surrogates (as escapes), and it never
    # limits the size of an integer.
    return json.dumps(records, allow_nan=False).encode()
