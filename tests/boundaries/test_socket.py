"""`socket`: what a name or an address was found to be, with nobody to ask on replay."""

from __future__ import annotations

import asyncio
import socket
from email.utils import make_msgid
from typing import TYPE_CHECKING

import pytest

from tests.recorded import assert_identical, record_asgi, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from retrace_core import Recording


def kinds(recording: Recording) -> set[str]:
    """Return the kinds of the events of a request's own lane."""
    lane = recording.lane("0")
    assert lane is not None
    return {event.kind for event in lane.events}


def _of(look_up: Callable[[], object]) -> str:
    try:
        return repr(look_up())
    except OSError as error:
        return repr(error)


def test_names_and_addresses_are_found_again(recordings: Path) -> None:
    """Those that do not exist, too, and those that a mail's id is made of."""

    def view() -> list[str]:
        return [
            _of(lambda: socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)),
            _of(lambda: socket.gethostbyname("localhost")),
            _of(lambda: socket.gethostbyname_ex("localhost")),
            _of(lambda: socket.gethostbyaddr("127.0.0.1")),
            _of(lambda: socket.getnameinfo(("127.0.0.1", 80), socket.NI_NUMERICSERV)),
            _of(lambda: socket.gethostbyname("nowhere.invalid")),
            _of(socket.getfqdn),
            _of(make_msgid),
        ]

    app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app)


@pytest.mark.usefixtures("on_either_loop")
def test_an_event_loop_finds_them_again(recordings: Path) -> None:
    """asyncio's asks in a thread, uvloop in C: replayed by either, whichever asked."""

    async def view() -> str:
        return repr(await asyncio.get_running_loop().getaddrinfo("localhost", 80))

    app, recording = record_asgi(recordings, view)
    assert "socket.getaddrinfo" in kinds(recording)
    assert_identical(recording, app)
