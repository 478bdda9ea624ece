"""gRPC: a port of a server, which a replay binds in name only.

No audit hook sees sockets that are made in C.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import call, in_replay
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["binding"]


def binding(add_port: Callable[..., int]) -> Callable[..., int]:
    """Return a server's `add_insecure_port` or `add_secure_port`, whose answer is an event."""

    @functools.wraps(add_port)
    def adding(self: Any, address: str, *credentials: Any, **named: Any) -> int:
        if in_replay():
            bind = functools.partial(_named, address)
        else:
            bind = functools.partial(add_port, self, address, *credentials, **named)
        lane = current()
        return bind() if lane is None else call(lane, "grpc.port", address, bind)

    return adding


def _named(address: str) -> int:
    """Return the port that an address names; some port where it leaves that to the system."""
    port = str(address).rpartition(":")[2]
    return int(port) if port.isdecimal() and int(port) else 1
