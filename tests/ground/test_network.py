"""Tests reach this machine and nothing else."""

import os
import socket

import pytest
from pytest_socket import SocketConnectBlockedError


def test_a_foreign_address_is_refused() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as foreign,
        pytest.raises(SocketConnectBlockedError),
    ):
        foreign.connect(("192.0.2.1", 80))


def test_this_machine_is_allowed() -> None:
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        client.connect(server.getsockname())


def test_unix_sockets_are_allowed() -> None:
    path = f"/tmp/handoff-test-socket-{os.getpid()}"  # noqa: S108 (short, removed again)
    with (
        socket.socket(socket.AF_UNIX) as server,
        socket.socket(socket.AF_UNIX) as client,
    ):
        server.bind(path)
        try:
            server.listen()
            client.connect(path)
        finally:
            os.unlink(path)
