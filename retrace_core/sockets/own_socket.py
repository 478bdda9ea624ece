"""Own socket: one that no boundary stands above, so that what goes over it is recorded itself.

`socket` and `ssl` give it to who connects it: the application, or a client library without a
boundary. It is a common socket of another class. On replay its descriptor is that of a pipe
whose other end is closed: whoever waits for it with `select` may go on at once.
"""

from __future__ import annotations

import itertools
import os
import socket
import ssl
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast
from weakref import WeakKeyDictionary, WeakSet, WeakValueDictionary

from retrace_core.boundary import attempt, call, in_replay, mask
from retrace_core.coverage.coverage_watch import address_text, seen
from retrace_core.native import REPLAY, current
from retrace_core.sockets.heard_by_several import call_for_all
from retrace_core.sockets.own_connecting import connect_error, is_over, tcp_info
from retrace_core.sockets.own_pair import accepted as accepted_of
from retrace_core.sockets.own_pair import note_name as note_name_of
from retrace_core.sockets.sent_key import asks_for_secret, sent_key

if TYPE_CHECKING:
    from collections.abc import Callable

    _Below = socket.socket
else:
    _Below = object  # a class of sockets twice among its bases would have another layout

__all__ = [
    "OwnSocket",
    "OwnTlsSocket",
    "adopt",
    "age_of",
    "is_asked",
    "note_asked",
    "note_name",
    "on_use",
    "own_at",
    "peer_at",
    "peer_of",
    "put_into",
    "silence",
]

T = TypeVar("T")

_SEND, _RECEIVE, _STATE = "socket.send", "socket.receive", "socket.state"
_MOST_NAMES = 4096
_NO_ADDRESS: dict[int, Any] = {socket.AF_UNIX: "", socket.AF_INET6: ("::1", 0, 0, 0)}

_names: dict[tuple[str, int], str] = {}
"""Address -> the name by which it was looked up last, so that a recording is not about numbers."""
_peers: WeakKeyDictionary[socket.socket, str] = WeakKeyDictionary()
_asked: WeakSet[socket.socket] = WeakSet()
"""Those whose other end has asked for a part of a login."""
_silent: WeakSet[socket.socket] = WeakSet()
_by_descriptor: WeakValueDictionary[int, socket.socket] = WeakValueDictionary()
_ages: WeakKeyDictionary[socket.socket, int] = WeakKeyDictionary()
_serial = itertools.count()
_users: list[Callable[[Any, Any], object]] = []
_movers: list[Callable[[Any, Any], object]] = []
_told: WeakKeyDictionary[socket.socket, bytes] = WeakKeyDictionary()
"""What was sent last over a socket of datagrams: whether it arrives nobody knows, so that it is
no event, but part of what is asked when an answer is waited for."""


def adopt(own: socket.socket, peer: str, *, instead_of: socket.socket | None = None) -> None:
    """Make a socket that was connected, or sends its first datagram, one of these.

    Args:
        own: of the very class `socket.socket` or `ssl.SSLSocket`.
        peer: the address of its other end, in words.
        instead_of: the object that stood for it before there was TLS on it.
    """
    _peers[own] = peer
    if instead_of is not None:
        for move in _movers:
            move(instead_of, own)
    _by_descriptor[own.fileno()] = own
    _ages.setdefault(own, next(_serial))
    if isinstance(own, _Operations):
        return
    cls = OwnTlsSocket if isinstance(own, ssl.SSLSocket) else OwnSocket
    cast("Any", own).__class__ = cls
    if _is_replaying():
        ours, theirs = socket.socketpair()
        with ours, theirs:
            os.dup2(ours.fileno(), own.fileno(), inheritable=False)


def own_at(place: Any) -> Any:
    """Return the own socket of a descriptor, or of what has one; None where it is of none."""
    if not _by_descriptor:
        return None
    if isinstance(place, _Operations):
        return place
    try:
        number = place if isinstance(place, int) else place.fileno()
    except (AttributeError, OSError, TypeError, ValueError):
        return None
    own = _by_descriptor.get(number)
    return own if own is not None and own.fileno() == number else None


def age_of(own: socket.socket) -> int:
    """Return a number by which those of one peer are told apart: the first has the lowest."""
    return _ages.get(own, 0)


def on_use(use: Callable[[Any, Any], object], move: Callable[[Any, Any], object]) -> None:
    """Be told of what becomes of such sockets.

    Args:
        use: is told of each sending, with the lane, None where nobody records.
        move: is told the object that stood for one, and the one that does from now on.
    """
    _users.append(use)
    _movers.append(move)


