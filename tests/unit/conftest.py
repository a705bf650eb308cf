"""Unit tests open no sockets, and may need a full disk."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator

import pytest


class NoSocket(socket.socket):
    """A socket that cannot be opened."""

    def __init__(self, *_: object, **__: object) -> None:
        raise RuntimeError("A unit test must not open a socket; see tests/tap for those that do.")


@pytest.fixture(autouse=True, scope="module")
def no_sockets() -> Iterator[None]:
    """Forbids sockets while the tests of a module run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "socket", NoSocket)
        yield


@pytest.fixture
def full_disk() -> Iterator[None]:
    """Lets no file grow beyond 10,000 bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
