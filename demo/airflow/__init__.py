"""A real Airflow with workers on one or several machines, for a demo and for tests.

python -m demo.airflow
"""

import time
from collections.abc import Callable

POLL = 0.5  # seconds
START_SECONDS = 300


class AirflowError(Exception):
    """Airflow could not be set up or does not respond; the message says why."""


def wait_for(condition: Callable[[], bool], failure: Callable[[], str], seconds: float) -> None:
    """Waits until a condition is true.

    Raises:
        AirflowError: It took too long; the message is the failure's.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AirflowError(f"{failure()} Waited {seconds:.0f} s.")
        time.sleep(POLL)
