"""Doors: sockets that a program binds before it serves; on replay nobody comes through them.

Bound they are in name only: the port may be taken on this machine, and nothing is let in. A
program that knocks at a port before (`connect_ex`), to see whether it is free, finds nobody there.
One that a supervisor had bound, and handed down by its number (systemd, circus, `--fd`), is not
there on replay: another stands for it. A program that begins to wait for somebody at such a door
serves, by whatever server: it would wait for ever, and is told of instead.
"""

from __future__ import annotations

import _socket
import errno
import os
import selectors
import socket
import stat
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from retrace_core.sockets.own_pair import accepted, is_for_pair, join

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["doors_in_name_only"]

_ANY_PORT = 49152
"""What a socket gets that is bound to port 0: the first that systems give out."""
_SELECTOR: Any = selectors._BaseSelectorImpl
"""All selectors that can wait for sockets are of it."""

_making: Callable[[Any], None] | None = None
"""Gets each socket as it is made, while doors are in name only."""
_listening = False


@contextmanager
def doors_in_name_only(waiting: Callable[[], None]) -> Iterator[None]:
    """Let sockets be bound, listened at, and knocked at, with no effect while the block runs.

    Args:
        waiting: called by whatever begins to wait at one of them, outside of an event loop.
    """
    global _making
    doors = _Doors(waiting)
    doors.hook(socket.socket)
    if not _listening:
        _listen()
    from_number: Any = socket.fromfd

    def fromfd(fd: int, family: int, type: int, proto: int = 0) -> Any:  # noqa: A002
        make = from_number if _is_socket(fd) else _made_of
        return make(fd, family, type, proto)

    hooked: Any = fromfd
    socket.fromfd = hooked
    register = doors.hook_selectors()
    _making = doors.hook_class_of
    try:
        yield
    finally:
        _making = None
        _SELECTOR.register = register
        socket.fromfd = from_number
        doors.unhook()


def _listen() -> None:
    """Have sockets told of as they are made; that lasts, for audit hooks can't be removed."""
    global _listening
    _listening = True

    def made(event: str, args: tuple[Any, ...]) -> None:
        if _making is not None and event == "socket.__new__":
            _making(args[0])

    sys.addaudithook(made)


class _Doors:
    """The sockets that are bound in name only, and their classes.

    There is more than one class: gevent has one of its own, and eventlet a copy of the module.
    """

    def __init__(self, waiting: Callable[[], None]) -> None:
        self._waiting = waiting
        self._bound: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
        self._hooked: list[tuple[type, dict[str, Any]]] = []

    def hook_class_of(self, made: Any) -> None:
        """Hook the class of a socket, if that has not been done."""
        kinds = [kind for kind in type(made).__mro__ if issubclass(kind, _socket.socket)]
        if len(kinds) > 1 and all(kinds[-2] is not known for known, _ in self._hooked):
            self.hook(kinds[-2])

    def hook(self, kind: type[Any]) -> None:
        """Have sockets of a class that stands on that of the interpreter be doors once bound."""
        bound, waiting = self._bound, self._waiting
        live: Any = _socket.socket
        made: Any = kind.__init__

        binder: WeakKeyDictionary[Any, int] = WeakKeyDictionary()

        def bind(self: Any, address: Any) -> None:
            if is_for_pair(self, address):
                binder[self] = threading.get_ident()
            if isinstance(address, tuple) and address[1] == 0:
                address = (address[0], _ANY_PORT + len(bound), *address[2:])
            bound[self] = address

        def listen(self: Any, *backlog: int) -> None:
            if self not in bound:
                live.listen(self, *backlog)

        def getsockname(self: Any) -> Any:
            return bound[self] if self in bound else live.getsockname(self)

        knock: Any = kind.connect

        def own_door(own_end: Any, address: Any) -> Any:
            if own_end.gettimeout() != 0:
                return None
            here = threading.get_ident()
            own = (door for door, thread in binder.items() if thread == here)
            return next((door for door in own if bound[door] == address), None)

        def connect(self: Any, address: Any) -> None:
            door = own_door(self, address)
            if door is None:
                knock(self, address)
            else:
                number = join(self, door)
                raise BlockingIOError(number, os.strerror(number))

        def connect_ex(self: Any, address: Any) -> int:
            door = own_door(self, address)
            if door is None:
                return errno.ECONNREFUSED
            return join(self, door)

        def accept(self: Any) -> Any:
            _, end = accepted(self)
            if end is not None:
                return end.detach(), ("127.0.0.1", 0)
            if self in bound:
                waiting()
            return live._accept(self)

        def init(
            self: Any,
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

        hooks: dict[str, Any] = {
            "bind": bind,
            "listen": listen,
            "getsockname": getsockname,
            "connect": connect,
            "connect_ex": connect_ex,
            "_accept": accept,
        }
        if kind is socket.socket:
            hooks["__init__"] = init
        before = {name: vars(kind).get(name) for name in hooks}
        for name, hook in hooks.items():
            setattr(kind, name, hook)
        self._hooked.append((kind, before))

    def hook_selectors(self) -> Any:
        """Have it told of who waits at a door by a selector; return the method that was hooked."""
        register = _SELECTOR.register

        def registering(selector: Any, fileobj: Any, *args: Any, **kwargs: Any) -> Any:
            if self._is_door(fileobj) and not _in_event_loop():
                self._waiting()
            return register(selector, fileobj, *args, **kwargs)

        _SELECTOR.register = registering
        return register

    def _is_door(self, file: Any) -> bool:
        number = file if isinstance(file, int) else file.fileno()
        return any(door.fileno() == number for door in self._bound)

    def unhook(self) -> None:
        """Leave each class as it was."""
        for kind, before in self._hooked:
            for name, one in before.items():
                if one is None:
                    delattr(kind, name)
                else:
                    setattr(kind, name, one)


def _in_event_loop() -> bool:
    module = sys.modules.get("asyncio.events")
    return module is not None and module._get_running_loop() is not None


def _made_of(number: int, family: int, kind: int, proto: int) -> socket.socket:
    return socket.socket(family, kind, proto, number)


def _is_socket(number: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(number).st_mode)
    except OSError:
        return False
