"""Keeps out of the log what the HTTP library would write there about a request.

urllib3 logs addresses, which contain the scroll's token, and at WARNING the raw headers of a
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
    """Drops what the HTTP library logs meanwhile, but not for other users of the library."""
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
        if name.startswith("urllib3."):  # a filter does not hold for a logger's children
            logging.getLogger(name).addFilter(_is_not_sending)
