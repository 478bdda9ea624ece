"""gRPC servers of an application: a replay binds their ports in name only."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import grpc
import grpc.aio

from tests.recorded import assert_identical, record_asgi, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path


def test_the_port_that_the_system_chose_comes_back(recordings: Path) -> None:
    """A free one: the next server would get another."""

    def view() -> dict[str, int]:
        server = grpc.server(ThreadPoolExecutor(1))
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        server.stop(None)
        return {"port": port}

    app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app)


def test_a_port_that_is_taken_by_now_is_bound_all_the_same(recordings: Path) -> None:
    """By the next replay, say, or by the application itself that runs beside it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"

    async def handler() -> dict[str, int]:
        server = grpc.aio.server()
        port = server.add_insecure_port(address)
        await server.start()
        await server.stop(None)
        return {"port": port}

    app, recording = record_asgi(recordings, handler)
    with socket.create_server(("127.0.0.1", int(address.rpartition(":")[2]))):
        assert_identical(recording, app)
