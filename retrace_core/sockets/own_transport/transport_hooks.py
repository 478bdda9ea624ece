"""Transport hooks: what is written to a transport, and who its protocol is."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Patch
from retrace_core.lane_hook import lane_hook
from retrace_core.lanes import Lane
from retrace_core.native import current
from retrace_core.sockets.own_transport.told_protocol import connection_behind, told_protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_core.sockets.own_transport.connection import Connection

__all__ = ["connection_of", "transport_hooks"]

_asked_before: dict[type, Callable[[Any], Any]] = {}
"""Class of transports -> its own `get_protocol`."""
_TLS = ("asyncio.sslproto", "uvloop.loop")


def transport_hooks(cls: type, *writes: str, base: type | None = None) -> tuple[Patch, ...]:
    """Return the hooks of a class of transports.

    Args:
        cls: the class that writes.
        writes: its methods that write.
        base: the class that knows the protocol, where it is another.
    """
    knows: Any = base or cls
    ask = _asked_before.setdefault(knows, knows.get_protocol)
    hooks = [Patch(cls, name, functools.partial(_writing, ask)) for name in writes]
    if base is None:
        hooks += [Patch(cls, name, functools.partial(_closing, ask)) for name in ("close", "abort")]
        hooks.append(Patch(cls, "get_protocol", _getting))
        hooks.append(Patch(cls, "set_protocol", functools.partial(_setting, ask)))
    return tuple(hooks)


def connection_of(transport: Any) -> Connection | None:
    """Return the connection of a transport that has an application's protocol, else None."""
    for cls, ask in _asked_before.items():
        if isinstance(transport, cls):
            return _behind(ask, transport)
    return None


def _behind(ask: Callable[[Any], Any], transport: Any) -> Connection | None:
    try:
        return connection_behind(ask(transport))
    except AttributeError:  # it has none yet, or is over
        return None


def _getting(ask: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @functools.wraps(ask)
    def get_protocol(self: Any) -> Any:
        protocol = ask(self)
        connection = connection_behind(protocol)
        return protocol if connection is None else connection.inner

    return get_protocol


def _setting(
    ask: Callable[[Any], Any], set_: Callable[[Any, Any], None]
) -> Callable[[Any, Any], None]:
    @functools.wraps(set_)
    def set_protocol(self: Any, protocol: Any) -> None:
        connection = _behind(ask, self)
        if connection is None or connection_behind(protocol) or type(protocol).__module__ in _TLS:
            set_(self, protocol)
        else:
            set_(self, told_protocol(connection, protocol))

    return set_protocol


def _closing(ask: Callable[[Any], Any], close: Callable[[Any], None]) -> Any:
    @functools.wraps(close)
    def closing(self: Any) -> None:
        connection, lane = _behind(ask, self), current()
        if connection is not None and isinstance(lane, Lane):
            connection.is_used_in(lane)
        close(self)

    return lane_hook(close, closing)


def _writing(ask: Callable[[Any], Any], write: Callable[..., Any]) -> Any:
    is_of_pieces = write.__name__ == "writelines"

    @functools.wraps(write)
    def writing(self: Any, data: Any, *to: Any, **named: Any) -> Any:
        connection = _behind(ask, self)
        if connection is None:
            return write(self, data, *to, **named)
        lane = current()
        if not isinstance(lane, Lane):
            connection.is_used()
            return write(self, data, *to, **named)
        if is_of_pieces:
            return self.write(b"".join(data))
        if not isinstance(data, bytes | bytearray | memoryview):
            return write(self, data, *to, **named)  # which says so
        address = to[0] if to else named.get("addr")
        live = functools.partial(write, self, data, *to, **named)
        return connection.send(lane, self, data, address, live)

    # What the start-up began has to know of what is written outside of a recording.
    return lane_hook(write, writing, anywhere=True)
