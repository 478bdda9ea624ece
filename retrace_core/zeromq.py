"""ZeroMQ: where a socket of pyzmq's leads, and what of a message stands in an event.

A socket that leads to others by `inproc://` alone talks within the process, and is none of the
world's. On replay a socket is libzmq's own, but is connected to nothing: what it is told of its
options it knows, and what comes to it is what was recorded.
"""

from __future__ import annotations

import weakref
from typing import Any

from retrace_core.boundary import in_replay
from retrace_core.checksum import checksum_of

__all__ = [
    "Ends",
    "content_of",
    "ends_of",
    "goes_nowhere",
    "is_world",
    "monitors",
    "polled",
    "ready_places",
]

_ENDS = "_retrace_ends"
_SUMMED_FROM_BYTES = 8 * 1024

monitors: set[str] = set()
"""Addresses within the process at which libzmq itself tells what becomes of connections."""


class Ends:
    """Where a socket leads.

    Attributes:
        place: the address that it was connected or bound to first, for keys.
        is_world: whether anybody outside of the process is there.
        more: whether the part of a message that was given back last has a next one.
        last: the endpoint of the last `bind` or `connect`, on replay.
        waiting: futures that a replay has yet to set; closing the socket cancels them.
    """

    __slots__ = ("is_world", "last", "more", "place", "waiting")

    def __init__(self) -> None:
        self.place = ""
        self.is_world = False
        self.more = False
        self.last = ""
        self.waiting: weakref.WeakSet[Any] = weakref.WeakSet()

    def lead_to(self, address: str) -> bool:
        """Take note of an address; return whether the world is there."""
        outside = not address.startswith("inproc:") or address in monitors
        if outside and not self.is_world:
            self.is_world, self.place = True, address
        self.last = address.replace("://*:", "://0.0.0.0:")
        return outside


def ends_of(socket: Any) -> Ends:
    """Return where a socket leads, or the one that it is a shadow of."""
    own = socket.__dict__
    found: Ends | None = own.get(_ENDS)
    if found is not None:
        return found
    for name in ("_shadow_obj", "_shadow_sock"):
        other = own.get(name)
        if hasattr(other, "__dict__") and _ENDS in other.__dict__:
            return ends_of(other)
    found = own[_ENDS] = Ends()
    return found


def is_world(socket: Any) -> bool:
    """Return True for a socket of pyzmq's that leads out of the process."""
    return hasattr(socket, "__dict__") and ends_of(socket).is_world


def goes_nowhere(socket: Any) -> bool:
    """Return True for one on replay: what work of the process sends there goes nowhere."""
    return in_replay() and is_world(socket)


def content_of(part: Any) -> Any:
    """Return what stands in a key for a part of a message, a frame or bytes of some kind."""
    try:
        content = bytes(getattr(part, "bytes", part))
    except (TypeError, ValueError):
        return type(part).__name__  # pyzmq tells the application
    return content if len(content) < _SUMMED_FROM_BYTES else checksum_of(content)


def polled(one: Any) -> Any:
    """Return what stands for a polled object in an answer: for a file its descriptor."""
    return one.fileno() if not hasattr(one, "underlying") and hasattr(one, "fileno") else one


def ready_places(asked: list[Any], ready: list[tuple[Any, int]]) -> list[list[int]]:
    """Return an answer as values: which of the polled objects, by place, is ready for what."""
    stand = [polled(one) for one in asked]
    return [[_place(stand, one), events] for one, events in ready]


def _place(stand: list[Any], found: Any) -> int:
    return next(place for place, one in enumerate(stand) if one is found or one == found)
