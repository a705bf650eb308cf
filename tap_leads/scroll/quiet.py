"""Keeps the HTTP library's messages about the tap's requests out of the log.

urllib3 logs URLs, which contain the scroll's token. At WARNING, it logs the raw headers of a
malformed response.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_sending: ContextVar[bool] = ContextVar("sending", default=False)


@contextmanager
def unlogged_request() -> Iterator[None]:
    """Drops what the HTTP library logs about this request, but not about requests of others."""
    token = _sending.set(True)
    try:
        yield
    finally:
        _sending.reset(token)


def _is_not_sending(_record: logging.LogRecord) -> bool:
    return not _sending.get()


def quiet_requests() -> None:
    """Filters the loggers of the HTTP library; adding a filter twice changes nothing."""
    for name in list(logging.root.manager.loggerDict):
        if name.startswith("urllib3."):  # a filter does not apply to a logger's children
            logging.getLogger(name).addFilter(_is_not_sending)
