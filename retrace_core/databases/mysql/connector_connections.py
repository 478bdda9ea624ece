"""Connector connections: opening MySQL Connector/Python's, and setting them up, in Python or C.

Whether a connection is opened, pinged or set up depends on the process's past: it is an event
only where it fails.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import (
    attempt,
    attempt_async,
    call,
    call_async,
    call_free,
    in_replay,
    mask,
    on_boot_tape,
    spoil,
)
from retrace_core.lane_hook import lane_hook
from retrace_core.native import REPLAY, current, now_ns
from retrace_core.recording import RETURNED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from retrace_core import native

    Refuse = Callable[[Any, native.Lane, str], object]
    """Raises where a connection is no stub on replay, or is one while it is recorded."""

__all__ = [
    "SETTING_UP",
    "SETTING_UP_BY_PACKETS",
    "connecting",
    "giving",
    "mode_known",
    "mode_known_async",
    "numbering",
    "opening",
    "setting",
    "setting_up",
    "setting_up_async",
    "taking",
    "telling",
    "telling_async",
    "where",
]

SETTING_UP = (
    "ping",
    "reset_session",
    "cmd_change_user",
    "cmd_init_db",
    "cmd_reset_connection",
    "cmd_stmt_close",
    "cmd_stmt_reset",
)
"""Methods that every kind of connection has, and that set it up."""
SETTING_UP_BY_PACKETS = (*SETTING_UP, "cmd_ping", "cmd_stmt_send_long_data")
"""Those of the connections in Python."""

_FACTS = "_retrace_facts"
_known: dict[str, list[Any]] = {}
"""Server address and database -> what a server says first."""


def where(connection: Any, options: Mapping[str, Any]) -> list[str]:
    """Return what is connected to, as a key: no password, no user."""
    own = {name: options.get(name) or getattr(connection, f"_{name}", "") for name in _PLACE}
    place = own["unix_socket"] or own["host"]
    return [str(place), str(own["port"]), str(own["database"] or options.get("db") or "")]


_PLACE = ("unix_socket", "host", "port", "database")


def facts(kind: str, key: list[str], known: Callable[[], list[Any]]) -> list[Any]:
    """Return what a server says first, which the boot tape keeps."""
    lane = current()
    found = known() if lane is None else call(lane, kind, key, known)
    _known[repr(key)] = found
    return found


def connecting(
    prefix: str, said: Callable[[Any], list[Any]], default: list[Any]
) -> Callable[[Any], Any]:
    """Return the factory of a hook for `connect`.

    Args:
        prefix: of the events' kinds.
        said: returns what the server of a live connection said first.
        default: the same, where nothing was recorded.
    """
    kind, startup = f"{prefix}.connect", f"{prefix}.startup"

    def factory(connect: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(connect)
        def connected(self: Any, **kwargs: Any) -> None:
            lane, key = current(), where(self, kwargs)

            def live() -> None:
                with on_boot_tape(kind, key):
                    with mask():
                        connect(self, **kwargs)
                    own = said(self)
                    facts(startup, key, lambda: own)

            def stub() -> None:
                with on_boot_tape(kind, key):
                    known = facts(startup, key, lambda: _known.get(repr(key), default))
                    self.__dict__[_FACTS] = known
                    with mask():
                        connect(self, **kwargs)

            if in_replay():
                return stub() if lane is None else attempt(lane, kind, key, stub, stub)
            return live() if lane is None else attempt(lane, kind, key, live)

        return connected

    return factory


def opening(stub: Callable[[Any, list[Any]], None]) -> Callable[[Any], Any]:
    """Return the factory of a hook for `_open_connection`.

    Args:
        stub: gives a connection its other side on replay, by what the server says first.
    """

    def factory(original: Callable[[Any], None]) -> Callable[[Any], None]:
        @functools.wraps(original)
        def opened(self: Any) -> None:
            known = self.__dict__.pop(_FACTS, None)
            if known is None:
                original(self)
            else:
                stub(self, known)

        return opened

    return factory


def setting_up(kind: str, refuse: Refuse) -> Callable[[Any], Any]:
    """Return the factory of a hook for a method that sets a connection up, or pings.

    On replay it is done with the stub.
    """

    def factory(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def set_up(self: Any, *args: Any, **kwargs: Any) -> Any:
            lane = current()
            live = functools.partial(original, self, *args, **kwargs)
            if lane is None:
                return live()
            refuse(self, lane, kind)

            def stub() -> Any:
                with mask():
                    return live()

            return attempt(lane, kind, None, live, stub)

        return lane_hook(original, set_up)

    return factory


def setting_up_async(kind: str, refuse: Refuse) -> Callable[[Any], Any]:
    """Return what `setting_up` does, for a coroutine method."""

    def factory(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        @functools.wraps(original)
        async def set_up(self: Any, *args: Any, **kwargs: Any) -> Any:
            lane = current()
            live = functools.partial(original, self, *args, **kwargs)
            if lane is None:
                return await live()
            refuse(self, lane, kind)
            found = await attempt_async(lane, kind, None, live)
            if lane.mode != REPLAY:
                return found
            with mask():
                return await live()

        return set_up

    return factory


def setting(kind: str, refuse: Refuse) -> Callable[[Any], Any]:
    """Return the factory of a hook for a property whose setting sets a connection up."""

    def factory(original: property) -> property:
        assert original.fset is not None
        return original.setter(setting_up(kind, refuse)(original.fset))

    return factory


def numbering(kind: str, refuse: Refuse) -> Callable[[Any], Any]:
    """Return the factory of a hook for the property `connection_id`: the server gives it."""

    def factory(original: property) -> property:
        live = original.fget
        assert live is not None

        @functools.wraps(live)
        def number(self: Any) -> Any:
            lane = current()
            if lane is None:
                return live(self)
            refuse(self, lane, kind)
            return call(lane, kind, None, functools.partial(live, self))

        return property(number)

    return factory


def mode_known(kind: str, refuse: Refuse) -> Callable[[Any], Any]:
    """Return the factory of a hook for the property `sql_mode`, which a connection asks once.

    Which request is the first to want it depends on how warm a connection is: in no order.
    """

    def factory(original: property) -> property:
        live = original.fget
        assert live is not None

        @functools.wraps(live)
        def sql_mode(self: Any) -> Any:
            lane = current()
            if lane is None or self._sql_mode is not None:
                return live(self)
            refuse(self, lane, kind)
            value = call_free(lane, kind, where(self, {}), functools.partial(live, self))
            self._sql_mode = value
            return value

        return property(sql_mode, original.fset)

    return factory


def mode_known_async(kind: str, refuse: Refuse) -> Callable[[Any], Any]:
    """Return the factory of a hook for asyncio's `get_sql_mode`, doing the same."""

    def factory(original: Callable[[Any], Awaitable[Any]]) -> Callable[[Any], Awaitable[Any]]:
        @functools.wraps(original)
        async def get_sql_mode(self: Any) -> Any:
            lane: Any = current()
            if lane is None or self._sql_mode is not None:
                return await original(self)
            refuse(self, lane, kind)
            key, start_ns = where(self, {}), now_ns()
            found, value = False, None
            if lane.mode == REPLAY:
                found, value = lane.scope.free_answer(lane, kind, key)
            if not found:
                with mask():
                    value = await original(self)
                _note(lane, kind, key, value, start_ns)
            self._sql_mode = value
            return value

        return get_sql_mode

    return factory


