"""A real Airflow, with workers on one machine or several: for a demo, and for tests.

python -m demo.airflow
"""


class AirflowError(Exception):
    """Airflow could not be set up or does not respond; the message says why."""
