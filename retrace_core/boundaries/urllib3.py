"""urllib3, and so requests and botocore: its connections override what http.client's do.

Hooks: `connect` of urllib3's own `HTTPConnection` and `HTTPSConnection`, which do not call
http.client's, and `is_connected`, which polls the socket, as `is_connection_dropped` does in
urllib3 1. The exchange itself is recorded below, at http.client. Read in urllib3 2.8 and 1.26.

urllib3-future, which niquests puts in its place, speaks HTTP itself and not by http.client: none of
this is for it, its sockets are own ones (`own_socket`). Read in urllib3-future 2.25.
"""

from __future__ import annotations

import functools
from http import client
from typing import TYPE_CHECKING, Any

import urllib3
from urllib3 import connection, connectionpool

from retrace_core.boundary import Boundary, Patch, in_replay
from retrace_core.http_clients.http_exchange import connecting

if TYPE_CHECKING:
    from collections.abc import Callable


def _stub(self: Any) -> None:
    # http.client's own connect is hooked as well, and leaves a stub on replay.
    client.HTTPConnection.connect(self)
    self.is_verified = True
    self.proxy_is_verified = True if getattr(self, "proxy", None) else None


def _is_connected(original: property) -> property:
    def is_connected(self: Any) -> bool:
        if _has_stub(self):
            return True
        assert original.fget is not None
        return bool(original.fget(self))

    return property(is_connected)


def _is_dropped(original: Callable[..., bool]) -> Callable[..., bool]:
    @functools.wraps(original)
    def is_dropped(self: Any) -> bool:
        return not _has_stub(self) and original(self)

    return is_dropped


def _has_stub(self: Any) -> bool:
    return self.sock is not None and self.sock.fileno() == -1 and in_replay()


_POLLS = (
    Patch(connection.HTTPConnection, "is_connected", _is_connected)
    if hasattr(connection.HTTPConnection, "is_connected")
    else Patch(connectionpool, "is_connection_dropped", _is_dropped)
)


_OTHERS = hasattr(urllib3, "ConnectionInfo")
"""True for urllib3-future."""

BOUNDARY = (
    None
    if _OTHERS
    else Boundary(
        kind="http",
        supports="urllib3>=1.26",
        hooks=(
            Patch(connection.HTTPConnection, "connect", connecting(_stub)),
            Patch(connection.HTTPSConnection, "connect", connecting(_stub)),
            _POLLS,
        ),
        errors=("urllib3.exceptions",),
    )
)