def note_name(host: object, found: list[Any]) -> None:
    """Take note of the addresses that a look-up of a host gave."""
    if len(_names) > _MOST_NAMES:
        _names.clear()
    for *_, address in found:
        if isinstance(address[0], str):
            _names[address[:2]] = address_text((host, address[1]))


def peer_at(address: Any) -> str:
    """Return the other end in words: by its name, where it was looked up."""
    known = _names.get(address[:2]) if isinstance(address, tuple) else None
    return known or address_text(address)


def silence(own: socket.socket) -> None:
    """Make a logger's socket one which, in a replay, sends to nobody and never fails."""
    adopt(own, "nobody")
    _silent.add(own)


def peer_of(own: socket.socket) -> str:
    """Return the address of its other end, in words."""
    return _peers.get(own, "a connected socket")


def _is_replaying() -> bool:
    return current() is not None and in_replay()


def _ask(own: Any, kind: str, more: tuple[object, ...], live: Callable[[], T]) -> T:
    lane = current()
    if lane is None:
        return live()  # in a replay a debugger's; what the replay opened leads nowhere
    is_over(own)
    return call_for_all(lane, kind, [peer_of(own), *more], live)


def _address(own: Any, which: str, live: Callable[[], Any]) -> Any:
    """Return the address of an end: none in particular where the recorded request asked for none.

    It had a connection from an earlier request, and a replay makes one, of which it is asked.
    """
    lane: Any = current()
    if lane is not None and lane.mode == REPLAY:
        if not lane.scope.comes(lane, _STATE, [peer_of(own), which]):
            return _NO_ADDRESS.get(own.family, ("127.0.0.1", 0))
    return _ask(own, _STATE, (which,), live)


def _send(own: Any, data: Any, live: Callable[[], T], to: object = None) -> T:
    lane = current()
    if own in _silent:
        return cast("T", len(data))
    for use in _users:
        use(own, lane)
    if lane is None:
        return live()
    sent = bytes(data)
    if to is not None:
        _peers[own] = peer_at(to)
    if own.type == socket.SOCK_DGRAM:
        _told[own] = sent
        return attempt(lane, _SEND, [peer_of(own)], live, lambda: cast("T", len(sent)))
    return _ask(own, _SEND, (sent_key(sent, secret=own in _asked),), live)


def _receive(own: Any, live: Callable[[], T], *more: object) -> T:
    received = _ask(own, _RECEIVE, (_told.get(own), *more), live)
    if current() is not None:
        note_asked(own, received)
    return received


def note_asked(own: socket.socket, received: object) -> None:
    """Take note of whether its other end asks for a part of a login."""
    (_asked.add if asks_for_secret(received) else _asked.discard)(own)


def is_asked(own: socket.socket) -> bool:
    """Return True where its other end has asked for a part of a login."""
    return own in _asked


def put_into(data: bytes, buffer: Any) -> int:
    """Put bytes into a buffer; return how many."""
    view = memoryview(buffer).cast("B")
    view[: len(data)] = data
    return len(data)


