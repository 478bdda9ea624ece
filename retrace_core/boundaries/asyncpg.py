"""asyncpg: what the server says, as it comes, below records, codecs and prepared statements.

Hooks: the exchanges of `protocol.Protocol` (query, bind, execute, COPY ...), whose outcome is
the bytes that are received meanwhile; `Connection._get_statement`, whose outcome is the
statement's description, sent or cached; `connect_utils._connect` and `_connect_addr`; the
pool's acquire, release, start and close; a connection's listeners. On replay asyncpg's own
objects read the recorded bytes. Read in asyncpg 0.32.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import asyncpg
from asyncpg import connect_utils
from asyncpg.protocol import Protocol, protocol

from retrace_core.boundary import (
    Boundary,
    Hook,
    Patch,
    attempt_async,
    call_async,
    in_replay,
    mask,
    on_boot_tape,
)
from retrace_core.called_back import CalledBack
from retrace_core.concurrency.waited import waited
from retrace_core.databases.postgresql.asyncpg_answers import (
    NOTHING,
    SESSION,
    asked_sql,
    error_fields,
    neutral,
)
from retrace_core.databases.postgresql.asyncpg_descriptions import (
    TYPES,
    description,
    known,
    saw_prepared,
)
from retrace_core.databases.postgresql.asyncpg_exchanges import EXCHANGES, INBOX, hooked
from retrace_core.databases.postgresql.asyncpg_stub import StubProtocol, stub
from retrace_core.errors import LiveCallRefused
from retrace_core.lanes import Lane
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_CONNECT, _PREPARE = "asyncpg.connect", "asyncpg.prepare"

_record: Any = protocol._create_record  # type: ignore[attr-defined,unused-ignore]

_listeners: WeakKeyDictionary[Any, dict[tuple[str, Any], Any]] = WeakKeyDictionary()
"""Connection -> channel and callback -> what stands in its place."""
_sessions: dict[str, dict[str, str]] = {}
"""Server address and database -> what that server said of itself."""


def _no_value(_: Any) -> None:
    return None


# -- connecting


def _where(kwargs: Any) -> list[str]:
    """Return what is connected to, as a key: no password, no user."""
    host, port, database = (kwargs.get(name) for name in ("host", "port", "database"))
    parts = urlsplit(str(kwargs.get("dsn") or ""))
    netloc = parts.netloc.rpartition("@")[2]
    return [str(host or ""), str(port or ""), str(database or ""), netloc, parts.path]


def _hooked_connect(connect: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(connect)
    async def connecting(**kwargs: Any) -> Any:
        key = _where(kwargs)

        async def made() -> Any:
            with on_boot_tape(_CONNECT, key):
                return await connect(**kwargs)

        lane = current()
        if lane is None:
            return await made()
        connection = await attempt_async(lane, _CONNECT, key, made)
        return connection if connection is not None else await made()

    return connecting


def _session_of(connection: Any) -> dict[str, str]:
    settings = connection.get_settings()
    said = {name: getattr(settings, name, None) for name in SESSION}
    return {name: str(value) for name, value in said.items() if value is not None}


def _hooked_connect_addr(connect: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(connect)
    async def connecting(**kwargs: Any) -> Any:
        lane = current()
        key = [str(kwargs["addr"]), str(kwargs["params"].database)]
        if not in_replay():
            live = functools.partial(connect, **kwargs)
            if lane is None:
                made = await live()
            else:
                made = await call_async(lane, "asyncpg.startup", key, live, _session_of)
            _sessions[repr(key)] = _session_of(made)
            return made

        async def unrecorded() -> Any:
            return _sessions.get(repr(key), SESSION)

        if lane is None:
            return stub(await unrecorded(), **kwargs)
        return stub(await call_async(lane, "asyncpg.startup", key, unrecorded), **kwargs)

    return connecting


# -- statements


def _hooked_get_statement(original: Callable[..., Awaitable[Any]]) -> Any:
    @functools.wraps(original)
    async def getting(self: Any, query: str, *args: Any, **kwargs: Any) -> Any:
        lane, protocol = current(), self._protocol
        if not isinstance(protocol, StubProtocol):
            if lane is None:
                return await original(self, query, *args, **kwargs)
            if lane.mode == REPLAY:
                raise LiveCallRefused(_PREPARE, "a server, on a connection from before the replay")
            return await _described(lane, protocol, query, original(self, query, *args, **kwargs))

        key = [asked_sql(query)]
        found = None
        if lane is not None and not cast("Any", lane).scope.comes(lane, _PREPARE, key):
            found = known(lane, query)  # prepared before the request came
        protocol.describing = found or await protocol.answered(
            _PREPARE, key, lambda: neutral(query, "I")[0]
        )
        try:
            with mask():
                # Each description is its own: what a cached one was made from is not known.
                return await original(self, query, *args, **{**kwargs, "use_cache": False})
        finally:
            protocol.describing = None

    return getting


async def _described(lane: Any, protocol: Any, query: str, getting: Awaitable[Any]) -> Any:
    async def live() -> tuple[Any, Exception | None]:
        try:
            return await getting, None
        except asyncpg.PostgresError as error:
            if not protocol.is_connected():
                raise
            return None, error

    def described(outcome: Any) -> Any:
        statement, error = outcome
        if error is None:
            return description(protocol, statement)
        return {**NOTHING, "failed": error_fields(error)}

    statement, error = await call_async(lane, _PREPARE, [asked_sql(query)], live, described)
    saw_prepared(lane, protocol, query)
    if error is not None:
        raise error
    return statement


def _hooked_introspect_types(original: Callable[..., Awaitable[Any]]) -> Any:
    @functools.wraps(original)
    async def introspecting(self: Any, typeoids: Any, *args: Any, **kwargs: Any) -> Any:
        protocol = self._protocol
        if not isinstance(protocol, StubProtocol):
            wanted = list(typeoids)
            rows, statement = await original(self, typeoids, *args, **kwargs)
            types = protocol.__dict__.setdefault(TYPES, {})
            types.update(dict.fromkeys(wanted, rows))
            return rows, statement
        said = (protocol.describing or NOTHING)["types"]
        rows = [
            _record(
                {name: place for place, (name, _) in enumerate(items)},
                tuple(value for _, value in items),
            )
            for items in said
        ]
        return rows, _Named()

    return introspecting


class _Named:
    name = "introspection"


def _hooked_introspect_type(original: Callable[..., Awaitable[Any]]) -> Any:
    @functools.wraps(original)
    async def introspecting(self: Any, typename: str, schema: str) -> Any:
        try:
            return await original(self, typename, schema)
        except ValueError:
            oid = protocol.BUILTIN_TYPE_NAME_MAP.get(typename.lower())
            if oid is None or not isinstance(self._protocol, StubProtocol):
                raise
            return _record({"oid": 0, "elemtype": 1, "kind": 2}, (oid, None, b"b"))

    return introspecting


def _hooked_data_received(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def receiving(self: Any, data: Any) -> None:
        inbox = self.__dict__.get(INBOX)
        if inbox is not None:
            inbox.append(bytes(data))
        original(self, data)

    return receiving


# -- pools, listeners


def _hooked_new_connection(original: Callable[..., Awaitable[Any]]) -> Any:
    @functools.wraps(original)
    async def connecting(self: Any) -> Any:
        arguments = dict(self._connect_kwargs)
        if self._connect_args:
            arguments["dsn"] = self._connect_args[0]
        with on_boot_tape("asyncpg.pool", _where(arguments)):
            return await original(self)

    return connecting


def _hooked_add_listener(original: Callable[..., Awaitable[None]]) -> Any:
    @functools.wraps(original)
    async def listening(self: Any, channel: str, callback: Any) -> None:
        lane = current()
        if lane is None or not isinstance(lane, Lane):
            return await original(self, channel, callback)
        connection = self._unwrap() if lane.mode == REPLAY else None

        def heard(said: Any) -> Any:
            return callback(connection, said[0], channel, said[1])

        back = CalledBack(lane, "asyncpg.notification", channel, heard)

        def notified(source: Any, pid: int, _channel: str, payload: str) -> None:
            nonlocal connection
            connection = source
            back.called([pid, payload])

        await original(self, channel, notified)
        _listeners.setdefault(self, {})[channel, callback] = notified
        back.feed()

    return listening


def _hooked_remove_listener(original: Callable[..., Awaitable[None]]) -> Any:
    @functools.wraps(original)
    async def removing(self: Any, channel: str, callback: Any) -> None:
        ours = _listeners.get(self, {}).pop((channel, callback), callback)
        return await original(self, channel, ours)

    return removing


_Connection: Any = asyncpg.Connection
_Pool: Any = asyncpg.Pool
_Utils: Any = connect_utils

BOUNDARY = Boundary(
    kind="asyncpg",
    supports="asyncpg>=0.27",
    hooks=(
        Patch(_Utils, "_connect", _hooked_connect),
        Patch(_Utils, "_connect_addr", _hooked_connect_addr),
        Patch(Protocol, "data_received", _hooked_data_received),
        *(Patch(Protocol, name, hooked(name)) for name in EXCHANGES if hasattr(Protocol, name)),
        Patch(Protocol, "close", waited("asyncpg.close")),
        Patch(_Connection, "_get_statement", _hooked_get_statement),
        Patch(_Connection, "_introspect_types", _hooked_introspect_types),
        Patch(_Connection, "_introspect_type", _hooked_introspect_type),
        Patch(_Connection, "add_listener", _hooked_add_listener),
        Patch(_Connection, "remove_listener", _hooked_remove_listener),
        Hook(owner=_Connection, name="get_server_pid", key=_no_value),
        Patch(_Pool, "_async__init__", waited("asyncpg.pool")),
        Patch(_Pool, "_acquire", waited("asyncpg.acquire", in_turn_first=True)),
        Patch(_Pool, "release", waited("asyncpg.release")),
        Patch(_Pool, "close", waited("asyncpg.pool_close")),
        Patch(_Pool, "_get_new_connection", _hooked_new_connection),
    ),
    errors=("asyncpg.exceptions", "asyncpg.exceptions._base"),
)
