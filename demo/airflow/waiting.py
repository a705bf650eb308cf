"""Waiting for something, with a limit."""

import time
from collections.abc import Callable
from typing import TypeVar

from demo.airflow import AirflowError

_POLL = 0.5
_T = TypeVar("_T")


def wait_for(condition: Callable[[], _T], failure: Callable[[], str], seconds: float) -> _T:
    """Waits until a condition is true; returns what it gave.

    Raises:
        AirflowError: It took too long; the message is the failure's.
    """
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AirflowError(f"{failure()} Waited {seconds:.0f} s.")
        time.sleep(_POLL)
    return result
