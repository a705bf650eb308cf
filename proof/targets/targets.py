"""All targets, in the order of the page."""

from __future__ import annotations

from proof.targets import databases, files, offline
from proof.targets.target import Target

TARGETS: dict[str, Target] = databases.TARGETS | files.TARGETS | offline.TARGETS
"""The name to ask for it by -> the target."""
