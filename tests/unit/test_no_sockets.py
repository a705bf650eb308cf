"""The fixture of these tests that forbids sockets works."""

from __future__ import annotations

import socket

import pytest
import requests
from support.cases import cases


@cases(
    connection=lambda: socket.create_connection(("127.0.0.1", 9)),
    requests=lambda: requests.get("http://127.0.0.1:9", timeout=1),
)
def test_a_unit_test_cannot_open_a_socket(connect: object) -> None:
    assert callable(connect)
    with pytest.raises(RuntimeError, match="must not open a socket"):
        connect()
