"""`socket`: names that the application itself looks up, and connections of its own.

A mail's Message-ID has the machine's full name in it, a guard against forged requests asks
where a URL leads. What goes over a socket is recorded where no boundary stands above it: that of
a client library without one, or of the application itself. Whoever has a boundary looks up and
connects within it, unseen here; what an event loop drives is not for a request's lane.

Hooks: `getaddrinfo`, `gethostbyname`, `gethostbyname_ex`, `gethostbyaddr` and `getnameinfo` of
the module `socket`, which `socket.getfqdn`, asyncio and most others call by that name;
`create_connection`, and `connect`, `connect_ex`, `sendto` and `bind` of `socket.socket`, at which a
socket becomes an own one. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import errno
import functools
import os
import socket
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Hook, Patch, attempt, call, in_replay, mask
from retrace_core.calling import called_from, package_of
from retrace_core.coverage.coverage_watch import address_text
from retrace_core.coverage.covering import is_anothers, is_exempt
from retrace_core.native import current
from retrace_core.sockets.looked_up import (
    LOOK_UP,
    as_enums,
    as_numbers,
    asked_of,
    is_of_a_pool,
    made_up,
)
from retrace_core.sockets.own_connecting import begin, begin_ex
from retrace_core.sockets.own_pair import expect, join, listener_at, note_bound
from retrace_core.sockets.own_socket import OwnSocket, adopt, note_name, peer_at, silence

if TYPE_CHECKING:
    from collections.abc import Callable

_FAMILIES = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)
_KINDS = (socket.SOCK_STREAM, socket.SOCK_DGRAM)
_LOOPS = ("asyncio", "uvloop", "trio", "curio", "anyio", "gevent")
_NAMES = ("gethostbyname", "gethostbyname_ex", "gethostbyaddr", "getnameinfo")


def _getaddrinfo(original: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    @functools.wraps(original)
    def getaddrinfo(host: Any, port: Any, *args: Any, **options: Any) -> list[Any]:
        lane = current()
        live = functools.partial(original, host, port, *args, **options)
        if lane is None:
            found = live()
        else:
            asked = asked_of(host, port, *args, **options)
            if is_of_a_pool(lane, asked, called_from()):
                found = made_up(host, port, *args, **options)
            else:
                found = call(lane, LOOK_UP, asked, live, as_numbers, as_enums)
        note_name(host, found)
        return found

    return getaddrinfo


def _silenced(made: Any) -> bool:
    """Return True for a logger's socket in a replay, which is silent from now on."""
    if not in_replay() or type(made) is not socket.socket or not is_exempt(called_from(2)):
        return False
    silence(made)
    return True


def _is_own(made: Any, *, connects: bool = False) -> bool:
    """Return True for a socket of the application's, or of a library without a boundary."""
    if type(made) is OwnSocket:
        return True
    if type(made) is not socket.socket or made.family not in _FAMILIES:
        return False
    if made.type not in _KINDS:
        return False
    caller = called_from(2)
    return package_of(caller) not in _LOOPS and not is_anothers(
        caller, in_lane=current() is not None, connects=connects
    )


def _is_blocking(own: Any) -> bool:
    return bool(own.type != socket.SOCK_STREAM or own.gettimeout() != 0)


