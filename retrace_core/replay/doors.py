"""Doors: sockets that a program binds before it serves; on replay nobody comes through them.

Bound they are in name only: the port may be taken on this machine, and nothing is let in. A
program that knocks at a port before (`connect_ex`), to see whether it is free, finds nobody there.
One that a supervisor had bound, and handed down by its number (systemd, circus, `--fd`), is not
there on replay: another stands for it.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
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

    made: Any = socket.socket.__init__
    from_number: Any = socket.fromfd

    def init(
        self: socket.socket,
        family: int = -1,
        type: int = -1,  # noqa: A002
        proto: int = -1,
        fileno: int | None = None,
    ) -> None:
        if fileno is None or _is_socket(fileno):
            made(self, family, type, proto, fileno)
        else:
            made(self, family, type, proto)
            bound[self] = ("127.0.0.1", _ANY_PORT + len(bound))

    def fromfd(fd: int, family: int, type: int, proto: int = 0) -> Any:  # noqa: A002
        make = from_number if _is_socket(fd) else _made_of
        return make(fd, family, type, proto)

    hooks: dict[str, Any] = {
        "bind": bind,
        "listen": listen,
        "getsockname": getsockname,
        "connect_ex": connect_ex,
    }
    inherited = [name for name in hooks if name not in vars(socket.socket)]
    for name in inherited:
        setattr(socket.socket, name, hooks[name])
    socket.socket.__init__ = init  # type: ignore[method-assign]
    hooked: Any = fromfd
    socket.fromfd = hooked
    try:
        yield
    finally:
        socket.socket.__init__ = made  # type: ignore[method-assign]
        socket.fromfd = from_number
        for name in inherited:
            delattr(socket.socket, name)


def _made_of(number: int, family: int, kind: int, proto: int) -> socket.socket:
    return socket.socket(family, kind, proto, number)


def _is_socket(number: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(number).st_mode)
    except OSError:
        return False
