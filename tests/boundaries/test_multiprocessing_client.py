"""A daemon that an application asks by `multiprocessing.connection.Client`: gone on replay."""

from __future__ import annotations

import multiprocessing
import random
from multiprocessing.connection import Client, Listener
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY = b"of-the-daemon"
CONTEXT = multiprocessing.get_context("fork")


def serve(address: str, ready: Any) -> None:
    """Answer one client after the other with what no other process would."""
    with Listener(address, authkey=KEY) as listener:
        ready.set()
        while True:
            with listener.accept() as end:
                end.send([end.recv(), random.random()])
                end.send_bytes(b"over")


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield the address of a daemon, and what ends it."""
    address, ready = str(tmp_path / "daemon"), CONTEXT.Event()
    process = CONTEXT.Process(target=serve, args=(address, ready), daemon=True)
    process.start()
    assert ready.wait(20)

    def end() -> None:
        process.kill()
        process.join()
        Path(address).unlink(missing_ok=True)

    yield address, end
    end()


def test_what_a_daemon_says_comes_back(
    recordings: Path, daemon: tuple[str, Callable[[], None]]
) -> None:
    """A replay connects to nobody."""
    address, end_daemon = daemon

    def view() -> Any:
        into = bytearray(6)
        with Client(address, authkey=KEY) as end:
            end.send("how many?")
            told = end.recv()
            size = end.recv_bytes_into(into, 1)
        return {"told": told, "size": size, "into": into.decode("latin-1"), "over": end.closed}

    app, recording = record_wsgi(recordings, view)
    end_daemon()
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    assert not recording.holes
    assert_identical(recording, app)


def test_that_no_daemon_is_there_comes_back(recordings: Path, tmp_path: Path) -> None:
    def view() -> Any:
        try:
            Client(str(tmp_path / "none"), authkey=KEY)
        except FileNotFoundError as error:
            return {"error": error.errno}
        return {}

    app, recording = record_wsgi(recordings, view)
    (tmp_path / "none").touch()
    assert_identical(recording, app)