def _create_connection(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def create_connection(address: Any, *args: Any, **options: Any) -> Any:
        def stub() -> socket.socket:
            made = socket.socket()
            timeout = args[0] if args else options.get("timeout", socket.getdefaulttimeout())
            made.settimeout(timeout if isinstance(timeout, int | float) else None)
            return made

        lane = current()
        if in_replay() and is_exempt(called_from()):
            made = stub()
            silence(made)
            return made
        if is_anothers(called_from(), in_lane=lane is not None):
            return original(address, *args, **options)

        peer = address_text(address)
        live = functools.partial(original, address, *args, **options)
        made = live() if lane is None else attempt(lane, "socket.connect", peer, live, stub)
        if type(made) is socket.socket:
            adopt(made, peer)
        return made

    return create_connection


def _pair(own: Any, listener: Any, live: Callable[[], Any]) -> Any:
    """Connect a socket to a listener of this process: nothing of the world."""
    if in_replay() and type(listener) is OwnSocket:
        return join(own, listener)
    expect(own, listener)
    with mask():
        return live()


def _connect(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def connect(self: Any, address: Any) -> None:
        if _silenced(self):
            return None
        if (listener := listener_at(self, address, called_from().f_code)) is not None:
            if failed := _pair(self, listener, lambda: original(self, address)):
                raise BlockingIOError(failed, os.strerror(failed))
            return None
        if not _is_own(self, connects=True):
            return original(self, address)
        lane, peer = current(), peer_at(address)
        live = functools.partial(original, self, address)
        if _is_blocking(self):
            if lane is None:
                live()
            else:
                attempt(lane, "socket.connect", peer, live)
            return adopt(self, peer)
        goes_on = begin(self, peer, live)
        adopt(self, peer)
        if goes_on:
            raise BlockingIOError(goes_on, os.strerror(goes_on))
        return None

    return connect


def _connect_ex(original: Callable[..., int]) -> Callable[..., int]:
    @functools.wraps(original)
    def connect_ex(self: Any, address: Any) -> int:
        if (listener := listener_at(self, address, called_from().f_code)) is not None:
            return int(_pair(self, listener, lambda: original(self, address)))
        lane, is_blocking = current(), _is_blocking(self)
        if (lane is None and is_blocking) or not _is_own(self, connects=True):
            return original(self, address)
        peer = peer_at(address)
        if lane is None or not is_blocking:
            goes_on = begin_ex(self, peer, lambda: original(self, address))
            if goes_on in (0, errno.EINPROGRESS):
                adopt(self, peer)
            return goes_on

        def live() -> int:
            # On replay only the start-up comes here, where its process is not on the tape: a
            # program that started the recorded one knocks at the port that this shall serve.
            return errno.ECONNREFUSED if in_replay() else original(self, address)

        failed = call(lane, "socket.connect_ex", peer, live)
        if not failed:
            adopt(self, peer)
        return failed

    return connect_ex


def _bind(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def bind(self: Any, address: Any) -> None:
        lane = current()
        # One that the start-up binds is the process's, and is bound in name only on replay.
        if lane is None or hasattr(getattr(lane, "scope", None), "label") or not _is_own(self):
            original(self, address)
            return note_bound(self, address, called_from().f_code)
        attempt(lane, "socket.bind", address_text(address), lambda: original(self, address))
        note_bound(self, address, called_from().f_code)
        return adopt(self, "a bound socket")

    return bind


def _sendto(original: Callable[..., int]) -> Callable[..., int]:
    @functools.wraps(original)
    def sendto(self: Any, data: Any, *rest: Any) -> int:
        if type(self) is not socket.socket or current() is None or not rest:
            return original(self, data, *rest)
        if _silenced(self):
            return len(data)
        if _is_own(self):
            adopt(self, peer_at(rest[-1]))
            return self.sendto(data, *rest)
        return original(self, data, *rest)

    return sendto


BOUNDARY = Boundary(
    kind="socket",
    supports="cpython>=3.11,<3.14",
    hooks=(
        Patch(socket, "getaddrinfo", _getaddrinfo),
        *(Hook(owner=socket, name=name, key=asked_of) for name in _NAMES),
        Patch(socket, "create_connection", _create_connection),
        Patch(socket.socket, "connect", _connect),
        Patch(socket.socket, "connect_ex", _connect_ex),
        Patch(socket.socket, "sendto", _sendto),
        Patch(socket.socket, "bind", _bind),
    ),
    errors=(socket.gaierror, socket.herror, UnicodeError),
)
