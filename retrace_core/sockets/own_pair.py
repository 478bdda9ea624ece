"""Own pair: two sockets of one process, connected through a listener of its own on loopback.

That is what there is where `socket.socketpair` is not, and libraries do so to wake a thread of
theirs (paho-mqtt). It reaches nobody: it is neither recorded, nor refused on replay. One thread
does it all; a listener that other threads connect to is a server. So may be one to which a socket
connects that blocks, unless it is the same function that does both (pika's).
"""

from __future__ import annotations

import _socket
import errno
import os
import socket
import threading
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary, WeakSet

if TYPE_CHECKING:
    from types import CodeType

__all__ = [
    "accepted",
    "expect",
    "is_end",
    "is_for_pair",
    "join",
    "listener_at",
    "note_bound",
    "note_name",
]

_LOOPBACK: Final = ("127.0.0.1", "::1")
_KINDS: Final = (socket.AF_INET, socket.AF_INET6)

_bound: WeakKeyDictionary[Any, tuple[int, CodeType]] = WeakKeyDictionary()
"""Socket -> the thread that bound it, and the function."""
_names: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
"""Of a socket that a replay has bound in name only, what it is told of where."""
_waiting: WeakKeyDictionary[Any, list[socket.socket | None]] = WeakKeyDictionary()
"""Listener -> the other ends of its pairs; None where the system has them."""


_ends: WeakSet[Any] = WeakSet()
"""Of the pairs, the ends that were connected."""


def note_bound(listener: Any, address: Any, code: CodeType) -> None:
    """Take note of a socket that was bound, where it may become a listener for a pair.

    Args:
        listener: the socket.
        address: to which it was bound.
        code: the function that has bound it.
    """
    if is_for_pair(listener, address):
        _bound[listener] = threading.get_ident(), code


def is_for_pair(listener: Any, address: Any) -> bool:
    """Return True for a stream's socket that is bound to any port of loopback."""
    is_any = isinstance(address, tuple) and address[0] in _LOOPBACK and address[1] == 0
    return is_any and listener.family in _KINDS and listener.type == socket.SOCK_STREAM


def note_name(listener: Any, name: Any) -> None:
    """Take note of what a replay says of where a socket is bound."""
    if listener in _bound:
        _names[listener] = name


def listener_at(own: Any, address: Any, code: CodeType | None = None) -> Any:
    """Return the socket to which another is now connected as a pair, or None.

    Args:
        own: which is connected.
        address: where to.
        code: the function that connects it, None where that was asked before.
    """
    if not _bound or not isinstance(address, tuple) or address[0] not in _LOOPBACK:
        return None
    here, waits = threading.get_ident(), own.gettimeout() != 0
    for listener, (thread, bound) in list(_bound.items()):
        if thread != here or (waits and bound is not code and own not in _ends):
            continue
        if _name_of(listener)[:2] == address[:2]:
            return listener
    return None


def _name_of(listener: Any) -> Any:
    if listener.fileno() < 0:
        return ()  # it is closed
    try:
        return _names.get(listener) or _socket.socket.getsockname(listener)
    except OSError:
        return ()  # it is closed


def expect(own: Any, listener: Any) -> None:
    """Take note that a listener's next connection is that of a socket of this process."""
    _ends.add(own)
    if type(listener) is not socket.socket:  # one of which each connection would be recorded
        _waiting.setdefault(listener, []).append(None)


def is_end(own: Any, peer: Any) -> bool:
    """Return True for an end of a pair.

    Args:
        own: a connected socket.
        peer: the address of its other end.
    """
    return own in _ends or (bool(_ends) and any(_name_of(end) == peer for end in list(_ends)))


def join(own: Any, listener: Any) -> int:
    """Connect a socket to a listener that is bound in name only; return what the system would."""
    ours, theirs = socket.socketpair()
    with ours:
        os.dup2(ours.fileno(), own.fileno(), inheritable=False)
    os.set_blocking(own.fileno(), own.gettimeout() is None)
    _waiting.setdefault(listener, []).append(theirs)
    return errno.EINPROGRESS if own.gettimeout() == 0 else 0


def accepted(listener: Any) -> tuple[bool, socket.socket | None]:
    """Return whether its next connection is from this process, and the end, if we have it."""
    waiting = _waiting.get(listener)
    return (True, waiting.pop(0)) if waiting else (False, None)
