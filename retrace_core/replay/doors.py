"""Doors: sockets that a program binds before it serves; on replay nobody comes through them.

Bound they are in name only: the port may be taken on this machine, and nothing is let in. A
program that knocks at a port before (`connect_ex`), to see whether it is free, finds nobody there.
"""

from __future__ import annotations

import errno
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["doors_in_name_only"]

_ANY_PORT = 49152
"""What a socket gets that is bound to port 0: the first that systems give out."""


@contextmanager
def doors_in_name_only() -> Iterator[None]:
    """Let sockets be bound, listened at, and knocked at, with no effect while the block runs."""
    bound: WeakKeyDictionary[socket.socket, Any] = WeakKeyDictionary()
    live: Any = socket.socket.listen, socket.socket.getsockname

    def bind(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[1] == 0:
            address = (address[0], _ANY_PORT + len(bound), *address[2:])
        bound[self] = address

    def listen(self: socket.socket, *backlog: int) -> None:
        if self not in bound:
            live[0](self, *backlog)

    def getsockname(self: socket.socket) -> Any:
        return bound[self] if self in bound else live[1](self)

    def connect_ex(_: socket.socket, __: Any) -> int:
        return errno.ECONNREFUSED

    hooks: dict[str, Any] = {
        "bind": bind,
        "listen": listen,
        "getsockname": getsockname,
        "connect_ex": connect_ex,
    }
    inherited = [name for name in hooks if name not in vars(socket.socket)]
    for name in inherited:
        setattr(socket.socket, name, hooks[name])
    try:
        yield
    finally:
        for name in inherited:
            delattr(socket.socket, name)
