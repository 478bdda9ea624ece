"""Looked up: addresses of names, which the application, or a library without a boundary, asks for.

By the module `socket`, or by an event loop: asyncio's asks a thread, uvloop does not.
"""

from __future__ import annotations

import functools
import socket
import zlib
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any, Final

from retrace_core.boundary import call_async
from retrace_core.calling import called_from
from retrace_core.coverage.covering import kind_of
from retrace_core.native import REPLAY, current
from retrace_core.sockets.own_socket import note_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import FrameType

__all__ = [
    "LOOK_UP",
    "as_enums",
    "as_numbers",
    "asked_of",
    "carry_looking_up",
    "is_of_a_pool",
    "made_up",
]

LOOK_UP: Final = "socket.getaddrinfo"
"""Kind of the events."""


def asked_of(*args: Any, **kwargs: Any) -> object:
    """Return the key of an event of such a call."""
    return [args, kwargs] if kwargs else [args]


def as_numbers(found: list[Any]) -> list[Any]:
    """Return what was found with families and kinds as numbers, which the codec has."""
    return [(int(family), int(kind), *rest) for family, kind, *rest in found]


def as_enums(found: list[Any]) -> list[Any]:
    """Return it with the enumerations that `socket` has for them."""
    return [
        (socket.AddressFamily(family), socket.SocketKind(kind), *rest)
        for family, kind, *rest in found
    ]


def is_of_a_pool(lane: Any, asked: object, caller: FrameType) -> bool:
    """Return True where a library looks up, in a replay, what it did not look up when recorded.

    It had a connection from an earlier request. What it finds leads nowhere in a replay.
    """
    if lane.mode != REPLAY or lane.scope.comes(lane, LOOK_UP, asked):
        return False
    return kind_of(caller.f_code.co_filename)[0] == "library"


def made_up(
    host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
) -> list[Any]:
    """Return an address of this machine for a name, the same each time."""
    number = zlib.crc32(str(host).encode()) & 0xFFFFFF
    named = str(IPv4Address(0x7F000000 | number))
    address = str(host) if str(host)[:1].isdigit() else named
    number = int(port) if str(port).isdigit() else 0
    kind = socket.SocketKind(type or socket.SOCK_STREAM)
    return [(socket.AF_INET, kind, proto, "", (address, number))]


def carry_looking_up(original: Callable[..., Awaitable[list[Any]]]) -> Callable[..., Any]:
    """Return a `getaddrinfo` of an event loop that asks as an event."""

    @functools.wraps(original)
    async def getaddrinfo(loop: Any, host: Any, port: Any, **options: Any) -> list[Any]:
        lane = current()
        if lane is None:
            return await original(loop, host, port, **options)
        asked = asked_of(host, port, **options)
        if is_of_a_pool(lane, asked, called_from()):
            return made_up(host, port, **options)
        live = functools.partial(original, loop, host, port, **options)
        found = await call_async(lane, LOOK_UP, asked, live, as_numbers, as_enums)
        note_name(host, found)
        return found

    return getaddrinfo
