"""`ssl`: what goes over an own socket with TLS is recorded in clear; the handshake is no event.

Hooks: `SSLContext.wrap_socket`, where the socket was connected before, and `SSLSocket.connect`,
where it is connected after. A handshake that fails is an event. And `SSLContext.wrap_bio`, for who
does TLS by itself (`own_tls_object`): there a handshake is an event, for it is sent by other means.
"""

from __future__ import annotations

import functools
import ssl
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, attempt, mask
from retrace_core.calling import called_from, package_of
from retrace_core.coverage.covering import is_anothers
from retrace_core.native import current
from retrace_core.sockets.own_socket import OwnSocket, OwnTlsSocket, adopt, peer_at, peer_of
from retrace_core.sockets.own_tls_object import adopt_tls_object

if TYPE_CHECKING:
    from collections.abc import Callable

_TLS = "socket.tls"
_LOOPS = ("asyncio", "uvloop", "trio", "curio")
_ARGUMENTS = (
    "server_side do_handshake_on_connect suppress_ragged_eofs server_hostname session".split()
)


def _wrap_socket(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def wrap_socket(self: Any, sock: Any, *args: Any, **options: Any) -> Any:
        given = {**dict(zip(_ARGUMENTS, args, strict=False)), **options}
        if type(sock) is not OwnSocket or given.get("server_side"):
            return original(self, sock, *args, **options)
        lane, peer = current(), peer_of(sock)

        def stub() -> Any:
            with mask():
                return original(self, sock, **{**given, "do_handshake_on_connect": False})

        live = functools.partial(original, self, sock, **given)
        if lane is None:
            made = live()
        elif not given.get("do_handshake_on_connect", True):
            made = stub()  # the handshake comes later, and may fail then
        else:
            made = attempt(lane, _TLS, peer, live, stub)
        if type(made) is ssl.SSLSocket:
            adopt(made, peer, instead_of=sock)
        return made

    return wrap_socket


def _connect(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def connect(self: Any, addr: Any) -> None:
        lane = current()
        if lane is None or type(self) not in (ssl.SSLSocket, OwnTlsSocket):
            return original(self, addr)
        if self.gettimeout() == 0 or is_anothers(called_from(), in_lane=True):
            return original(self, addr)
        peer = peer_at(addr)
        attempt(lane, _TLS, peer, functools.partial(original, self, addr))
        return adopt(self, peer)

    return connect


def _wrap_bio(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def wrap_bio(self: Any, incoming: Any, outgoing: Any, *args: Any, **options: Any) -> Any:
        made = original(self, incoming, outgoing, *args, **options)
        caller = called_from()
        if package_of(caller) not in _LOOPS and not is_anothers(
            caller, in_lane=current() is not None
        ):
            adopt_tls_object(made, incoming, outgoing)
        return made

    return wrap_bio


BOUNDARY = Boundary(
    kind="ssl",
    supports="cpython>=3.11,<3.14",
    hooks=(
        Patch(ssl.SSLContext, "wrap_socket", _wrap_socket),
        Patch(ssl.SSLContext, "wrap_bio", _wrap_bio),
        Patch(ssl.SSLSocket, "connect", _connect),
    ),
    errors=("ssl",),
)
