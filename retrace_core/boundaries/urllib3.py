"""urllib3, and so requests and botocore: its connections override what http.client's do.

Hooks: `connect` of urllib3's own `HTTPConnection` and `HTTPSConnection`, which do not call
http.client's, and `is_connected`, which polls the socket. The exchange itself is recorded
below, at http.client. Read in urllib3 2.8.
"""

from __future__ import annotations

import functools
from http import client
from typing import TYPE_CHECKING, Any

from urllib3 import connection

from retrace_core.boundary import Boundary, Patch, attempt, in_replay
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable


def _hooked_connect(connect: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(connect)
    def connecting(self: Any) -> None:
        lane = current()
        if lane is None:
            if in_replay():
                _stub(self)
                return None
            return connect(self)
        key = f"{self.host}:{self.port}"
        return attempt(lane, "http.connect", key, lambda: connect(self), lambda: _stub(self))

    return connecting


def _stub(self: Any) -> None:
    # http.client's own connect is hooked as well, and leaves a stub on replay.
    client.HTTPConnection.connect(self)
    self.is_verified = True
    self.proxy_is_verified = True if self.proxy else None


def _is_connected(original: property) -> property:
    def is_connected(self: Any) -> bool:
        if self.sock is not None and self.sock.fileno() == -1 and in_replay():
            return True
        assert original.fget is not None
        return bool(original.fget(self))

    return property(is_connected)


BOUNDARY = Boundary(
    kind="http",
    supports="urllib3>=2",
    hooks=(
        Patch(connection.HTTPConnection, "connect", _hooked_connect),
        Patch(connection.HTTPSConnection, "connect", _hooked_connect),
        Patch(connection.HTTPConnection, "is_connected", _is_connected),
    ),
    errors=("urllib3.exceptions",),
)
