"""Stand-in server: on replay none of NATS is connected, and the client does not know.

Which server it was, and what that said of itself, is an event of the request that connects, and
on the boot tape besides: the client may be kept for many requests. What is sent below the client's
methods goes nowhere then.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import call_async, in_replay, mask, on_boot_tape
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Async = Callable[..., Awaitable[Any]]

__all__ = ["IS_STAND_IN", "connecting", "handshaking", "selecting"]

_CONNECT, _SERVER = "nats.connect", "nats.server"
_SAID = "_retrace_said"
IS_STAND_IN = "_retrace_stand_in"
"""Attribute of a client that a replay has connected to nobody."""
_SECRET = ("nonce", "xkey")


def _where(servers: Any = ("nats://localhost:4222",), *_: Any, **__: Any) -> list[str]:
    """Return what is connected to, as a key: no user, no password."""
    given = [servers] if isinstance(servers, str) else list(servers)
    return [str(one).rpartition("@")[2].rpartition("//")[2] for one in given]


def connecting(original: Async) -> Async:
    """Hook `connect`: an event of the request that makes it, if one does."""

    @functools.wraps(original)
    async def connect(self: Any, *args: Any, **options: Any) -> None:
        key = _where(*args, **options)

        async def made() -> Any:
            with on_boot_tape(_CONNECT, key):
                await original(self, *args, **options)
            return None if in_replay() else _said_by(self)

        lane = current()
        if lane is not None and not in_replay():
            await call_async(lane, _CONNECT, key, made, _as_it_is)
            return
        scope: Any = getattr(lane, "scope", None)
        if scope is not None and scope.comes(lane, _CONNECT, key):
            setattr(self, _SAID, await call_async(lane, _CONNECT, key, made))  # type: ignore[arg-type]
        await made()

    return connect


def selecting(original: Async) -> Async:
    """Hook `_select_next_server`, which opens the connection."""

    @functools.wraps(original)
    async def select(self: Any) -> None:
        if not in_replay():
            with mask():
                await original(self)
            return
        setattr(self, IS_STAND_IN, True)
        self._send_command = self._flush_pending = _nothing
        self._current_server = self._server_pool[0] if self._server_pool else None

    return select


def handshaking(original: Async) -> Async:
    """Hook `_process_connect_init`: what the server said of itself is an event."""

    @functools.wraps(original)
    async def handshake(self: Any) -> None:
        lane = current()
        if not in_replay():
            live = functools.partial(original, self)
            if lane is None:
                await live()
            else:
                await call_async(lane, _SERVER, None, live, lambda _: _said_by(self))
            return
        said: Any = self.__dict__.pop(_SAID, None) or ("", {})
        if not said[1] and lane is not None:
            said = await call_async(lane, _SERVER, None, _unknown)
        url, info = said
        self._current_server = next(
            (one for one in self._server_pool if _netloc(one) == url), self._current_server
        )
        self._server_info = dict(info)
        self._max_payload = info.get("max_payload", self._max_payload)
        self._client_id, self._client_ip = info.get("client_id"), info.get("client_ip")
        if self._current_server is not None:
            self._current_server.server_version = info.get("version")
        self._status = type(self).CONNECTED

    return handshake


async def _unknown() -> Any:
    return ["", {}]


def _said_by(client: Any) -> list[Any]:
    """Return which server a client is connected to, and what that says of itself."""
    info = {name: one for name, one in client._server_info.items() if name not in _SECRET}
    return [_netloc(client._current_server), info]


def _as_it_is(value: Any) -> Any:
    return value


async def _nothing(*_: Any, **__: Any) -> None:
    return None


def _netloc(server: Any) -> str:
    return str(server.uri.netloc).rpartition("@")[2]