class _Operations(_Below):
    """Each sending and receiving is an event; the rest is as it was."""

    __slots__ = ()

    def send(self, data: Any, flags: int = 0) -> int:
        """Send some of it; return how many bytes were taken."""
        return _send(self, data, lambda: super(_Operations, self).send(data, flags))

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send all of it."""
        return _send(self, data, lambda: super(_Operations, self).sendall(data, flags))

    def sendto(self, data: Any, *rest: Any) -> int:
        """Send it to an address, which comes last."""
        return _send(self, data, lambda: super(_Operations, self).sendto(data, *rest), rest[-1])

    def sendmsg(self, buffers: Any, *rest: Any) -> int:
        """Send several pieces, to an address if there is one."""
        pieces = [bytes(piece) for piece in buffers]
        to = rest[2] if len(rest) > 2 else None
        live = super().sendmsg
        return _send(self, b"".join(pieces), lambda: live(pieces, *rest), to)

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """Send a file in pieces."""
        return int(cast("Any", self)._sendfile_use_send(file, offset, count))

    def recv(self, bufsize: int = 1024, flags: int = 0) -> bytes:
        """Return some bytes, none at the end."""
        return _receive(self, lambda: super(_Operations, self).recv(bufsize, flags), bufsize)

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """Put some bytes into a buffer; return how many."""
        if current() is None:
            return int(super().recv_into(buffer, nbytes, flags))
        size = nbytes or len(memoryview(buffer).cast("B"))
        return put_into(self.recv(size, flags), buffer)

    def recvfrom(self, bufsize: int = 1024, flags: int = 0) -> tuple[bytes, Any]:
        """Return some bytes and where they are from."""
        return _receive(self, lambda: super(_Operations, self).recvfrom(bufsize, flags), bufsize)

    def recvfrom_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> tuple[int, Any]:
        """Put some bytes into a buffer; return how many, and where they are from."""
        size = nbytes or len(memoryview(buffer).cast("B"))
        data, source = self.recvfrom(size, flags)
        return put_into(data, buffer), source

    def recvmsg(self, bufsize: int, *rest: Any) -> tuple[Any, ...]:
        """Return some bytes, what came beside them, flags and where they are from."""
        return _receive(self, lambda: super(_Operations, self).recvmsg(bufsize, *rest), bufsize)

    def getpeername(self) -> Any:
        """Return the address of the other end."""
        return _address(self, "peer", super().getpeername)

    def getsockname(self) -> Any:
        """Return the address of this end."""
        name = _address(self, "name", super().getsockname)
        if _is_replaying():
            note_name_of(self, name)
        return name

    def setsockopt(self, *args: Any) -> None:
        """Set an option; on replay there is nothing that it could mean."""
        if not _is_replaying():
            super().setsockopt(*args)

    def getsockopt(self, level: int, *option: int) -> Any:
        """Return an option; on replay TCP's are as if nobody had set them."""
        live, lane = super().getsockopt, current()
        if level == socket.IPPROTO_TCP and lane is not None:
            if len(option) > 1 and option[0] == getattr(socket, "TCP_INFO", None):
                return tcp_info(lane, peer_of(self), option[1], partial(live, level, *option))
            if in_replay():
                return bytes(option[1]) if len(option) > 1 else 0
        if lane is None or (level, *option) != (socket.SOL_SOCKET, socket.SO_ERROR):
            return live(level, *option)
        return connect_error(lane, peer_of(self), lambda: live(level, *option))

    def listen(self, *backlog: int) -> None:
        """Accept connections; on replay nobody connects."""
        if not _is_replaying():
            super().listen(*backlog)

    def accept(self) -> tuple[socket.socket, Any]:
        """Return a connection that another end made, and where it is from."""

        def made(address: Any) -> tuple[socket.socket, Any]:
            return socket.socket(self.family, self.type, self.proto), address

        lane, live = current(), super().accept
        is_ours, end = accepted_of(self)
        if end is not None:
            return end, ("127.0.0.1", 0)
        if is_ours or lane is None:
            with mask():
                return live()
        key = [peer_of(self)]
        accepted, address = call(lane, "socket.accept", key, live, lambda both: both[1], made)
        accepted.settimeout(socket.getdefaulttimeout())
        adopt(accepted, "a client")
        return accepted, address

    def detach(self) -> int:
        """Give the descriptor away: what goes over it then is seen by nobody."""
        lane = current()
        if lane is not None:
            seen(lane, "socket.connect", (self, peer_of(self)))
        return int(super().detach())

    def shutdown(self, how: int) -> None:
        """Say that no more is sent or received."""
        lane, live = current(), super().shutdown
        if lane is not None:
            attempt(lane, "socket.shutdown", peer_of(self), lambda: live(how))
        else:
            live(how)


class OwnSocket(_Operations, socket.socket):
    """One without TLS."""

    __slots__ = ()


class OwnTlsSocket(_Operations, ssl.SSLSocket):  # type: ignore[misc]
    """One with TLS: recorded is what goes over it in clear."""

    def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002  # its name there
        """Return some bytes, or put them into a buffer and return how many."""
        if buffer is not None:
            return put_into(self.read(len), buffer)
        return _receive(self, lambda: ssl.SSLSocket.read(self, len), len)

    def write(self, data: Any) -> int:
        """Send some of it; return how many bytes were taken."""
        return _send(self, data, lambda: ssl.SSLSocket.write(self, data))

    def getpeercert(self, binary_form: bool = False) -> Any:
        """Return the certificate of the other end."""
        live = super().getpeercert
        return _ask(self, _STATE, ("certificate", binary_form), lambda: live(binary_form))

    def cipher(self) -> Any:
        """Return the cipher that was agreed on."""
        return _ask(self, _STATE, ("cipher",), super().cipher)

    def version(self) -> str | None:
        """Return the version of TLS that was agreed on."""
        return _ask(self, _STATE, ("version",), super().version)

    def selected_alpn_protocol(self) -> str | None:
        """Return the protocol that was agreed on."""
        return _ask(self, _STATE, ("alpn",), super().selected_alpn_protocol)

    def do_handshake(self, block: bool = False) -> None:
        """Agree on keys; it is an event only when it fails."""
        lane, live = current(), super().do_handshake
        if lane is not None:
            attempt(lane, "socket.tls", peer_of(self), lambda: live(block))
        else:
            live(block)

    def unwrap(self) -> socket.socket:
        """End TLS, and return the socket below."""
        return self if _is_replaying() else super().unwrap()
