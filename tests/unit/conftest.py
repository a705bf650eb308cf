"""Unit tests need no sockets: none can be opened here."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest


class NoSocket(socket.socket):
    """A socket that cannot be opened."""

    def __init__(self, *_: object, **__: object) -> None:
        raise RuntimeError("A unit test must not open a socket; see tests/tap for those that do.")


@pytest.fixture(autouse=True, scope="module")
def no_sockets() -> Iterator[None]:
    """Forbids sockets for as long as the tests of a module run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "socket", NoSocket)
        yield
