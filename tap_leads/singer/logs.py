"""The log: its level, its configuration, and an error line that is always written."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

_T = TypeVar("_T")
_CONFIGURATION = "SINGER_SDK_LOG_CONFIG"
_LEVEL, _SHARED_LEVEL = "TAP_LEADS_LOGLEVEL", "LOGLEVEL"


def _is_not_detailed(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.INFO


def quiet_mapper() -> None:
    """Drops the DEBUG lines of the SDK's stream maps, which contain values of leads."""
    logging.getLogger("singer_sdk.mapper").addFilter(_is_not_detailed)


def set_up(sdk_set_up: Callable[[], _T], logger: logging.Logger) -> _T:
    """Sets up the log of the command.

    Args:
        sdk_set_up: The SDK's way to do it, and what it returns.
        logger: The tap's logger.
    """
    path = os.environ.pop(_CONFIGURATION, None)
    if path:  # if it is empty, the SDK opens the current folder
        os.environ[_CONFIGURATION] = path
    with valid_level():
        try:
            result = sdk_set_up()
        except Exception as error:
            if not path:
                raise
            del os.environ[_CONFIGURATION]
            logging.getLogger().handlers.clear()
            result = sdk_set_up()
            logger.warning(
                "%s: the file %s is not a valid logging configuration (%s), and is ignored.",
                _CONFIGURATION,
                path,
                type(error).__name__,
            )
    # A configuration turns off all existing loggers if it does not say otherwise.
    logger.disabled = False
    return result


@contextmanager
def valid_level() -> Iterator[str | None]:
    """Replaces a level that the SDK does not accept: an empty one, a number, or an unknown one.

    Yields:
        The unknown level, which INFO replaces.
    """
    text = (os.environ.get(_LEVEL) or os.environ.get(_SHARED_LEVEL) or "").strip()
    name = _name_of_level(text)
    before = os.environ.get(_LEVEL)
    os.environ[_LEVEL] = name or "INFO"
    try:
        yield text if text and not name else None
    finally:
        del os.environ[_LEVEL]
        if before is not None:
            os.environ[_LEVEL] = before


def _name_of_level(text: str) -> str | None:
    levels = logging.getLevelNamesMapping()
    if text.isdecimal():  # a number between two levels means the higher one
        higher = [name for name, level in levels.items() if level >= max(int(text), logging.DEBUG)]
        return min(higher, key=levels.__getitem__, default="CRITICAL")
    return text.upper() if text.upper() in levels else None


def report_error(logger: logging.Logger, message: str, *args: object) -> None:
    """Writes a line to every handler of the log, or to standard error if there is none.

    It says why the command fails, so levels and disabled loggers do not suppress it.
    """
    record = logger.makeRecord(logger.name, logging.ERROR, __file__, 0, message, args, None)
    is_written = False
    source: logging.Logger | None = logger
    while source:
        for handler in source.handlers:
            if record.levelno >= handler.level and not isinstance(handler, logging.NullHandler):
                is_written |= bool(handler.handle(record))
        source = source.parent if source.propagate else None
    if not is_written and logging.lastResort:
        logging.lastResort.handle(record)
