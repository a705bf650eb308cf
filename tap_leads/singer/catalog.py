"""What a catalog can change: the selection of fields, and nothing else.

The schema, the key and full-table replication come from the tap. A catalog of another version, or
one that asks for incremental replication, must neither hide leads nor break a target.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import IO, Any

from singer_sdk.singerlib import Catalog, Metadata, Schema
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE

from tap_leads.errors import TapLeadsError
from tap_leads.singer.settings import SettingsError


def guard(catalog: Catalog, stream: str, schema: Mapping[str, Any], keys: Sequence[str]) -> None:
    """Replaces everything in a catalog except the selection.

    Raises:
        TapLeadsError: The catalog does not select the stream.
    """
    entry = catalog.get_stream(stream)
    if entry is None or not entry.metadata.resolve_selection()[()]:
        raise TapLeadsError(
            f"The catalog does not select the stream '{stream}', and there is no other, so nothing "
            f"would be synced. With Meltano, `meltano select tap-leads {stream} '*'` selects it; a "
            "rule with --exclude alone deselects everything."
        )
    entry.stream = stream
    entry.schema = Schema.from_dict(dict(schema))
    entry.key_properties = keys
    entry.replication_key = None
    entry.replication_method = REPLICATION_FULL_TABLE
    root = entry.metadata.root
    root.selected = True
    root.replication_key = None
    root.forced_replication_method = None
    root.table_key_properties = None
    for key in keys:
        entry.metadata["properties", key].inclusion = Metadata.InclusionType.AUTOMATIC


def check_file(file: IO[str]) -> IO[str]:
    """Returns the same catalog, after a check.

    Raises:
        SettingsError: The file is not a catalog.
    """
    try:
        text = file.read()
        Catalog.from_dict(json.loads(text))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise SettingsError(
            "The file that --catalog names is not a Singer catalog. `tap-leads --discover` writes "
            "one."
        ) from None
    return io.StringIO(text)
