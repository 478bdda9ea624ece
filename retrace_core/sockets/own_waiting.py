"""Own waiting: who waits for own sockets by `select` or its like is told again who was ready.

Each waiting is an event: which of them were ready, and how many of the others that are waited for
(a pipe by which another thread wakes this one). On replay the others are waited for until they are
ready: what they tell comes from the request itself.
"""

from __future__ import annotations

import select
import struct
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import call, mask
from retrace_core.native import REPLAY
from retrace_core.recording import LANE_END
from retrace_core.sockets.own_connecting import is_connecting
from retrace_core.sockets.own_socket import age_of, peer_of

if TYPE_CHECKING:
    from retrace_core import native

__all__ = ["IN", "OUT", "PRI", "Owns", "Ready", "wait"]

READY = "socket.ready"
IN, PRI, OUT = 1, 2, 4
"""As `poll` and `epoll` number them."""

Ready = list[tuple[int, int]]
"""Descriptors, with what they are ready for."""
Owns = Mapping[int, tuple[Any, int]]
"""Descriptor -> the own socket, and what it is watched for."""

_PATIENCE_S = 2.0
_MOMENT_S = 0.001
_OTHER = ""
"""In the place of where a socket leads, for what is none."""


def wait(
    lane: native.Lane,
    owns: Owns,
    live: Callable[[], Ready],
    look: Callable[[], Ready],
    timeout_s: float | None,
) -> Ready:
    """Wait, in a lane.

    Args:
        lane: whose code waits.
        owns: those among what it waits for.
        live: waits.
        look: says who is ready now, without waiting.
        timeout_s: how long it waits at most, in seconds.
    """
    marks = _marks(owns)

    def waited() -> list[tuple[int, int, int]]:
        return [(one, ready, 0 if one in marks else _bytes_in(one)) for one, ready in live()]

    def kept(found: list[tuple[int, int, int]]) -> object:
        return [[*marks.get(one, (_OTHER, held)), ready] for one, ready, held in found]

    def given(value: Any) -> list[tuple[int, int, int]]:
        places = {mark: one for one, mark in marks.items()}
        rest = iter(_others(owns, look, [held for peer, held, _ in value if peer == _OTHER]))
        found = []
        for peer, number, ready in value:
            if peer == _OTHER:
                found += [(one, events, 0) for one, events in (next(rest, (-1, 0)),) if events]
            elif (peer, number) in places:
                found.append((places[peer, number], ready, 0))
        return found

    def unknown() -> list[tuple[int, int, int]]:
        with mask():
            connected = _connected(owns)
            if not connected:
                time.sleep(_MOMENT_S * 50)
            return [(*one, 0) for one in connected or _among_others(owns, look)]

    if lane.mode != REPLAY:
        return [(one, ready) for one, ready, _ in call(lane, READY, None, waited, kept)]
    scope: Any = getattr(lane, "scope", None)
    if scope is not None and not scope.comes(lane, READY, None):
        if connected := _connected(owns):
            return connected
        if scope.comes_next(lane, LANE_END):
            return _until_over(lane, owns, look, timeout_s)
    return [(one, ready) for one, ready, _ in call(lane, READY, None, unknown, None, given)]


def _marks(owns: Owns) -> dict[int, tuple[str, int]]:
    """Return by what each is known in another process: where it leads, and its number there."""
    counts: dict[str, int] = {}
    marks = {}
    for descriptor, (own, _) in sorted(owns.items(), key=lambda item: age_of(item[1][0])):
        peer = peer_of(own)
        marks[descriptor] = peer, counts.get(peer, 0)
        counts[peer] = counts.get(peer, 0) + 1
    return marks


def _connected(owns: Owns) -> Ready:
    """Return those that a replay connects where the recorded request had a connection."""
    return [
        (one, OUT) for one, (own, events) in owns.items() if events & OUT and is_connecting(own)
    ]


def _others(owns: Owns, look: Callable[[], Ready], held: list[int]) -> Ready:
    """Wait until so many others are ready as were recorded, with as many bytes in each."""
    until = time.monotonic() + _PATIENCE_S
    while held:
        with mask():
            found = _among_others(owns, look)
        ready = sorted((_bytes_in(one) for one, _ in found), reverse=True)
        if len(ready) >= len(held) and all(map(int.__ge__, ready, sorted(held, reverse=True))):
            return found
        if time.monotonic() > until:
            return found
        time.sleep(_MOMENT_S)
    return []


def _until_over(
    lane: native.Lane, owns: Owns, look: Callable[[], Ready], timeout_s: float | None
) -> Ready:
    """Wait where nothing came before the lane was over, unless the request itself wakes it."""
    until = None if timeout_s is None else time.monotonic() + timeout_s
    while lane.mode == REPLAY and (until is None or time.monotonic() < until):
        with mask():
            if found := _among_others(owns, look):
                return found
        time.sleep(_MOMENT_S * 5)
    return []


def _among_others(owns: Owns, look: Callable[[], Ready]) -> Ready:
    return [(one, ready) for one, ready in look() if one not in owns]


def _bytes_in(descriptor: int) -> int:
    """Return how many bytes could be read from a pipe, say; 0 where nobody knows."""
    try:
        import fcntl  # which there is not on Windows
        import termios

        return int(struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)))[0])
    except (ImportError, OSError):
        return 0


assert not hasattr(select, "POLLIN") or (select.POLLIN, select.POLLOUT) == (IN, OUT)
