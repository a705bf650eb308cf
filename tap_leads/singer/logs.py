"""Keeps out of the log what other libraries would write there about the tap's work.

urllib3 logs addresses, which contain the scroll's token, and at WARNING the raw headers of a
response that are malformed. The SDK's stream maps log values of leads at DEBUG.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_sending: ContextVar[bool] = ContextVar("sending", default=False)


@contextmanager
def unlogged_request() -> Iterator[None]:
    """What the HTTP library logs meanwhile is dropped; other users of the library are not."""
    token = _sending.set(True)
    try:
        yield
    finally:
        _sending.reset(token)


def _not_sending(_record: logging.LogRecord) -> bool:
    return not _sending.get()


def _not_detailed(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.INFO


def quiet_libraries() -> None:
    """Filters the loggers of the libraries, once; importing the package changes none."""
    for name in list(logging.root.manager.loggerDict):
        if name.startswith("urllib3."):  # a filter does not hold for a logger's children
            logging.getLogger(name).addFilter(_not_sending)
    logging.getLogger("singer_sdk.mapper").addFilter(_not_detailed)
