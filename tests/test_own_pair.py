"""Own pair: two sockets that a process connects to each other are nothing of the world."""

from __future__ import annotations

import errno
import select
import socket
from typing import TYPE_CHECKING

import pytest

from tests.kept_client import record_under_uvicorn, replay_each_cold
from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _not_blocking(address: tuple[str, int]) -> socket.socket:
    """As paho-mqtt does to wake its thread."""
    own = socket.socket()
    own.setblocking(False)
    try:
        own.connect(address)
    except BlockingIOError:
        pass
    return own


def _by_number(address: tuple[str, int]) -> socket.socket:
    own = socket.socket()
    own.setblocking(False)
    assert own.connect_ex(address) == errno.EINPROGRESS
    return own


@pytest.mark.parametrize("connect", [_not_blocking, _by_number])
def test_a_pair_is_neither_recorded_nor_refused(
    recordings: Path, connect: Callable[[tuple[str, int]], socket.socket]
) -> None:
    """What goes over it comes on replay as it came, and nothing is missing in the recording."""

    def view() -> list[str]:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(1)
            one = connect(listener.getsockname())
            other, _ = listener.accept()
        with one, other:
            one.send(b"to")
            other.settimeout(5)
            found = other.recv(10)
            other.send(b"fro")
            select.select([one], [], [], 5)
            return [found.decode(), one.recv(10).decode()]

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None and b'["to","fro"]' in recording.response.body[0]
    kinds = {event.kind for event in recording.lanes[0].events}
    assert kinds <= {"socket.state"} and recording.holes == []
    assert_identical(recording, app)


SERVICE = """
import socket

from fastapi import FastAPI


def pair():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)
    one = socket.socket()
    one.setblocking(False)
    try:
        one.connect(listener.getsockname())
    except BlockingIOError:
        pass
    other, _ = listener.accept()
    listener.close()
    return one, other


one, other = pair()
one.send(b"woken")
said = other.recv(10).decode()
app = FastAPI()


@app.get("/")
def here():
    return "here"


@app.get("/said")
def view():
    return said
"""


def test_a_pair_that_the_start_up_makes_is_there_on_replay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At import, where sockets are bound in name only."""
    assert record_under_uvicorn(tmp_path, monkeypatch, SERVICE, ["/said"]) == ['"woken"']
    replay_each_cold(tmp_path, 1)
