"""Leads as the bytes of a JSON list, kept so that a page served again costs nothing."""

import json
import threading
from collections import OrderedDict

import msgspec

from tap_leads.sandbox.sample_leads import Lead
from tap_leads.sandbox.workspace import Workspace

_encode = msgspec.json.Encoder().encode


class PageCache:
    """Encodes leads and keeps what it encoded; the least recently used goes first.

    Args:
        limit: Bytes to keep at most.
    """

    def __init__(self, limit: int = 256 << 20) -> None:
        self._limit = limit
        self._bytes = 0
        self._kept: OrderedDict[tuple[str, int, int, int], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def encode(self, workspace: Workspace, indexes: list[int]) -> bytes:
        """Encode these leads of a workspace as they are now."""
        if not indexes or workspace.edited(indexes):
            return _encode([workspace.lead(index) for index in indexes])
        # Unedited leads keep their order, and none comes twice, so the first, the last and their
        # number name the whole page.
        key = workspace.app_id, indexes[0], indexes[-1], len(indexes)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        encoded = _encode([workspace.lead(index) for index in indexes])
        with self._lock:
            if key not in self._kept:  # pragma: no branch - two requests for one page at once
                self._kept[key] = encoded
                self._bytes += len(encoded)
            while self._bytes > self._limit:
                self._bytes -= len(self._kept.popitem(last=False)[1])
        return encoded


def encode_any(records: list[Lead]) -> bytes:
    """Encode leads of any content.

    By the standard library: unlike msgspec it writes lone surrogates (as escapes), and it never
    limits the size of an integer.
    """
    return json.dumps(records, allow_nan=False).encode()