def telling(kind: str, refuse: Refuse) -> Callable[[Any], Any]:
    """Return the factory of a hook for `is_connected`: an event where it is not."""

    def factory(original: Callable[[Any], bool]) -> Callable[[Any], bool]:
        @functools.wraps(original)
        def told(self: Any) -> bool:
            lane: Any = current()
            if lane is None:
                return original(self)
            refuse(self, lane, kind)
            if lane.mode == REPLAY and lane.scope.comes_next(lane, kind):
                return call(lane, kind, None, bool)
            start_ns = now_ns()
            with mask():
                found = original(self)
            if not found:
                _note(lane, kind, None, False, start_ns)
            return found

        return lane_hook(original, told)

    return factory


def telling_async(kind: str, refuse: Refuse) -> Callable[[Any], Any]:
    """Return what `telling` does, for a coroutine method."""

    async def nothing() -> bool:
        return False

    def factory(original: Callable[[Any], Awaitable[bool]]) -> Callable[[Any], Awaitable[bool]]:
        @functools.wraps(original)
        async def told(self: Any) -> bool:
            lane: Any = current()
            if lane is None:
                return await original(self)
            refuse(self, lane, kind)
            if lane.mode == REPLAY and lane.scope.comes_next(lane, kind):
                return await call_async(lane, kind, None, nothing)
            start_ns = now_ns()
            with mask():
                found = await original(self)
            if not found:
                _note(lane, kind, None, False, start_ns)
            return found

        return told

    return factory


def _note(lane: native.Lane, kind: str, key: object, value: object, start_ns: int) -> None:
    if lane.mode != REPLAY:
        try:
            lane.record(kind, key, RETURNED, value, start_ns)
        except Exception as fault:  # noqa: BLE001  # whatever it is, the request goes on
            spoil(lane, kind, fault)


def taking(kind: str) -> Callable[[Any], Any]:
    """Return the factory of a hook for what takes a connection of a pool: in recorded turn."""

    def factory(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def taken(self: Any) -> Any:
            lane = current()
            if lane is None:
                return original(self)
            if lane.mode != REPLAY:
                return call(lane, kind, None, lambda: original(self), _nothing)
            call(lane, kind, None, _nothing)
            with mask():
                return original(self)

        return taken

    return factory


def giving(kind: str) -> Callable[[Any], Any]:
    """Return the factory of a hook for what gives a connection back: it ends in turn."""

    def factory(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def given(self: Any) -> Any:
            lane = current()
            if lane is None:
                return original(self)
            if lane.mode != REPLAY:
                return call(lane, kind, None, lambda: original(self), _nothing)
            with mask():
                original(self)
            return call(lane, kind, None, _nothing)

        return given

    return factory


def _nothing(_: object = None) -> None:
    return None
