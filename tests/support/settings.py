"""The settings, as the tests expect them."""

from __future__ import annotations

from typing import Any

from tap_leads import __version__

DEFAULTS: dict[str, Any] = {
    "access_token": None,
    "region": "us",
    "api_url": None,
    "api_version": "1.4",
    "user_agent": f"tap-leads/{__version__}",
    "request_timeout": 90,
    "scroll_expiry": 60,
    "scroll_wait_timeout": 600,
    "max_restarts": 5,
    "count_mismatch": "fail",
    "typed_custom_attributes": False,
    "emit_activate_version_messages": True,
}
"""The tap's own settings in their order, each with its default; None if it has none."""
